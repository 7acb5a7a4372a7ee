"""The offline job: rating rows in, a bundle out."""

import os

# TensorFlow's caching allocator, which has to be chosen before its first operation. By default each step has
# its megabytes of logits and gradients from the system and gives them back, page fault by page fault, which
# took half of the time of training (docs/scale.md). Large models take another (training.model.allocator).
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
