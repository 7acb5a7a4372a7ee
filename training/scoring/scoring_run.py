"""Score users part by part, in threads, so that memory is bounded and a killed run goes on."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.bundle.manifest import document_sha256
from training.scoring.list_scorer import ListScorer
from training.scoring.lists_table import Table, table_of
from training.scoring.part_files import PartFiles, RunIdentity
from training.scoring.scored_bundle import ScoredBundle

USERS_PER_PART = 4_096
"""At 100 movies a user a part takes about 8 MiB, and is a row group of about 4 MiB."""

UserRows = NDArray[np.int64]


@dataclass(frozen=True)
class ScoringPlan:
    """What is to be scored.

    Attributes:
        k: Most movies of a list.
        exclude_seen: Whether to leave out what is in a user's history.
        users_per_part: How many users a row group has.
    """

    k: int = 100
    exclude_seen: bool = True
    users_per_part: int = USERS_PER_PART

    def parts_of(self, user_rows: UserRows) -> list[UserRows]:
        """The users of each part, int64."""
        return [
            user_rows[start : start + self.users_per_part]
            for start in range(0, len(user_rows), self.users_per_part)
        ]

    def identity(self, bundle: ScoredBundle, user_rows: UserRows) -> RunIdentity:
        """What the content of the parts depends on."""
        return RunIdentity(
            bundle_id=bundle.manifest.bundle_id,
            manifest_sha256=document_sha256(bundle.manifest.to_document()),
            users_sha256=hashlib.sha256(user_rows.astype("<i8").tobytes()).hexdigest(),
            k=self.k,
            exclude_seen=self.exclude_seen,
            users_per_part=self.users_per_part,
        )


@dataclass(frozen=True)
class ScoringOutcome:
    """What a run wrote.

    Attributes:
        num_lists: Users scored.
        num_rows: Rows of the output.
        num_resumed: Parts that an earlier run had finished.
        num_parts: Of all.
    """

    num_lists: int
    num_rows: int
    num_resumed: int
    num_parts: int


class ScoreParts(Protocol):
    """How parts are scored: in threads of this process, or elsewhere."""

    def __call__(self, parts: dict[int, UserRows], keep: Callable[[int, Table], None]) -> Generator[Table]:
        """Yield the tables of parts in the order of their numbers, few ahead of what was taken.

        Args:
            parts: The users of each part to be scored, by its number.
            keep: To be called with each finished part before it is yielded.
        """


def score_users(
    bundle: ScoredBundle,
    user_rows: UserRows,
    output: Path,
    plan: ScoringPlan,
    score_parts: ScoreParts,
    *,
    on_part: Callable[[int], None] = lambda _: None,
) -> ScoringOutcome:
    """Write the lists of users to a Parquet file, one row group a part.

    Args:
        bundle: What is scored.
        user_rows: int64 `[n]`, whom, in the order of the output.
        output: The file; one that is there is replaced when the new one is whole.
        plan: How long lists are, and how many users a part has.
        score_parts: Such as `Threads`.
        on_part: Called after each part with the number of its users.

    Raises:
        ScoringError: Something cannot be written, or another process writes the same output.
    """
    parts, num_rows, num_resumed = plan.parts_of(user_rows), 0, 0
    with PartFiles.open(output, plan.identity(bundle, user_rows)) as files:
        missing = {number: part for number, part in enumerate(parts) if not files.has(number)}
        # Closed: no part is written any more when another run may begin.
        with closing(score_parts(missing, files.keep)) as scored, files.writing_output() as writer:
            for number, part in enumerate(parts):
                table = next(scored) if number in missing else files.read(number)
                writer.add(table)
                num_rows += table.num_rows
                num_resumed += number not in missing
                on_part(len(part))
    return ScoringOutcome(len(user_rows), num_rows, num_resumed, len(parts))


@dataclass(frozen=True, eq=False)
class Threads:
    """Scores parts in threads of this process.

    Attributes:
        scorer: Scores users.
        bundle: Its bundle.
        count: How many threads.
    """

    scorer: ListScorer
    bundle: ScoredBundle
    count: int

    def __call__(self, parts: dict[int, UserRows], keep: Callable[[int, Table], None]) -> Generator[Table]:
        """See `ScoreParts`; at most two parts a thread are in memory."""

        def score(number: int, user_rows: UserRows) -> Table:
            table = scored_table(self.scorer, self.bundle, user_rows)
            keep(number, table)
            return table

        with ThreadPoolExecutor(self.count, "scoring") as pool:
            ahead: deque[Future[Table]] = deque()
            try:
                for number, user_rows in parts.items():
                    ahead.append(pool.submit(score, number, user_rows))
                    if len(ahead) > self.count:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:  # after an error no further part is begun
                pool.shutdown(cancel_futures=True)


def scored_table(scorer: ListScorer, bundle: ScoredBundle, user_rows: UserRows) -> Table:
    """Score users; return their lists as a table."""
    lists = scorer.score(user_rows)
    return table_of(lists, bundle.histories, bundle.catalogue, bundle.manifest.bundle_id)
