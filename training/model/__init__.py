"""The two-tower model: what it reads, what it is made of, how it is fitted."""
