"""What is measured against other systems, in one sitting."""
