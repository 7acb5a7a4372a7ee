"""All public data sets by name."""

from __future__ import annotations

from benchmarks.public_data.book_sets import BOOK_SETS
from benchmarks.public_data.entertainment_sets import ENTERTAINMENT_SETS
from benchmarks.public_data.movie_sets import MOVIE_SETS
from benchmarks.public_data.place_sets import PLACE_SETS
from benchmarks.public_data.shop_sets import SHOP_SETS

PUBLIC_SETS = {
    public.name: public for public in (*MOVIE_SETS, *BOOK_SETS, *ENTERTAINMENT_SETS, *PLACE_SETS, *SHOP_SETS)
}
