"""Texts that mean numbers: dates and times, and numbers as people write them. What they mean is worked on as float64.

A notation is part of a column's type, as a text: that of numbers has a # in it ("€ #,###.00"), that of dates has not
("%d.%m.%Y").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hourglass.readers.date_texts import DateNotation, Order, read_dates, write_dates
from hourglass.readers.number_texts import NumberNotation, read_numbers, write_numbers

Notation = DateNotation | NumberNotation


def is_of_numbers(notation: str) -> bool:
    """Whether a notation is that of numbers; those of dates are not."""
    return "#" in notation


def parse(notation: str) -> Notation:
    """The notation that `str` wrote; raises ValueError for other texts."""
    return NumberNotation.parse(notation) if is_of_numbers(notation) else DateNotation.parse(notation)


def read(
    texts: Sequence[str] | Any, like: Notation | None = None, order: Order | None = None
) -> tuple[np.ndarray, Notation] | None:
    """Texts -> what they mean, (N,) float64, and how they are written; None where some are neither dates nor numbers.

    Parameters
    ----------
    texts : none missing, at least one.
    like : how others of the column are written.
    order : of day and month.
    """
    if not isinstance(like, NumberNotation) and (
        found := read_dates(texts, order, None if like is None else like.zone)
    ):
        return found
    return None if isinstance(like, DateNotation) or order else read_numbers(texts, like)


def merged(one: Notation | None, other: Notation) -> Notation | None:
    """The notation of texts of both; None where it is not one."""
    if isinstance(one, DateNotation) and isinstance(other, DateNotation):
        return one.merged(other)
    if isinstance(one, NumberNotation) and isinstance(other, NumberNotation):
        return one.merged(other)
    return other if one is None else None


def write(values: np.ndarray, notation: str) -> np.ndarray:
    """Values (N,), NaN or None for missing -> texts (N,) of objects, None for missing; values without a notation."""
    if not notation:
        return values
    how, numbers = parse(notation), values.astype(np.float64)
    return write_dates(numbers, how) if isinstance(how, DateNotation) else write_numbers(numbers, how)
