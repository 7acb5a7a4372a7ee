"""Matinee: one command for training and the service, and functions for notebooks."""
