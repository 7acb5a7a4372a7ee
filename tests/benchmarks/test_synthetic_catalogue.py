from pathlib import Path

import numpy as np

from benchmarks.synthetic_catalogue import sample_like, write_users
from service.bundle.histories import Histories


def clusters() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Three tight clusters, far apart and of very different lengths."""
    random = np.random.default_rng(0)
    centres = np.array([[10, 0, 0], [0, 40, 0], [0, 0, 90]], np.float32)
    return np.repeat(centres, 20, axis=0) + random.normal(size=(60, 3)).astype(np.float32)


def test_samples_are_in_the_clusters_of_the_real_embeddings_and_fill_the_space_around() -> None:
    made = sample_like(clusters(), 3_000, seed=1)
    nearest = np.sqrt(((made[:, None] - clusters()) ** 2).sum(axis=2)).min(axis=1)
    assert made.shape == (3_000, 3)
    assert made.dtype == np.float32
    assert nearest.max() < 5
    assert len(np.unique(made, axis=0)) == 3_000
    shares = np.bincount(np.argmax(made, axis=1), minlength=3) / 3_000
    np.testing.assert_allclose(shares, 1 / 3, atol=0.05)
    centred = made[np.argmax(made, axis=1) == 0] - [10, 0, 0]
    assert np.linalg.matrix_rank(centred) == 3


def test_samples_are_reproducible_by_seed() -> None:
    np.testing.assert_array_equal(sample_like(clusters(), 50, seed=1), sample_like(clusters(), 50, seed=1))
    assert not np.array_equal(sample_like(clusters(), 50, seed=1), sample_like(clusters(), 50, seed=2))


def test_the_service_reads_the_written_histories(tmp_path: Path) -> None:
    seen = write_users(tmp_path, 120, 120, seed=0)
    histories = Histories.open(tmp_path, num_candidates=120)
    assert len(histories) == 120
    assert histories.of_user(7).rows.tolist() == seen[7].tolist()
    assert histories.user_row("42") is not None
