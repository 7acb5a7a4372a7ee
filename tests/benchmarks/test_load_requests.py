from collections import Counter
from itertools import islice

from benchmarks.load.inventory import Inventory
from benchmarks.load.plan import KINDS
from benchmarks.load.requests import MixedRequest, mixed_requests
from service.schemas.ratings import RatingBody
from service.schemas.recommend import RecommendBody

INVENTORY = Inventory("b", ("ann", "bob"), tuple("123456789"), ("Drama", "Horror"), (1979, 1995))


def some(seed: str, mix: tuple[float, ...] = (50, 20, 10, 20)) -> list[MixedRequest]:
    return list(islice(mixed_requests(INVENTORY, mix, seed), 2_000))


def test_requests_are_reproducible_by_seed() -> None:
    assert some("1") == some("1")
    assert some("1") != some("2")


def test_kinds_occur_in_the_shares_of_the_mix() -> None:
    counts = Counter(kind for kind, _ in some("1"))
    for kind, share in enumerate((0.5, 0.2, 0.1, 0.2)):
        assert abs(counts[kind] / 2_000 - share) < 0.04
    assert {kind for kind, _ in some("1", (0, 0, 0, 1))} == {KINDS.index("rating")}


def test_every_request_is_valid() -> None:
    for _, call in some("1"):
        schema = RecommendBody if call.path == "/recommend" else RatingBody
        schema.model_validate(call.body)


def test_a_catalogue_without_genres_and_years_works_too() -> None:
    bare = Inventory("b", ("ann",), ("1",), (), ())
    kinds = {kind for kind, _ in islice(mixed_requests(bare, (1, 1, 1, 1), "1"), 100)}
    assert kinds == {0, 1, 2, 3}
