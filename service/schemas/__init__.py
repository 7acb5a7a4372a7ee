"""Pydantic models of request and response bodies, one module for each group of endpoints.

Ids are strings: the number 42 is refused, the string "42" is an id.
"""
