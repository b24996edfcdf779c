"""Where the instants of a series lie: at even steps, with gaps where time stamps leave some out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hourglass.modalities.columns import is_missing, read_columns
from hourglass.readers import containers
from hourglass.readers.date_texts import read_dates
from hourglass.user_warnings import warn

OFF_GRID = 0.1  # of a step, that a time stamp may lie beside its place
MOSTLY = 0.9  # of the steps, that must be whole ones


@dataclass(frozen=True, eq=False)
class Layout:
    """Rows (T,) of records (R,), one record after the other, on their time axes.

    Attributes
    ----------
    record : (T,) the record of each row.
    place : (T,) where it lies on the time axis of that record, from 0; gaps are places without a row.
    lengths : (R,) places of each record.
    handed_in : (T,) where each row stood in what was handed in; None for this order.
    """

    record: np.ndarray
    place: np.ndarray
    lengths: np.ndarray
    handed_in: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        counts: Sequence[int],
        times: Sequence[np.ndarray | None],
        longest_gap: int,
        handed_in: np.ndarray | None = None,
    ) -> Layout:
        """Of so many rows of each record, at `times` in seconds where these are known.

        Gaps are no longer than `longest_gap` places. What is odd about the time stamps is said in one warning.
        """
        record = np.repeat(np.arange(len(counts)), counts)
        places, found = [], _Oddities()
        for count, seconds in zip(counts, times, strict=True):
            places.append(np.arange(count) if seconds is None else found.places(seconds, longest_gap))
        if found.words:
            warn(f"time stamps: {found.words}")
        lengths = np.array([int(place.max()) + 1 for place in places])
        return cls(record, np.concatenate(places), lengths, handed_in)

    def __len__(self) -> int:
        return len(self.record)

    def as_handed_in(self, values: np.ndarray) -> np.ndarray:
        """One value per row, record after record, (T, ...) -> in the order of what was handed in."""
        return values if self.handed_in is None else values[np.argsort(self.handed_in)]

    def handed_in_places(self) -> np.ndarray:
        """Where each row stands in what was handed in, record after record, (T,)."""
        return np.arange(len(self)) if self.handed_in is None else self.handed_in

    def places_of(self, rows: np.ndarray) -> np.ndarray:
        """Places of rows among those handed in, (n,) -> their places record after record."""
        return rows if self.handed_in is None else np.argsort(self.handed_in)[rows]


@dataclass
class _Oddities:
    """Counts of what is odd about time stamps."""

    unordered: int = 0
    double: int = 0
    absent: int = 0
    uneven: int = 0

    def places(self, seconds: np.ndarray, longest_gap: int) -> np.ndarray:
        """Time stamps (T,) -> places on an axis of even steps, (T,)."""
        known, inverse = np.unique(seconds, return_inverse=True)
        self.unordered += bool((np.diff(seconds) < 0).any())
        self.double += len(seconds) - len(known)
        if len(known) < 2:
            return np.zeros(len(seconds), dtype=np.int64)
        steps = np.diff(known)
        ratio = steps / np.median(steps)
        whole = np.maximum(np.rint(ratio), 1).astype(np.int64)
        if (np.abs(ratio - whole) <= OFF_GRID).mean() < MOSTLY:
            self.uneven += 1
            return np.asarray(inverse.ravel(), dtype=np.int64)
        self.absent += int((whole - 1).sum())
        place = np.concatenate([[0], np.cumsum(np.minimum(whole, longest_gap + 1))])
        return np.asarray(place[inverse.ravel()], dtype=np.int64)

    @property
    def words(self) -> str:
        said = []
        if self.unordered:
            said.append(f"{_records(self.unordered)} not in order of time, and seen in it")
        if self.double:
            said.append(f"{self.double:,} occur twice, of which the last row is seen")
        if self.absent:
            said.append(f"{self.absent:,} instants are absent, and taken as missing")
        if self.uneven:
            said.append(
                f"{_records(self.uneven)} at uneven steps, and rows are taken for even ones; bring them to even steps "
                "if that is wrong"
            )
        return "; ".join(said)


def _records(n: int) -> str:
    return "one record is" if n == 1 else f"{n:,} records are"


def is_clock(X: Any, name: str) -> bool:
    """Whether this column of a frame holds dates or times."""
    values = containers.column(X, name).column(0)
    if str(values.type).startswith(("timestamp[", "date32", "date64")):
        return True
    if str(values.type) not in ("string", "large_string", "string_view"):
        return False
    texts = [text for text in values.slice(0, 1_000).to_pylist() if text is not None]
    return bool(texts) and read_dates(texts) is not None


def seconds_in(X: Any, name: str | None) -> np.ndarray | None:
    """The time stamps (T,) of a table: of a column, or of a frame's index of times; None where there are none.

    Raises
    ------
    ValueError : for a missing one, and for texts that are not times.
    """
    if name is None:
        seconds = containers.times_of_index(X)
        if seconds is not None and np.isnan(seconds).any():
            raise ValueError(f"the index has no time in row {int(np.isnan(seconds).argmax())}; every instant needs one")
        return seconds
    values = next(iter(read_columns(containers.column(X, name)).values()))
    if (missing := is_missing(values)).any():
        row = int(np.flatnonzero(missing)[0])
        raise ValueError(f"column {name!r} is missing in row {row}; every instant of a series needs its time")
    if values.dtype != object:
        return values.astype(np.float64)
    found = read_dates(values.tolist())
    if found is None:
        raise ValueError(f"column {name!r} holds {values[0]!r}; the time of a series is a number or a date")
    return np.asarray(found[0])
