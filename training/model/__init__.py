"""The two-tower model: histories, features, training examples, layers, towers, tasks and fitting."""
