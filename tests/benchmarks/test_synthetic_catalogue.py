from pathlib import Path

import numpy as np

from benchmarks.synthetic_catalogue import like, write_users
from service.bundle.histories import Histories


def clusters() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Three tight clusters far from each other, of very different lengths."""
    random = np.random.default_rng(0)
    centres = np.array([[10, 0, 0], [0, 40, 0], [0, 0, 90]], np.float32)
    return np.repeat(centres, 20, axis=0) + random.normal(size=(60, 3)).astype(np.float32)


def test_embeddings_lie_in_the_clusters_of_the_real_ones_and_fill_the_space_around_them() -> None:
    made = like(clusters(), 3_000, seed=1)
    nearest = np.sqrt(((made[:, None] - clusters()) ** 2).sum(axis=2)).min(axis=1)
    assert made.shape == (3_000, 3)
    assert made.dtype == np.float32
    assert nearest.max() < 5
    assert len(np.unique(made, axis=0)) == 3_000
    shares = np.bincount(np.argmax(made, axis=1), minlength=3) / 3_000
    np.testing.assert_allclose(shares, 1 / 3, atol=0.05)
    centred = made[np.argmax(made, axis=1) == 0] - [10, 0, 0]
    assert np.linalg.matrix_rank(centred) == 3


def test_a_seed_gives_the_same_embeddings() -> None:
    np.testing.assert_array_equal(like(clusters(), 50, seed=1), like(clusters(), 50, seed=1))
    assert not np.array_equal(like(clusters(), 50, seed=1), like(clusters(), 50, seed=2))


def test_users_are_histories_that_the_service_reads(tmp_path: Path) -> None:
    seen = write_users(tmp_path, 120, seed=0)
    histories = Histories.open(tmp_path, num_candidates=120)
    assert len(histories) == 120
    assert histories.of_user(7).rows.tolist() == seen[7].tolist()
    assert histories.user_row("42") is not None
