"""Servers of one bundle with several serving frameworks; see serving_frameworks.py."""
