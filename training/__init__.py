"""The offline job: rating rows in, a bundle out."""
