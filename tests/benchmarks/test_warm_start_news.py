from synthetic_ratings import two_clusters

from benchmarks.warm_start import without_news


def test_news_are_the_last_tenth_by_time() -> None:
    table = two_clusters()
    before = without_news(table)
    assert len(before) == round(0.9 * len(table))
    newest = sorted(table.timestamps.tolist())[len(before) :]
    assert max(before.timestamps.tolist()) <= min(newest)
