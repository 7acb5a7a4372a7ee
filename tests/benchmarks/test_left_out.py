from benchmarks.left_out import left_out_table


def test_the_variant_is_chosen_on_the_others_and_compared_on_the_set_itself() -> None:
    qualities = {
        "books": {"as it is": 0.0, "more": 0.1, "less": -0.1},
        "shops": {"as it is": 0.0, "more": -0.2, "less": 0.05},
        "music": {"as it is": 0.0, "more": 0.3, "less": -0.3},
    }
    _, _, books, shops, music = left_out_table(qualities).splitlines()
    # Books: the others' mean of `more` is 0.05, of `less` -0.125; e^0.1 - 1 is 10.5 %.
    assert books == "| books | more | +10.5% | more | +10.5% |"
    assert shops == "| shops | more | -18.1% | less | +5.1% |"
    # Music: `more` has -0.05 and `less` -0.025, so the defaults stay.
    assert music == "| music | as it is | +0.0% | more | +35.0% |"
