"""What `fit --warm-start` is worth: quality and time beside a fit in full and the bundle as it was.

`python -m benchmarks.warm_start [DATA]` takes the training rows of the temporal split and the last tenth of
them, by time, as news. A bundle is trained on the rest; then the full fit trains on all training rows, and
the warm one begins with that bundle. All are measured on the test rows, which nothing was chosen by. Times are
of the processor: the full fit's with and without the search for its length, which a warm start does not need.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.page import replace_part
from training.config import TrainingConfig
from training.data.sources import load_ratings
from training.data.splits import temporal_split
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.served_answers import evaluate_bundle
from training.evaluation.split_evaluation import evaluate_model
from training.evaluation.training_length import choose_training_length
from training.export.bundle_export import export_bundle
from training.export.former_bundle import FormerBundle
from training.model.fitting import fit_model
