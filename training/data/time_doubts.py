"""What times show of themselves when they are not what they were read as."""

from __future__ import annotations

import time

import numpy as np

from training.data.times import Times

_FIRST_REAL = 10**8  # in 1973, before which no rating was recorded
_LEAST_EARLY = 20  # fewer were made up
_DAY = 86_400


def doubts(name: str, times: Times) -> list[str]:
    """Return warnings of times that can hardly be meant.

    Args:
        name: The column.
        times: Its times.
    """
    seconds = times.seconds[~times.is_bad]
    if not len(seconds) or np.ptp(seconds) == 0:
        return []  # none, or constant, which is said elsewhere
    warnings = []
    is_early = seconds < _FIRST_REAL
    num_early, num_late = np.count_nonzero(is_early), np.count_nonzero(seconds > time.time() + _DAY)
    if num_early == len(seconds) >= _LEAST_EARLY:
        warnings.append(
            f"{name}: all times are before 1974, read as {times.kind}; if they are only the order of the "
            "rows that is as good, else write them as dates"
        )
    elif 0 < num_early < len(seconds):
        shown = ", ".join(f"{one}" for one in np.unique(seconds[is_early])[:2])
        warnings.append(
            f"{name}: {num_early:,} times are before 1974 ({shown}), as if they were not known; they "
            "count as a user's first. Leave out these rows, or all times with --columns time="
        )
    if num_late:
        warnings.append(
            f"{name}: {num_late:,} times are in the future; correct them, for they count as the latest"
        )
    return warnings
