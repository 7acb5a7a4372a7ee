"""Ridge regression on content, against its closed form."""

import numpy as np
import pytest

from training.model.content_regression import fit_content, smearing
from training.model.features import FeatureBags


def test_it_is_ridge_regression_about_the_weighted_mean() -> None:
    random = np.random.default_rng(0)
    groups = [[[f"w{each}" for each in random.choice(12, 3, replace=False)]] for _ in range(40)]
    bags = FeatureBags.from_groups(groups)
    values = random.normal(size=(40, 3)).astype(np.float32)
    trust = random.uniform(0.1, 1, 40).astype(np.float32)
    fitted = fit_content(bags, values, trust, penalty=0.7)
    features = np.zeros((40, 12))
    for row, group in enumerate(groups):
        features[row, [bags.names.index(name) for name in group[0]]] = 3**-0.5
    mean = (trust[:, None] * values).sum(axis=0) / trust.sum()
    left = features.T @ (trust[:, None] * features) + 0.7 * np.eye(12)
    expected = np.linalg.solve(left, features.T @ (trust[:, None] * (values - mean)))
    np.testing.assert_allclose(fitted.mean, mean, atol=1e-6)
    np.testing.assert_allclose(fitted.weights, expected, atol=1e-3)


@pytest.mark.parametrize("groups", [[[[]], [[]]], [[["a"]], [[]]]])
def test_without_content_or_differences_there_is_the_mean(groups: list[list[list[str]]]) -> None:
    bags = FeatureBags.from_groups(groups)
    fitted = fit_content(bags, np.full((2, 2), 3, np.float32), np.ones(2, np.float32))
    np.testing.assert_array_equal(fitted.mean, [3, 3])
    np.testing.assert_array_equal(fitted.weights, np.zeros_like(fitted.weights))


def test_movies_left_out_are_raised_to_be_as_popular_together_as_they_are() -> None:
    """Logs that content says nothing of are log-normal about their mean: raised by half their variance."""
    random = np.random.default_rng(1)
    bags = FeatureBags.from_groups([[[f"w{each}"]] for each in random.integers(20, size=20_000)])
    by_word = random.normal(size=20)
    of_words = by_word[bags.rows[:, 0]]
    for spread in (0.0, 1.0):
        logs = (of_words + spread * random.normal(size=20_000)).astype(np.float32)
        raised = smearing(bags, logs)
        assert raised == pytest.approx(spread**2 / 2, abs=0.05)


def test_of_few_movies_nothing_is_raised() -> None:
    bags = FeatureBags.from_groups([[["a"]]] * 4)
    assert smearing(bags, np.array([0, 1, 2, 9], np.float32)) == 0
