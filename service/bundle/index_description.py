"""The manifest's `index`: which index a bundle has, and how long to search it; the standard library only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from service.errors import BundleInconsistent, ManifestCorrupt

Backend = Literal["annoy", "usearch", "faiss", "exact"]
"""`exact`: there is no index, every candidate is scored."""

METRICS = {"annoy": "angular", "usearch": "ip", "faiss": "ip"}
"""By backend that has an index the distance between augmented vectors."""

AUGMENTATION = "sqrt(M^2 - |x|^2)"
"""Candidates x become [x, sqrt(M^2 - |x|^2)] with M the largest norm, queries q become [q, 0]: the angle then
orders as the dot product does (Bachrach et al. 2014, https://doi.org/10.1145/2645710.2645741)."""


@dataclass(frozen=True, kw_only=True)
class IndexDescription:
    """An index over the augmented embeddings (`AUGMENTATION`), or that there is none.

    Attributes:
        backend: The library that built it; `exact` has none of what describes an index.
        candidates: How many vectors it holds, or how many there are to score.
        search_k: Least effort of a query: nodes that Annoy inspects, usearch's `expansion_search`, faiss's
            `nprobe`.
        deep_search_k: The same where results after the first few dozen matter too; annoy always has it.
        trees: Of Annoy, as its file counts them.
        connectivity, expansion_add: Of usearch, what it was built with.
        lists, code_bytes: Of faiss, how many lists, and bytes of a candidate's code in them.
        largest_square: Of faiss, `M^2` of the augmentation, which its codes do not tell.
        recall_at_10, recall_at_100: Mean share of the exact best that answers had at export.
    """

    backend: Backend
    candidates: int
    search_k: int | None = None
    deep_search_k: int | None = None
    trees: int | None = None
    connectivity: int | None = None
    expansion_add: int | None = None
    lists: int | None = None
    code_bytes: int | None = None
    largest_square: float | None = None
    recall_at_10: float | None = None
    recall_at_100: float | None = None

    def to_document(self) -> dict[str, Any]:
        """The JSON object; what is None is left out."""
        kind = {"backend": self.backend, **_geometry(self.backend)}
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
        backend = str(document.get("backend"))
        if backend not in get_args(Backend):
            raise BundleInconsistent(
                f"{where}: expected an index backend annoy, usearch, faiss or exact, got {backend!r}; "
                "export again"
            )
        if missing := sorted(_REQUIRED[backend] - document.keys()):
            raise BundleInconsistent(f"{where}: the manifest's index lacks {missing}; export again")
        for name, expected in _geometry(backend).items():
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
            Never less than Annoy's own default of `trees * num_results`, which is `num_results` of usearch,
            nor of faiss fewer lists than have several times as many candidates on average; None where there
            is no index, or half of the candidates or more are wanted: scoring all is sooner then, and exact.
        """
        least = self.deep_search_k if deep and self.deep_search_k is not None else self.search_k
        if least is None or 2 * num_results >= self.candidates:
            return None
        if self.lists is not None:
            return max(least, math.ceil(_LISTED_PER_RESULT * num_results * self.lists / self.candidates))
        return max(least, (self.trees or 1) * num_results)


def is_count(value: object) -> bool:
    """Whether a JSON value is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _geometry(backend: str) -> dict[str, str]:
    metric = METRICS.get(backend)
    return {} if metric is None else {"metric": metric, "augmentation": AUGMENTATION}


_LISTED_PER_RESULT = 4

_KIND = {"backend", "metric", "augmentation"}
_REQUIRED_BY_INDEX = {"metric", "augmentation", "candidates", "search_k"}
_REQUIRED = {
    "annoy": _REQUIRED_BY_INDEX | {"trees", "deep_search_k"},
    "usearch": _REQUIRED_BY_INDEX,
    "faiss": _REQUIRED_BY_INDEX | {"lists", "largest_square", "deep_search_k"},
    "exact": {"candidates"},
}
_SHAPES: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("candidates", "search_k", "deep_search_k", "trees"), is_count),
    **dict.fromkeys(("connectivity", "expansion_add", "lists", "code_bytes"), is_count),
    "largest_square": _is_size,
    **dict.fromkeys(("recall_at_10", "recall_at_100"), _is_share),
}
