from pathlib import Path
from typing import Any

import pytest

from service.bundle.index_description import IndexDescription
from service.errors import BundleError, BundleInconsistent, ManifestCorrupt

MANIFEST = Path("manifest.json")
ANNOY: dict[str, Any] = {
    "backend": "annoy",
    "metric": "angular",
    "augmentation": "sqrt(M^2 - |x|^2)",
    "trees": 20,
    "candidates": 1000,
    "search_k": 4000,
    "recall_at_10": 0.992,
    "deep_search_k": 5000,
    "recall_at_100": 1,
}
USEARCH: dict[str, Any] = {
    "backend": "usearch",
    "metric": "ip",
    "augmentation": "sqrt(M^2 - |x|^2)",
    "connectivity": 16,
    "expansion_add": 128,
    "search_k": 64,
    "candidates": 1000,
    "recall_at_10": 0.99,
    "recall_at_100": 0.99,
}
"""As bundles of schema version 2 have them."""
FAISS: dict[str, Any] = {
    "backend": "faiss",
    "metric": "ip",
    "augmentation": "sqrt(M^2 - |x|^2)",
    "lists": 128,
    "code_bytes": 33,
    "largest_square": 9.75,
    "search_k": 8,
    "deep_search_k": 16,
    "candidates": 1000,
    "recall_at_10": 0.99,
    "recall_at_100": 0.99,
}
EXACT: dict[str, Any] = {"backend": "exact", "candidates": 1000, "recall_at_10": 1, "recall_at_100": 1}


@pytest.mark.parametrize(
    "document", [ANNOY, USEARCH, FAISS, EXACT], ids=["annoy", "usearch", "faiss", "exact"]
)
def test_what_a_manifest_says_comes_back_as_it_was(document: dict[str, Any]) -> None:
    description = IndexDescription.from_document(document, MANIFEST)
    assert description.to_document() == document
    assert description.backend == document["backend"]


@pytest.mark.parametrize(
    ("document", "optional"),
    [
        (ANNOY, {"recall_at_10", "recall_at_100"}),
        (USEARCH, {"recall_at_10", "recall_at_100", "connectivity", "expansion_add"}),
        (FAISS, {"recall_at_10", "recall_at_100", "code_bytes"}),
        (EXACT, {"recall_at_10", "recall_at_100"}),
    ],
    ids=["annoy", "usearch", "faiss", "exact"],
)
def test_every_field_that_a_search_needs_must_be_there(document: dict[str, Any], optional: set[str]) -> None:
    for name in document.keys() - {"backend"}:
        rest = {other: value for other, value in document.items() if other != name}
        if name in optional:
            assert IndexDescription.from_document(rest, MANIFEST).to_document() == rest
        else:
            with pytest.raises(BundleInconsistent, match=rf"lacks \['{name}'\]"):
                IndexDescription.from_document(rest, MANIFEST)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"backend": "scann"},
            BundleInconsistent,
            "expected an index backend annoy, usearch, faiss or exact, got 'scann'",
        ),
        ({"backend": ["annoy"]}, BundleInconsistent, "expected an index backend"),
        ({"metric": "dot"}, BundleInconsistent, "expected index metric 'angular', got 'dot'"),
        ({"metric": "ip"}, BundleInconsistent, "expected index metric 'angular', got 'ip'"),
        ({"augmentation": "none"}, BundleInconsistent, "expected index augmentation .* got 'none'"),
        ({"surplus": 1}, ManifestCorrupt, r"unknown fields \['surplus'\]"),
        *(
            ({name: value}, ManifestCorrupt, rf"malformed fields \['{name}'\]")
            for name in (
                *("candidates", "search_k", "deep_search_k", "trees"),
                *("connectivity", "expansion_add", "lists", "code_bytes"),
            )
            for value in ("100", 100.0, 0, -1, True, None)
        ),
        *(
            ({name: value}, ManifestCorrupt, rf"malformed fields \['{name}'\]")
            for name in ("recall_at_10", "recall_at_100")
            for value in ("1", -0.01, 1.01, True, None)
        ),
    ],
)
def test_what_is_no_description_of_an_index_is_refused(
    changes: dict[str, Any], error: type[BundleError], message: str
) -> None:
    with pytest.raises(error, match=rf"^manifest\.json: .*{message}"):
        IndexDescription.from_document(ANNOY | changes, MANIFEST)


def test_a_graph_is_searched_by_its_own_metric() -> None:
    with pytest.raises(BundleInconsistent, match="expected index metric 'ip', got 'angular'"):
        IndexDescription.from_document(USEARCH | {"metric": "angular"}, MANIFEST)


@pytest.mark.parametrize("document", [None, [ANNOY], "annoy"])
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(ManifestCorrupt, match="expected index to be an object"):
        IndexDescription.from_document(document, MANIFEST)


def test_a_query_takes_the_measured_effort_and_never_less_than_annoys_default() -> None:
    annoy = IndexDescription.from_document(ANNOY, MANIFEST)
    assert annoy.search_k_for(40) == 4000
    assert annoy.search_k_for(40, deep=True) == 5000
    assert annoy.search_k_for(400, deep=True) == 8000
    assert annoy.search_k_for(400) == 8000


def test_a_graph_that_was_measured_at_one_depth_takes_its_effort_at_both() -> None:
    usearch = IndexDescription.from_document(USEARCH, MANIFEST)
    assert usearch.search_k_for(40) == usearch.search_k_for(40, deep=True) == 64
    assert usearch.search_k_for(400) == 400


def test_so_many_lists_are_searched_that_they_have_four_times_as_many_as_wanted_on_average() -> None:
    faiss = IndexDescription.from_document(FAISS, MANIFEST)
    assert (faiss.search_k_for(10), faiss.search_k_for(10, deep=True)) == (8, 16)
    assert faiss.search_k_for(100) == 52  # of 7.8 candidates each


@pytest.mark.parametrize("value", ["9", -1, True, None, float("inf"), float("nan")])
def test_the_largest_square_is_a_length(value: object) -> None:
    with pytest.raises(ManifestCorrupt, match=r"malformed fields \['largest_square'\]"):
        IndexDescription.from_document(FAISS | {"largest_square": value}, MANIFEST)


def test_where_there_is_no_index_none_is_searched() -> None:
    exact = IndexDescription.from_document(EXACT, MANIFEST)
    assert exact.search_k_for(1) is exact.search_k_for(1, deep=True) is None


def test_an_index_is_not_searched_for_half_of_the_candidates_or_more() -> None:
    annoy = IndexDescription.from_document(ANNOY, MANIFEST)
    assert annoy.search_k_for(499) == 9980
    assert annoy.search_k_for(500) is None
