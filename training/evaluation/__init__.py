"""How good a model is on held-out ratings, beside baselines."""
