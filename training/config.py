"""Hyper-parameters of the model and of its training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

from training.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Hyper-parameters; the defaults are those of `fit`.

    The defaults were chosen on a validation part of the training rows, never on test rows (docs/model.md).

    Attributes:
        seed: Fixes initial weights and every random draw of training.
        embedding_dimension: Width of the retrieval embeddings before the candidate's bias is appended.
        rating_dimension: Width of the rating task's embeddings.
        layers: Dense layers at the end of each tower, ReLU on all but the last; the last one's width
            replaces `embedding_dimension`. Empty: the towers end in a sum of embeddings.
        rating_layers: Hidden widths of the rating task's MLP.
        max_history: The most recent movies of a history that a query reads.
        history_scales: Ages, in movies, at which a movie's weight in the history has fallen to a half;
            one pooled history for each.
        time_buckets: Quantile buckets of the training times, each with an embedding; 0: no time feature.
        use_history_times: Whether a query without a time gets the times of its history.
        use_history, use_content, use_user_id: Switch features off, for ablations.
        max_title_words: Size of the title vocabulary.
        epochs: Passes over all users; 0: as many as the data needs, see `training.model.adaptation`.
        batch_size: Users in a batch; 0: by their number, see there.
        learning_rate: Peak of AdamW's rate for batches of 32, which falls linearly to zero.
        weight_decay: AdamW's decoupled decay (Loshchilov and Hutter 2019, arXiv:1711.05101).
        retrieval_weight, rating_weight: Of the two losses in their sum.
        forward_share: Share of examples that look forward: everything up to a moment predicts what came
            after. The others predict a random subset of a history from the rest of it.
        cut_low, cut_high: Between which shares of a user's ratings that moment lies.
        history_dropout: Up to this share of what an example that looks forward reads is dropped, a new share
            for each example, so that few movies are understood as well as many.
        short_share: Share of the examples that look forward which read no more than the most recent 1 to
            `short_history` movies, as cold-start users send them.
        short_history: See `short_share`.
        hidden_low, hidden_high: Between which shares of a history the other examples hide and predict.
        user_dropout: Probability that a training example leaves out the user id.
        time_dropout: Probability that a training example leaves out the query's time.
        time_window: With its time, a query that does not look forward predicts at most this many of the
            hidden movies nearest to that time.
        user_weight_power: The weight of a user in the retrieval loss is (number of targets) to this power.
        empty_share: Share of examples that read nothing, as cold-start users who send nothing.
        popularity_scale: How much candidates' biases count for a long history; for an empty one it is 1.
        factor_scale: Multiplies the weights of EASE whose factors the item tables begin with; 0: they begin
            at random.
        added_factors: Columns of these factors that stand beside what is learned and count from the end of
            training on, for factors of all histories know what an example hides; 0: none.
        added_scale: Multiplies the weights that these columns stand for.
        history_normalization, movie_normalization: Exponents of lengths and counts by which histories and
            movies are divided before these factors are computed, see `WatchedSpectrum`.
        factor_regularization: Of these factors, as a multiple of its usual value.
        rating_emphasis: How much more watches count in them that are rated higher, see `watch_weights`.
        movie_bias_regularization, user_bias_regularization: Of the rating biases that training begins with,
            see `fit_biases`.
        retrieval_share: How much is kept of what training taught both towers beyond what they began with.
        rating_share: How much of what training taught the rating task beyond those biases is kept.
        use_trend: Whether popularity depends on time: in training that of the example, in the service that
            after the last rating.
        uniform_negatives: Random movies beside those of the batch, where the softmax is not over all.
        full_softmax_candidates: Up to this many movies the softmax runs over the whole catalogue, beyond
            it over the movies of the batch, with logQ correction.
    """

    seed: int = 42
    embedding_dimension: int = 64
    rating_dimension: int = 16
    layers: tuple[int, ...] = ()
    rating_layers: tuple[int, ...] = (16,)
    max_history: int = 512
    history_scales: tuple[float, ...] = (3.0, 20.0, 100.0)
    time_buckets: int = 1_000
    use_history_times: bool = False
    use_history: bool = True
    use_content: bool = True
    use_user_id: bool = True
    max_title_words: int = 10_000
    epochs: int = 0
    batch_size: int = 0
    learning_rate: float = 0.003
    weight_decay: float = 3.0
    retrieval_weight: float = 1.0
    rating_weight: float = 0.15
    forward_share: float = 1.0
    cut_low: float = 0.3
    cut_high: float = 0.95
    history_dropout: float = 0.7
    short_share: float = 0.15
    short_history: int = 10
    hidden_low: float = 0.1
    hidden_high: float = 0.9
    user_dropout: float = 0.5
    time_dropout: float = 0.5
    time_window: int = 8
    user_weight_power: float = 0.5
    empty_share: float = 0.1
    popularity_scale: float = 1.0
    factor_scale: float = 16.0
    added_factors: int = 0
    added_scale: float = 90.0
    history_normalization: float = 0.0
    movie_normalization: float = 0.0
    factor_regularization: float = 1.0
    rating_emphasis: float = 0.0
    movie_bias_regularization: float = 10.0
    user_bias_regularization: float = 5.0
    retrieval_share: float = 1.0
    rating_share: float = 1.0
    use_trend: bool = False
    uniform_negatives: int = 2_000
    full_softmax_candidates: int = 20_000

    def __post_init__(self) -> None:
        """Refuse values that cannot train.

        Raises:
            ConfigurationError: Names the field, its value and what was expected.
        """
        sizes = ("embedding_dimension", "rating_dimension", "max_history", "max_title_words")
        regularization = ("movie_bias_regularization", "user_bias_regularization", "factor_regularization")
        for name in (*sizes, *regularization, "learning_rate", "time_window", "short_history"):
            self._require(getattr(self, name) > 0, name, "above 0")
        counts = ("epochs", "batch_size", "time_buckets", "uniform_negatives", "added_factors")
        weights = ("retrieval_weight", "rating_weight", "weight_decay", "factor_scale", "added_scale")
        for name in (*counts, *weights):
            self._require(getattr(self, name) >= 0, name, "at least 0")
        normalization = ("history_normalization", "movie_normalization")
        dropouts = ("history_dropout", "user_dropout", "time_dropout")
        shares = ("forward_share", "short_share", "empty_share", "popularity_scale", "rating_emphasis")
        for name in (*dropouts, *shares, *normalization, "retrieval_share", "rating_share"):
            self._require(0 <= getattr(self, name) <= 1, name, "from 0 to 1")
        self._require(0 <= self.seed < 2**32, "seed", "from 0 to 4294967295, as Keras wants it")
        for name in ("layers", "rating_layers", "history_scales"):
            self._require(all(value > 0 for value in getattr(self, name)), name, "made of values above 0")
        self._require(len(self.history_scales) > 0, "history_scales", "at least one scale")
        for low in ("cut", "hidden"):
            ascending = 0 < getattr(self, f"{low}_low") <= getattr(self, f"{low}_high") < 1
            self._require(ascending, f"{low}_low", f"above 0 and at most {low}_high, under 1")
        without_start = self.retrieval_share < 1 and len(self.layers) > 0
        self._require(not without_start, "retrieval_share", "1 where there are layers")
        self._require(
            self.retrieval_weight + self.rating_weight > 0,
            "rating_weight",
            "above 0 where retrieval_weight is 0",
        )

    def _require(self, holds: bool, name: str, expected: str) -> None:
        if not holds:
            raise ConfigurationError(f"{name} must be {expected}, got {getattr(self, name)!r}")

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON values, for the manifest."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> TrainingConfig:
        """Read what `to_document` wrote.

        Raises:
            ConfigurationError: A name is unknown, or a value cannot be used.
        """
        kinds = {field.name: str(field.type) for field in fields(cls)}
        unknown = document.keys() - kinds.keys()
        if unknown:
            raise ConfigurationError("; ".join(_unknown(name, list(kinds)) for name in sorted(unknown)))
        return cls(**{name: _as_declared(name, kinds[name], value) for name, value in document.items()})


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    lead = f"did you mean {near[0]}?" if near else "`matinee hyperparameters` lists those there are"
    return f"unknown hyper-parameter {name!r}, {lead}"


