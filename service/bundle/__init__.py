"""The contract between training, which writes bundles, and the service, which reads them.

A bundle is a directory `<artifacts>/<bundle_id>/`:

manifest.json   `service.bundle.manifest.Manifest`, written last
model/          one SavedModel with the signatures `query_state`, `embed_query`, `predict_rating`,
                `serving_default`
candidates.npy  float32 `[num_candidates, embedding_dimension]`; a score is a row's dot product with a query
candidates.ann  Annoy, metric angular, over the same rows augmented by one coordinate (`INDEX_AUGMENTATION`)
                or candidates.usearch, a graph over the same vectors (`INDEX_FILES`)
ratings/        what turns a query's state into stars (`RATING_ARRAYS`, `RATING_HEAD_FILE`)
catalogue.json  columns by candidate row: `movie_ids`, `titles`, `genres` (lists), `years` (null where not
                known), `num_ratings`
histories/      what each user rated, oldest first, as CSR arrays (`HISTORY_ARRAYS`)
golden.json     `GoldenRequests`: requests with the answers that training computed exactly
report/         pages for people; listed in the manifest like everything else

Beside the bundles, `CURRENT` is a text file: the live bundle's directory name and a newline; `PREVIOUS` names
the one that was live before it (`service.bundle.current`). Whatever beside them begins with a dot is no
bundle: something half-written, half-removed, or a lock.

The signatures `query_state`, `embed_query` and `predict_rating` take the same query arguments, built by
`service.bundle.query_encoding`:
`user_rows` int32 `[B]` (position in the bundle's users, `NO_ROW` for a cold-start user),
`timestamps` int64 `[B]` (Unix seconds, `NO_TIMESTAMP` for a query without a time),
`history_lengths` int32 `[B]` (movies of each history) and, the histories one after another,
`[sum of lengths]`,
`history_rows` int32 (candidate rows, oldest first),
`history_ratings` float32 (stars, NaN where not rated),
`history_timestamps` int64 (Unix seconds, `NO_TIMESTAMP` where not known).

`embed_query` returns `query_embeddings` float32 `[B, embedding_dimension]`. `predict_rating` takes
`candidate_rows` int32 `[B, K]` as well and returns `ratings` float32 `[B, K]`, stars clipped to the scale.
`query_state`, which the service calls, returns all that scores and ratings need of a query: `query_states`
float32 `[B, S]`, S = embedding_dimension + rating_dimension + 2: the query embedding as `embed_query` returns
it, the rating vector, the rating bias and the rating confidence. The stars that `predict_rating` returns for
a movie are then

predicted = query's bias + movie's bias + rating vector . movie's vector
            + MLP(query's bias, movie's bias, that dot product, movie's confidence, query's confidence)
stars     = mean_stars + spread_stars * predicted, clipped to the scale

The MLP has the layers of `RATING_HEAD_FILE`: values @ kernel + bias, ReLU on all but the last, which has one
output; without layers it is 0.

This package and `service.errors` are the contract. They need the standard library only, so that both sides,
and any script, can import them.
"""

from __future__ import annotations

from typing import TypedDict

NO_ROW = -1
NO_TIMESTAMP = -(2**63)

CURRENT_FILE = "CURRENT"
PREVIOUS_FILE = "PREVIOUS"
MANIFEST_FILE = "manifest.json"
MODEL_DIRECTORY = "model"
CANDIDATES_FILE = "candidates.npy"
INDEX_FILE = "candidates.ann"
USEARCH_FILE = "candidates.usearch"
INDEX_FILES = {"annoy": INDEX_FILE, "usearch": USEARCH_FILE}
"""By the manifest's `index["backend"]`."""

CATALOGUE_FILE = "catalogue.json"
GOLDEN_FILE = "golden.json"
REPORT_DIRECTORY = "report"
REPORT_PAGE = f"{REPORT_DIRECTORY}/index.html"

INDEX_AUGMENTATION = "sqrt(M^2 - |x|^2)"
"""Candidates x become [x, sqrt(M^2 - |x|^2)] with M the largest norm, queries q become [q, 0]: the angle
then orders as the dot product does (Bachrach et al. 2014, https://doi.org/10.1145/2645710.2645741)."""

HISTORY_ARRAYS = {
    "user_id_bytes": "histories/user_id_bytes.npy",  # uint8: all user ids in UTF-8, one after another
    "user_id_offsets": "histories/user_id_offsets.npy",  # int64 [num_users + 1] into it; ids ascend by bytes
    "offsets": "histories/offsets.npy",  # int64 [num_users + 1] into the arrays below
    "movie_rows": "histories/movie_rows.npy",  # int32 [num_ratings], candidate rows
    "ratings": "histories/ratings.npy",  # float32 [num_ratings], stars
    "timestamps": "histories/timestamps.npy",  # int64 [num_ratings], Unix seconds, ascending by user
}

RATING_HEAD_FILE = "ratings/head.json"
"""`mean_stars`, `spread_stars` and `layers`, a list of objects with `kernel` (lists of lists) and `bias`."""

RATING_ARRAYS = {
    "vectors": "ratings/vectors.npy",  # float32 [num_candidates, rating_dimension]
    "biases": "ratings/biases.npy",  # float32 [num_candidates]
    "confidences": "ratings/confidences.npy",  # float32 [num_candidates]
}


class HistoryEntry(TypedDict):
    """One movie of a history sent with a request; `rating` is null where there was none."""

    movie_id: str
    rating: float | None


class GoldenItem(TypedDict):
    """One recommended movie of a golden answer."""

    movie_id: str
    score: float
    predicted_rating: float


class GoldenRecommendation(TypedDict):
    """A request to recommend and its exact answer."""

    user_id: str | None
    history: list[HistoryEntry]
    timestamp: int | None
    k: int
    exclude_seen: bool
    source: str
    items: list[GoldenItem]


class GoldenRating(TypedDict):
    """A request to predict one rating and its answer in stars."""

    user_id: str | None
    history: list[HistoryEntry]
    timestamp: int | None
    movie_id: str
    predicted_rating: float


class GoldenRequests(TypedDict):
    """`golden.json`."""

    recommend: list[GoldenRecommendation]
    predict_rating: list[GoldenRating]
