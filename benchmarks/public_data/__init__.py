"""Public data sets to measure on: where each is from, what it holds, and how to fetch it."""
