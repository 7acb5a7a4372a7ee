"""The service as processes: its address, its connections, its workers, their lives."""
