"""Columns that nothing can be learned from (identifiers, free text), noticed by their values.

They are left out of the model and carried along: tables that keep their rows keep these columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

IDENTIFIER, FREE_TEXT, DECLARED = "identifier", "free text", "declared an identifier"

MIN_ROWS = 100  # below, values may all differ by accident
MAX_SEEN = 100_000  # values that are compared with one another; what differs until there is taken to go on so
MIN_SHARE_DIFFERENT = 0.95  # of an identifier's texts
MAX_GAPS = 4  # times the rows that the range of an identifier may have: n values out of 4 n all differ by chance with
# probability exp(-n / 8), the birthday bound, which is 4e-6 from 100 rows on
MIN_WORDS = 4.0  # of a free text, on average
MIN_SHARE_OF_FREE_TEXTS, MIN_FREE_TEXTS = 0.5, 20  # that differ
MAX_NAMED = 5
NAMES = re.compile(r"(^|[^a-z])(id|ids|uid|uuid|guid|key|index|idx)($|[^a-z])|[a-z](Id|ID|Key|Index)($|[^a-z])")


@dataclass(frozen=True)
class LeftOut:
    """A column that is carried along: its name, its place at fit, and why nothing is learned of it."""

    name: str
    place: int
    why: str


@dataclass
class Differences:
    """Whether the numbers of a column all differ, rise, or count the rows, over chunks of any number."""

    n: int = 0
    all_differ: bool = True
    rising: bool = True
    running: bool = True  # each number is the one before plus 1, and none is missing
    _last: float | None = None
    _seen: np.ndarray = field(default_factory=lambda: np.array([]))

    def add(self, numbers: np.ndarray, complete: bool) -> None:
        """Numbers (N,) float64, at least one, all known; `complete` says that none was missing between them."""
        follows = self._last is None or numbers[0] == self._last + 1
        rises = self._last is None or numbers[0] > self._last
        steps = np.diff(numbers)
        self.running &= complete and bool(follows) and bool((steps == 1).all())
        self.rising &= bool(rises) and bool((steps > 0).all())
        if self.all_differ and not self.rising and self.n < MAX_SEEN:
            seen = np.concatenate([self._seen, numbers[: MAX_SEEN - self.n]])
            levels = np.unique(seen)
            self.all_differ, self._seen = len(levels) == len(seen), levels
        elif self.rising and self.n < MAX_SEEN:
            self._seen = np.concatenate([self._seen, numbers[: MAX_SEEN - self.n]])
        self.n += len(numbers)
        self._last = float(numbers[-1])


def is_identifier(name: str, found: Differences, spread: float, rows: int) -> bool:
    """Whether whole numbers, one in every row, tell rows apart rather than measure something.

    They all differ, and count the rows, lie as dense as numbers of rows of which some are missing, or are called an
    identifier.
    """
    if found.n < max(MIN_ROWS, rows) or not found.all_differ:
        return False
    return found.running or spread < MAX_GAPS * found.n or NAMES.search(name) is not None


def of_texts(n_different: int, n_compared: int, n_words: int, n_texts: int, most: int) -> str | None:
    """Why nothing is learned of a column of texts; None for categories.

    Parameters
    ----------
    n_different, n_compared : texts that differ, out of so many.
    n_words, n_texts : words in all texts, and their number.
    most : texts that may differ.
    """
    share, words = n_different / n_compared, n_words / n_texts
    if n_different >= MIN_FREE_TEXTS and share >= MIN_SHARE_OF_FREE_TEXTS and words >= MIN_WORDS:
        return FREE_TEXT
    if n_compared >= MIN_ROWS and share >= MIN_SHARE_DIFFERENT:
        return IDENTIFIER
    return f"more than {most:,} different texts" if n_different > most else None


def remedy_for(name: str, orders: Sequence[str]) -> str | None:
    """What is to be said of dates that may begin with the day or the month; None where texts are not such dates."""
    options = [f"{order.replace('-', '_')}={[name]!r}" for order in orders]
    given = " or ".join(f"modality=Tables({option})" for option in options)
    return f"dates; give {given} to have them read" if given else None


def note(left_out: Sequence[LeftOut], numbers: Sequence[str]) -> str:
    """What is said of all of them, once; `numbers` are the names of those that hold numbers."""
    groups: dict[str, list[str]] = {}
    for column in left_out:
        groups.setdefault(column.why, []).append(column.name)
    listed = "; ".join(f"{', '.join(map(repr, names))} ({why})" for why, names in groups.items())
    some = list(numbers[:MAX_NAMED])
    measure = f"{', '.join(map(repr, some))} measure{'s' * (len(some) == 1)} something"
    anyway = f". If {measure}, give modality=Tables(numbers={some!r})" if some else ""
    return (
        f"nothing is learned from {listed}. Such columns stay in tables that are reconstructed or imputed; samples are "
        f"without them{anyway}"
    )
