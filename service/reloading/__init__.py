"""Which bundle to serve next: what CURRENT names, what was refused, and when to try it again.

Runs in the supervising process: the standard library only.
"""
