"""Modules of `benchmarks/load_test.py`."""
