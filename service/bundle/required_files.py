"""The files that a bundle must have, as each format's module names them."""

from __future__ import annotations

from service.bundle import candidate_index, catalogue, golden_requests, histories, rating_head, saved_model
from service.bundle.index_description import IndexDescription

_FORMATS = (candidate_index, catalogue, golden_requests, histories, rating_head, saved_model)


def required_files(index: IndexDescription) -> set[str]:
    """POSIX paths inside a bundle with such an index; its manifest must list them, and may list more."""
    index_files = {name for backend, name in candidate_index.INDEX_FILES.items() if backend == index.backend}
    return index_files | {name for each in _FORMATS for name in each.FILES}
