"""The report of a bundle, and the tables of README."""
