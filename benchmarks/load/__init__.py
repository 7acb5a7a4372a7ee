"""The parts of `benchmarks/load_test.py`, one noun each."""
