"""Columns of dates and times: one number each, seconds since 1970 or midnight, whose cycles the encoder sees too.

What texts mean and how they are written again is here for numbers that are texts as well (`readers.notations`).

The encoder sees, besides the standardised time, sine and cosine of the hour of the day, of the day of the week and of
the day of the year, where the column spans at least two such periods and its values lie on a grid finer than half of
one. The decoder gives back the time alone, so that hours, weekdays and dates cannot contradict each other. A time in a
zone is that of the clock on the wall there. What is restored lies on the grid of the column: whole days, full hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hourglass.readers import notations, times
from hourglass.readers.column_types import ColumnType
from hourglass.readers.date_texts import DateNotation, Order
from hourglass.readers.times import DAY

if TYPE_CHECKING:
    from hourglass.modalities.column import Column

PERIODS = (float(DAY), 7.0 * DAY, 365.2425 * DAY)  # day, week, year
TICKS = 10**6  # per second, in which grids are found
TEXTS = ("string", "large_string", "string_view", "")  # types that hold texts; "" are objects of an array


@dataclass
class Grid:
    """The largest step of which all times, less the first one, are multiples; over chunks of any number."""

    first: int | None = None
    step: int = 0

    def add(self, seconds: np.ndarray) -> None:
        """Seconds (N,), at least one, all known."""
        if np.abs(seconds).max() > 1e12:  # beyond the calendar, where float64 has no microseconds
            return
        ticks = np.rint(seconds * TICKS).astype(np.int64)
        self.first = int(ticks[0]) if self.first is None else self.first
        self.step = int(np.gcd(self.step, np.gcd.reduce(ticks - self.first)))

    @property
    def unit(self) -> float:
        """Seconds; 0 where all times are equal."""
        return self.step / TICKS


def cycles_of(type: ColumnType, unit: float, spread: float) -> tuple[float, ...]:
    """The periods, in seconds, that a column on this grid and of this spread is seen in."""
    if times.is_duration(type.arrow):
        return ()
    if times.is_clock(type.arrow) or (type.notation and not DateNotation.parse(type.notation).date):
        return PERIODS[:1]
    return tuple(period for period in PERIODS if spread >= 2 * period and unit <= period / 2)


def order_of(type: ColumnType) -> Order | None:
    """Which of day and month comes first in the texts of a column; None of ISO dates and times."""
    date = type.notation.replace("-", "") if type.is_time else ""
    return "day-first" if date.startswith("%d") else "month-first" if date.startswith("%m") else None


def meaning_of(column: Column, texts: np.ndarray) -> np.ndarray:
    """Texts (N,), None for missing, of a column of dates, or of numbers as people write them -> float64 (N,).

    Raises
    ------
    ValueError : for a text that is neither, with its row.
    """
    known = np.array([text is not None for text in texts.tolist()])
    values = np.full(len(texts), np.nan)
    if not known.any():
        return values
    order, like = order_of(column.type), notations.parse(column.type.notation) if column.type.notation else None
    found = notations.read(texts[known].tolist(), like, order)
    if found is None:
        rows = np.flatnonzero(known).tolist()
        odd = [row for row in rows if notations.read([texts[row]], like, order) is None]
        row = (odd or rows)[0]
        kind = "dates" if column.type.is_time else "numbers"
        raise ValueError(
            f"column {column.name!r}, row {row} holds {texts[row]!r} where there were {kind} at fit, such as "
            f"{column.text(column.lowest if column.lowest is not None else column.offset)}; write it the same way, or "
            "leave the cell empty"
        )
    values[known] = found[0]
    return values


def written_as(columns: Sequence[Column], types: Sequence[ColumnType]) -> list[ColumnType]:
    """The types of a table, with the notation of the fit where dates or numbers are texts."""
    return [
        replace(t, notation=c.type.notation or str(notation(c))) if c.is_written and t.arrow in TEXTS else t
        for c, t in zip(columns, types, strict=True)
    ]


def notation(column: Column) -> DateNotation:
    """How the values of a column of times are written in messages and figures."""
    if column.type.notation:
        return DateNotation.parse(column.type.notation)
    unit = column.unit
    if column.type.arrow.startswith("date") or (unit and unit % DAY == 0):
        return DateNotation("%Y-%m-%d")
    clock = "%H:%M" if unit and unit % 60 == 0 else "%H:%M:%S"
    return DateNotation(clock=clock) if times.is_clock(column.type.arrow) else DateNotation("%Y-%m-%d", " ", clock)


def text_of(column: Column, seconds: float) -> str:
    """One time in words, or one number as the column's texts have it."""
    if times.is_duration(column.type.arrow):
        return f"{seconds:.6g} s"
    how = column.type.notation or str(notation(column))
    return str(notations.write(np.array([seconds]), how)[0])


def on_grid(column: Column, seconds: Any) -> Any:
    """Seconds (N,) -> the nearest ones that lie on the grid of the column."""
    start = column.lowest or 0.0
    return start + np.rint((seconds - start) / column.unit) * column.unit
