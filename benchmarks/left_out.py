"""Whether rules that are chosen on other data sets suit a data set that was left out.

    python -m benchmarks.left_out DIRECTORY [NAME ...] --page docs/quality_any_data.md

Each variant of the rules is trained on each set's training rows and measured on its validation rows, as the
choice of the training length does; test rows are not read. For each set the variant is taken whose quality is
best in the mean over the other sets, and compared with the defaults and with the variant that is best on the
set itself.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.any_data import options_for
from benchmarks.any_data_table import REFERENCE
from benchmarks.page import markdown_table, replace_between
from benchmarks.public_data.reading import load_options
from benchmarks.public_data.table import PUBLIC_SETS
from training.config import TrainingConfig
from training.data.splits import choose_split, split_by_name
from training.data.table import RatingsTable
from training.evaluation.held_out import hold_out
from training.evaluation.starting_choice import choose_starts
from training.evaluation.validated_fit import fit_while_better
from training.model.adaptation import adapt

MARK = "benchmarks.left_out"
VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "half the decay": {"weight_decay": 1.5},
    "twice the decay": {"weight_decay": 6.0},
    "half the rate": {"learning_rate": 0.0015},
    "twice the rate": {"learning_rate": 0.006},
    "users weigh alike": {"user_weight_power": 0.0},
    "no empty examples": {"empty_share": 0.0},
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every variant on every set and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path, help="of the sets, as benchmarks.public_data fetches them")
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"sets; {REFERENCE} is one")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    given = parser.parse_intermixed_args(arguments)
    unknown = sorted(set(given.names) - {REFERENCE, *PUBLIC_SETS})
    if unknown or len(given.names) < 2:
        parser.error(f"expected two names or more of {', '.join((REFERENCE, *PUBLIC_SETS))}; got {unknown}")
    qualities = {}
    for name in given.names:
        table = load_options(options_for(name, given.directory))
        qualities[name] = measure(table)
        sys.stderr.write(f"{name}: {qualities[name]}\n")
    text = left_out_table(qualities)
    sys.stdout.write(f"{text}\n")
    if given.page:
        replace_between(given.page, MARK, text)


def measure(table: RatingsTable) -> dict[str, float]:
    """Return the `quality` of each variant on the validation rows of a table."""
    split, _ = choose_split(table, "auto")
    train = hold_out(table, split_by_name(table, split)).train
    held_out = hold_out(train, split_by_name(train, split))
    default = TrainingConfig()
    start = choose_starts(held_out, adapt(default, held_out.train))[0]
    found = {}
    for name, changes in VARIANTS.items():
        config = adapt(start.apply(replace(default, **changes)), held_out.train)
        found[name] = fit_while_better(held_out, config).quality
    return found


def left_out_table(qualities: Mapping[str, Mapping[str, float]]) -> str:
    """Format qualities by set and variant as Markdown: what the others choose, and what the set would."""
    rows = []
    for name, own in qualities.items():
        others = {
            variant: np.mean([of[variant] for other, of in qualities.items() if other != name])
            for variant in own
        }
        chosen, best = max(others, key=others.__getitem__), max(own, key=own.__getitem__)
        default = own[next(iter(own))]
        rows.append([name, chosen, _gain(own[chosen], default), best, _gain(own[best], default)])
    headings = [
        "left out:",
        "chosen on the others:",
        "its quality against the defaults",
        "best on the set itself:",
        "quality",
    ]
    return markdown_table(headings, rows)


def _gain(quality: float, default: float) -> str:
    return f"{np.expm1(quality - default):+.1%}"


if __name__ == "__main__":
    main()
