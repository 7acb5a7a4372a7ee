"""What the words of a report mean, in a sentence each; docs/evaluation.md has the formulas."""

from __future__ import annotations

DEFINITIONS = {
    "held-out rating": "a rating that was kept from training, to see whether the model foresees it",
    "baseline": "a simpler recommender, measured on the same held-out ratings",
    "hit rate@K": "share of held-out ratings whose movie is among the first K of the user's list",
    "NDCG@10": "how early in a list of ten the movies stand that the user then watched; 1 is best",
    "recall@20": "share of what a user went on to watch that the first twenty hold, mean over users",
    "top-100 accuracy": "as hit rate@100, where movies that the user has seen may stand in the list too",
    "RMSE": "by how many stars predicted ratings are off (root of the mean square); less is better",
    "row's own time": "the same, with the time of each rating as input",
    "95 %": "the interval that the true difference lies in, with a probability of 95 %; if 0 is outside, the "
    "difference is not by chance. The best figure of a row is bold where that holds",
    "split": "which ratings were held out: temporal, the last ones of each user; global, all after a moment; "
    "random, any",
    "cold-start user": "a user without ratings in the training data",
    "coverage": "share of the catalogue that is in the list of ten of at least one user",
    "novelty": "how seldom rated the movies of the lists are, in bits; one more is half as often",
    "Gini": "how unequally often movies are in lists: 0 all alike, near 1 a few movies only",
    "diversity": "how different the genres of the movies of a list are, 0 to 1, mean over lists",
    "calibration": "whether predicted stars are right on average: means of both, in bins by prediction",
}
"""By term, in the order of the page."""