def _as_declared(name: str, kind: str, value: Any) -> Any:
    """Convert a JSON value to the type of its field."""
    element = kind.removeprefix("tuple[").removesuffix(", ...]")
    if element != kind and isinstance(value, list | tuple):
        return tuple(_as_declared(name, element, one) for one in value)
    expected = {"bool": "true or false", "int": "a whole number", "float": "a number"}[element]
    if element != kind:
        raise ConfigurationError(f"{name} must be a list, each {expected}, got {value!r}")
    # By `type`, because true and false are instances of int.
    if element == "float" and type(value) is int:
        return float(value)
    if type(value).__name__ != element:
        raise ConfigurationError(f"{name} must be {expected}, got {value!r}")
    return value


PRESETS: dict[str, dict[str, Any]] = {
    "forward": {},
    "interpolation": {
        "forward_share": 0.0,
        "embedding_dimension": 128,
        "history_scales": (2.0, 1_000.0),
        "use_history_times": True,
        "hidden_low": 0.2,
        "hidden_high": 0.5,
        "empty_share": 0.0,
        "factor_scale": 0.0,
        "added_factors": 32,
        "history_normalization": 0.25,
        "movie_normalization": 0.25,
        "factor_regularization": 3.0,
        "learning_rate": 0.002,
        "user_dropout": 0.2,
        "time_dropout": 0.7,
        "rating_weight": 0.1,
        "batch_size": 64,
        "epochs": 60,
    },
}
"""What `--preset` sets before single options do: `forward`, the default, predicts what comes next;
`interpolation` predicts what was hidden at random, as the random split measures."""
