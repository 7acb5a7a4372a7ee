"""Offline scoring: the best candidates of all users of a bundle, or of a list of them, as Parquet."""
