"""The report of a bundle, the pages of experiments, and the tables of README."""
