"""What the options of a table declare columns to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hourglass.modalities.column import Kind
from hourglass.readers.date_texts import Order

# options that name columns, and what they declare them to be
NAMING: dict[str, Kind | None] = {
    "counts": "count",
    "categories": "category",
    "numbers": "numeric",
    "identifiers": None,
    "day_first": "numeric",
    "month_first": "numeric",
}
IN_WORDS = {
    "counts": "a count",
    "categories": "a category",
    "numbers": "a number",
    "identifiers": "an identifier",
    "day_first": "a date with the day first",
    "month_first": "a date with the month first",
}


def declared_kinds(options: Any, names: Sequence[str]) -> dict[str, Kind | None]:
    """The kinds of the columns that the options of a table declare."""
    declared: dict[str, Kind | None] = {}
    by: dict[str, str] = {}
    for option, kind in NAMING.items():
        for name in getattr(options, option):
            if name not in names:
                raise ValueError(f"{option}={name!r} is not a column of X; its columns are {', '.join(names)}")
            if name in declared:
                both = " and ".join(IN_WORDS[o] for o in (by[name], option))
                raise ValueError(f"column {name!r} is declared both {both}; choose one")
            declared[name], by[name] = kind, option
    return declared


def declared_orders(options: Any) -> dict[str, Order]:
    """Which of day and month comes first, in the columns of dates that the options declare."""
    orders: dict[str, Order] = dict.fromkeys(options.day_first, "day-first")
    return orders | dict.fromkeys(options.month_first, "month-first")
