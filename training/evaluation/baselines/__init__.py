"""Specialists that every figure of ours is printed beside, one a module.

`popularity`, `ease` and `biases` need numpy only and are always measured. `ials`, `svd` and `sasrec` are
measured by `specialists` with `evaluate --baselines`. They run in an `environment` of their own, where each
imports its package in its one module, and exchange rows and answers through files, as `exchange` describes.
"""
