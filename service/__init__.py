"""Matinee online: loads a bundle that training exported and answers requests from it."""
