"""Benchmarks of the service and of training, also against other systems."""
