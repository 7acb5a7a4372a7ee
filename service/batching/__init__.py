"""Gathers concurrent requests into one pass through the recommender, within bounds."""
