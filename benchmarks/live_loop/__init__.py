"""Measure the live loop: what is posted counts at once and is never lost, and what it costs."""
