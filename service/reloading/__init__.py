"""From one bundle to the next, while requests are answered."""
