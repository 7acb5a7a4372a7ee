import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from any_manifest import MANIFEST
from numpy.typing import NDArray

from service.bundle.manifest import Manifest
from service.bundle.rating_head import RATING_ARRAYS, RATING_HEAD_FILE, RatingHead
from service.errors import BundleInconsistent

CANDIDATES, EMBEDDING, RATING = 30, 3, 4


def write_head(directory: Path, **changes: Any) -> RatingHead:
    """Writes a head, changes its document, and opens it."""
    random = np.random.default_rng(0)

    def draw(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    RatingHead.write(
        directory,
        vectors=draw(CANDIDATES, RATING),
        biases=draw(CANDIDATES),
        confidences=draw(CANDIDATES),
        mean_stars=3.5,
        spread_stars=1.1,
        layers=[(draw(*shape), draw(shape[1])) for shape in ((5, 6), (6, 2), (2, 1))],
    )
    path = directory / RATING_HEAD_FILE
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | changes), encoding="utf-8")
    return RatingHead.open(directory, manifest_of(CANDIDATES))


def manifest_of(candidates: int) -> Manifest:
    index = replace(MANIFEST.index, candidates=candidates)
    return replace(MANIFEST, index=index, embedding_dimension=EMBEDDING, rating_scale=(1.0, 5.0))


def by_hand(directory: Path, state: NDArray[np.float32], row: int) -> float:
    """The formula of `service.bundle.rating_head`, in float64."""
    vectors, biases, confidences = (np.load(directory / path) for path in RATING_ARRAYS.values())
    head = json.loads((directory / RATING_HEAD_FILE).read_text(encoding="utf-8"))
    *vector, bias, confidence = state[EMBEDDING:].astype(float)
    product = vectors[row].astype(float) @ np.array(vector)
    predicted = bias + biases[row] + product
    if head["layers"]:
        values = np.array([bias, biases[row], product, confidences[row], confidence])
        for layer in head["layers"][:-1]:
            values = np.maximum(values @ np.array(layer["kernel"]) + layer["bias"], 0)
        predicted += (values @ np.array(head["layers"][-1]["kernel"]) + head["layers"][-1]["bias"])[0]
    return float(np.clip(head["mean_stars"] + head["spread_stars"] * predicted, 1, 5))


@pytest.mark.parametrize("changes", [{}, {"layers": []}])
def test_stars_are_those_of_the_contract_and_the_same_in_any_company(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    head = write_head(tmp_path, **changes)
    assert head.state_width == EMBEDDING + RATING + 2
    random = np.random.default_rng(1)
    states = random.normal(size=(7, head.state_width)).astype(np.float32)
    rows = [random.choice(CANDIDATES, length).astype(np.int32) for length in (3, 0, 1, 30, 2, 5, 9)]
    together = head.predict(states, rows)
    for state, asked, stars in zip(states, rows, together, strict=True):
        expected = [by_hand(tmp_path, state, row) for row in asked.tolist()]
        np.testing.assert_allclose(stars, expected, atol=1e-4)
        for row, rated in zip(asked, stars, strict=True):
            [alone] = head.predict(state[None], [np.array([row], np.int32)])
            assert alone.tolist() == [rated]
    assert head.predict(states[:0], []) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": [{"kernel": [[1.0]] * 4, "bias": [0.0]}]},
        {"layers": [{"kernel": [[1.0, 1.0]] * 5, "bias": [0.0, 0.0]}]},
        {"layers": [{"kernel": [[1.0]] * 5}]},
        {"layers": None},
        {"mean_stars": "three"},
    ],
)
def test_a_head_of_another_shape_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BundleInconsistent, match="head"):
        write_head(tmp_path, **changes)


def test_arrays_of_another_catalogue_are_refused(tmp_path: Path) -> None:
    write_head(tmp_path)
    with pytest.raises(BundleInconsistent, match="expected arrays of 31 candidates"):
        RatingHead.open(tmp_path, manifest_of(31))
