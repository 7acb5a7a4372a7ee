"""SASRec (Kang and McAuley 2018, arXiv:1808.09781) by RecTools. Runs in the baselines' environment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pytorch_lightning import seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

from training.evaluation.baselines.exchange import Answer, Task, answer

SETTINGS = {"n_factors": 128, "n_blocks": 2, "epochs": 20}
"""Those of the reference experiments; the rest are RecTools's defaults: 4 heads, the last 100 movies of a
user, softmax over all movies, dropout 0.2, batches of 128, Adam at 0.001."""


def encode(task: Task) -> Answer:
    """Fit; factors are the last hidden state of each user's sequence and the embeddings of the movies."""
    interactions = pd.DataFrame(
        {
            Columns.User: task.user_rows,
            Columns.Item: task.movie_rows,
            Columns.Weight: 1.0,
            Columns.Datetime: pd.to_datetime(task.timestamps, unit="s"),
        }
    )
    dataset = Dataset.construct(interactions)
    seed_everything(task.seed)
    model = SASRecModel(**SETTINGS, deterministic=True)
    model.fit(dataset)
    preparator = model.data_preparator
    to_encode = preparator.transform_dataset_u2i(dataset, np.unique(task.user_rows))
    loader = preparator.get_dataloader_recommend(to_encode, model.recommend_batch_size)
    # `recommend` ranks by these. Its own lists of the whole catalogue would be users times movies long.
    states, embeddings = model.lightning_model._get_user_item_embeddings(loader, "cpu")
    dimensions = embeddings.shape[1]
    users = np.full((task.num_users, dimensions), np.nan, np.float32)
    users[to_encode.user_id_map.external_ids.astype(np.int64)] = states.numpy()
    known = preparator.get_known_item_ids().astype(np.int64)
    movies = np.zeros((task.num_movies, dimensions), np.float32)
    movies[known] = embeddings.numpy()[preparator.get_known_items_sorted_internal_ids()]
    biases = np.full(task.num_movies, -np.inf, np.float32)
    biases[known] = 0
    return {"users": users, "movies": movies, "biases": biases}


if __name__ == "__main__":
    answer(encode)
