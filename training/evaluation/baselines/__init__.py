"""Baselines that the model is compared with, one a module.

`popularity`, `ease` and `biases` need numpy only and are always measured. `ials`, `svd` and `sasrec` are
measured by `specialists` with `evaluate --baselines`. They run in an `environment` of their own and
exchange rows and answers through files, as `exchange` describes.
"""
