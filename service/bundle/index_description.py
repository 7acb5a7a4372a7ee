"""The manifest's `index`: which index a bundle has, and how long to search it; the standard library only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from service.errors import BundleInconsistent, ManifestCorrupt

Backend = Literal["annoy", "usearch"]

METRICS: dict[Backend, str] = {"annoy": "angular", "usearch": "ip"}
"""By backend the distance between augmented vectors."""

AUGMENTATION = "sqrt(M^2 - |x|^2)"
"""Candidates x become [x, sqrt(M^2 - |x|^2)] with M the largest norm, queries q become [q, 0]: the angle then
orders as the dot product does (Bachrach et al. 2014, https://doi.org/10.1145/2645710.2645741)."""


@dataclass(frozen=True, kw_only=True)
class IndexDescription:
    """An index over the augmented embeddings (`AUGMENTATION`).

    Attributes:
        backend: The library that built it.
        candidates: How many vectors it holds.
        search_k: Least effort of a query: nodes that Annoy inspects, usearch's `expansion_search`.
        deep_search_k: The same where results after the first few dozen matter too; annoy always has it.
        trees: Of Annoy, as its file counts them.
        connectivity, expansion_add: Of usearch, what it was built with.
        recall_at_10, recall_at_100: Mean share of the exact best that answers had at export.
    """

    backend: Backend
    candidates: int
    search_k: int
    deep_search_k: int | None = None
    trees: int | None = None
    connectivity: int | None = None
    expansion_add: int | None = None
    recall_at_10: float | None = None
    recall_at_100: float | None = None

    @property
    def metric(self) -> str:
        """The backend's distance."""
        return METRICS[self.backend]

    @property
    def augmentation(self) -> str:
        """What was appended to the embeddings."""
        return AUGMENTATION

    def to_document(self) -> dict[str, Any]:
        """The JSON object; what is None is left out."""
        kind = {"backend": self.backend, "metric": self.metric, "augmentation": self.augmentation}
        return kind | {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_document(cls, document: object, where: Path) -> IndexDescription:
        """Read and check what `to_document` made.

        Args:
            document: The manifest's `index`.
            where: The manifest, for messages.

        Raises:
            ManifestCorrupt: Not an object, an unknown field, or a malformed value.
            BundleInconsistent: An index that this service does not search, or a field missing.
        """
        if not isinstance(document, dict):
            raise ManifestCorrupt(f"{where}: expected index to be an object, got {document!r}; export again")
        if unknown := sorted(document.keys() - _SHAPES.keys() - _KIND):
            raise ManifestCorrupt(f"{where}: unknown fields {unknown} in the index; export again")
        backend = document.get("backend")
        if backend != "annoy" and backend != "usearch":  # noqa: PLR1714  so mypy knows it afterwards
            raise BundleInconsistent(
                f"{where}: expected an index backend annoy or usearch, got {backend!r}; export again"
            )
        required = _REQUIRED | (_REQUIRED_BY_ANNOY if backend == "annoy" else set())
        if missing := sorted(required - document.keys()):
            raise BundleInconsistent(f"{where}: the manifest's index lacks {missing}; export again")
        for name, expected in (("metric", METRICS[backend]), ("augmentation", AUGMENTATION)):
            if document[name] != expected:
                raise BundleInconsistent(
                    f"{where}: expected index {name} {expected!r}, got {document[name]!r}; export again"
                )
        present = _SHAPES.keys() & document.keys()
        if malformed := sorted(name for name in present if not _SHAPES[name](document[name])):
            raise ManifestCorrupt(f"{where}: malformed fields {malformed} in the index; export again")
        return cls(**{field.name: document[field.name] for field in fields(cls) if field.name in document})

    def search_k_for(self, num_results: int, *, deep: bool = False) -> int | None:
        """Effort of one query, the same where recall is measured and where it is served.

        Args:
            num_results: Rows wanted of the index: k and the number of excluded rows together.
            deep: Whether those after the first few dozen matter too.

        Returns:
            Never less than Annoy's own default of `trees * num_results`, which is `num_results` of usearch;
            None where half of the candidates or more are wanted: scoring all is sooner then, and exact.
        """
        if 2 * num_results >= self.candidates:
            return None
        least = self.deep_search_k if deep and self.deep_search_k is not None else self.search_k
        return max(least, (self.trees or 1) * num_results)


def is_count(value: object) -> bool:
    """Whether a JSON value is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


_KIND = {"backend", "metric", "augmentation"}
_REQUIRED = {"metric", "augmentation", "candidates", "search_k"}
_REQUIRED_BY_ANNOY = {"trees", "deep_search_k"}
_SHAPES: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("candidates", "search_k", "deep_search_k", "trees"), is_count),
    **dict.fromkeys(("connectivity", "expansion_add"), is_count),
    **dict.fromkeys(("recall_at_10", "recall_at_100"), _is_share),
}
