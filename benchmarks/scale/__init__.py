"""Training on millions of ratings: time, memory and what comes out, on synthetic data."""
