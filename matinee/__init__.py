"""Matinee: one command for training and the service, and functions for notebooks.

    import matinee

    ratings = matinee.load_ratings("path/to/ratings")
    model = matinee.fit(ratings)
    model.recommend(user_id="42")
    bundle = model.export("artifacts")

docs/notebook.ipynb shows all of them. They are imported at their first use: the service has none of training.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matinee.notebook import evaluate, fit, hyperparameters, load_ratings, open_bundle

__all__ = ["evaluate", "fit", "hyperparameters", "load_ratings", "open_bundle"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'matinee' has no attribute {name!r}")
    return getattr(import_module("matinee.notebook"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
