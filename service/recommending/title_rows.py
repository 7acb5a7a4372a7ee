"""Find the movie that has a title, whatever the case in which it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class TitleRows:
    """Rows of movies by title; where several movies have one, that of the first in order.

    Args:
        titles: By row.
        rows: Every row, those first that are preferred.
    """

    def __init__(self, titles: Sequence[str], rows: Sequence[int]) -> None:
        self._titles = titles
        self._by_folded: dict[str, int] = {}
        # Only titles that differ from another one in nothing but case: most are not kept twice.
        self._by_title: dict[str, int] = {}
        self._add(rows)

    def find(self, title: str) -> int | None:
        """The row of a movie with this title, else of one whose title differs in case; None for none."""
        row = self._by_title.get(title)
        return self._by_folded.get(title.casefold()) if row is None else row

    def over(self, titles: Sequence[str], rows: Sequence[int], changed: Iterable[str]) -> TitleRows:
        """The same where some titles are others.

        Args:
            titles: By row, all of them.
            rows: Every row, those first that are preferred.
            changed: Titles that movies got, and those that they had before.
        """
        folded = {title.casefold() for title in changed}
        other = TitleRows(titles, ())
        other._by_folded = {key: row for key, row in self._by_folded.items() if key not in folded}
        other._by_title = {
            title: row for title, row in self._by_title.items() if title.casefold() not in folded
        }
        other._add([row for row in rows if titles[row].casefold() in folded])
        return other

    def _add(self, rows: Sequence[int]) -> None:
        # Backwards, so that of equals the first is the one that stays.
        for row in reversed(rows):
            title = self._titles[row]
            key = title.casefold()
            former = self._by_folded.get(key)
            if former is not None and self._titles[former] != title:
                self._by_title[self._titles[former]] = former
                self._by_title[title] = row
            elif title in self._by_title:
                self._by_title[title] = row
            self._by_folded[key] = row
