"""A bundle as the service has it, with the answers that apps would get."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import RequestError
from service.loading import load_recommender
from service.recommending.queries import MovieFilter, Query, RatingQuery, RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings


@dataclass(frozen=True, eq=False)
class OpenedBundle:
    """A verified bundle; its answers are those of the HTTP API, as dictionaries."""

    recommender: Recommender

    @classmethod
    def open(cls, directory: Path) -> OpenedBundle:
        """Verify and load a bundle.

        Raises:
            BundleError: Its subclass and message say which file is wrong, and how.
        """
        return cls(load_recommender(directory.absolute(), Settings()))

    @property
    def measures(self) -> dict[str, Any]:
        """What was measured before the export, of the manifest; empty where nothing was."""
        return dict(self.recommender.manifest.metrics or {})

    def recommend(self, **fields: Any) -> dict[str, Any]:
        """Answer as `POST /recommend`, whose fields these are, such as `user_id="42"` and `k=5`.

        Raises:
            RequestError: A movie of the history is not in the bundle, and `strict` is set.
        """
        if isinstance(fields.get("filter"), dict):
            fields["filter"] = MovieFilter(**fields["filter"])
        query = RecommendQuery(**fields)
        return self._encoded(query, self.recommender.recommend(query))

    def predict_rating(self, **fields: Any) -> dict[str, Any]:
        """Answer as `POST /predict_rating`, such as of `user_id="42"` and `movie_id="97"`.

        Raises:
            RequestError: No movie has the id or title.
        """
        query = RatingQuery(**fields)
        return self._encoded(query, self.recommender.predict_rating(query))

    def _encoded(self, query: Query, answer: Any) -> dict[str, Any]:
        [encoded] = self.recommender.encoder.encode([query], [answer])
        if isinstance(encoded, RequestError):
            raise encoded
        document: dict[str, Any] = json.loads(encoded)
        return document
