"""What kinds of events count as watches, and how much."""

from __future__ import annotations

import numpy as np

from training.data.columns import Column, TabularFile
from training.data.raw_ratings import RawRatings
from training.data.reading_options import ReadingOptions
from training.errors import DataError


def with_events(
    file: TabularFile, ratings: RawRatings, column: Column, options: ReadingOptions
) -> RawRatings:
    """Weigh rows by their events, and leave out those of events that do not count.

    Args:
        file: The file.
        ratings: Its rows.
        column: Its column of events.
        options: What an event is worth; if nothing is said, all count alike.

    Raises:
        DataError: There is none of an event that was named.
    """
    codes, events = column.coded
    codes = codes[ratings.rows]
    counts = np.bincount(codes, minlength=len(events))
    frequent = [int(one) for one in np.argsort(-counts)[:12] if counts[one]]
    found = ", ".join(f"{events[one] or '(empty)'} {counts[one]:,}" for one in frequent)
    ratings.kinds["event"] = found
    if not options.event_weights:
        if len(frequent) > 1:
            example = ",".join(f"{events[one]}={place}" for place, one in enumerate(frequent[:3], 1))
            ratings.warnings.append(
                f"{column.name}: all events count alike ({found}); say what each is worth with "
                f"--event-weights {example}"
            )
        return ratings
    missing = options.event_weights.keys() - set(events)
    if missing:
        reason = f"expected events {', '.join(sorted(missing))}, got {found}"
        raise DataError(f"{file.label}: {reason}; correct --event-weights")
    ratings.weights = np.array([options.event_weights.get(one, 0.0) for one in events], np.float32)[codes]
    left_out = np.count_nonzero(ratings.weights == 0)
    if left_out:
        ratings.warnings.append(f"{column.name}: {left_out:,} rows of events without a weight are left out")
    return ratings.take(ratings.weights > 0)
