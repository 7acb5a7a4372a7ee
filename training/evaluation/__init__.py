"""Measure models and baselines on held-out ratings."""
