from itertools import permutations

import pytest

from service.recommending.title_rows import TitleRows

TITLES = ["It", "IT", "it", "It", "Straße", "Alone"]


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_a_title_is_that_of_the_first_in_order_spelt_so_and_else_of_the_first_in_any_case(
    order: tuple[int, ...],
) -> None:
    rows = TitleRows(TITLES, [*order, 4, 5])
    assert rows.find("It") == min((0, 3), key=order.index)
    assert (rows.find("IT"), rows.find("it")) == (1, 2)
    assert rows.find("iT") == order[0]
    assert (rows.find("STRASSE"), rows.find("alone"), rows.find("none")) == (4, 5, None)


def test_a_changed_title_is_found_and_the_former_one_is_not() -> None:
    rows = TitleRows(TITLES, range(6))
    titles = ["Twins", "IT", "it", "It", "Straße", "Alone", "ALONE"]
    over = rows.over(titles, range(7), ["It", "Twins", "ALONE"])
    assert (over.find("twins"), over.find("It"), over.find("iT")) == (0, 3, 1)
    assert (over.find("Alone"), over.find("ALONE"), over.find("aLONE")) == (5, 6, 5)
    assert rows.find("Twins") is None
