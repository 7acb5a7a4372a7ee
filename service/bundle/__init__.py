"""Bundles: what training writes and the service reads. Each file has one module, its write beside its open.

A bundle is a directory `<artifacts>/<bundle_id>/`:

manifest.json                            `manifest`, written last; its `index` is an `index_description`
model/                                   `saved_model`: one SavedModel and its signatures
candidates.npy                           `candidate_index`: the candidates' embeddings
candidates.ann, .usearch or .faiss       `annoy_index`, `usearch_index`, `faiss_index`: over the same rows
ratings/                                 `rating_head`: turns a query state into stars; none without ratings
catalogue.json                           `catalogue`: the movies by candidate row
histories/                               `histories`: what each user rated
query_states.npy                         `stored_states`: what the model makes of users; not in older ones
golden.json                              `golden_requests`: requests with their exact answers
report/                                  `report`: pages for people, which the manifest lists too

Beside the bundles, `CURRENT` names the live bundle and `PREVIOUS` the one that was live before (`current`).
Whatever beside them begins with a dot is no bundle: something half-written, half-removed, or a lock.

All formats go through `json_files` and `array_files`, which never pickle. This module, `manifest`,
`index_description`, `json_files`, `checksums`, `current`, `disk`, `locks` and `report` need the standard
library only: the command line and the process that starts the workers use them without numpy.
"""

from __future__ import annotations

NO_ROW = -1
"""In place of a row: an unknown user."""

NO_TIMESTAMP = -(2**63)
"""In place of Unix seconds: a time that is not known, or a time-agnostic query."""
