"""Whether the first line of a delimited file names its columns or is a row of data."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

FAR = 3.0  # times the range of the values below, by which a number that is a name lies outside of it


class Verdict(NamedTuple):
    """Whether the first line is a header, and whether it could as well be otherwise."""

    is_header: bool
    ambiguous: bool


def is_header(
    first: Sequence[str],
    below: Sequence[Sequence[str]],
    *,
    decimal_commas: bool = False,
    null_words: Collection[str] = (),
) -> Verdict:
    """What the first line is, by itself and some lines below it.

    Names are usually texts. A line of different numbers is a header too if they count the columns (0, 1, 2, ...), rise
    evenly (400, 404, 408, ...) where the next line does not, are whole numbers over columns of fractions, or lie far
    from all values below. A line with texts is data if each of them occurs again in its column below.

    Parameters
    ----------
    first : fields of the first line.
    below : fields of lines below it.
    decimal_commas : whether 1,5 is a number.
    null_words : fields that say that a value is missing.
    """
    columns = [[row[j] for row in below if j < len(row) and row[j].strip()] for j in range(len(first))]
    numbers = [_number(field, decimal_commas) for field in first]
    values = [[v for v in (_number(f, decimal_commas) for f in column) if v is not None] for column in columns]
    texts = [j for j, f in enumerate(first) if numbers[j] is None and f.strip() and f.strip() not in null_words]
    if texts:
        if all(first[j] in columns[j] for j in texts):
            return Verdict(False, True)
        over = [(number, column) for number, column in zip(numbers, values, strict=True) if number is not None]
        return Verdict(True, not all(not column or _is_far(number, column) for number, column in over))
    if all(number is None for number in numbers):  # nothing but empty fields and null words
        return Verdict(True, True)
    if len(first) > 1 and not first[0].strip():  # an index, whose name is usually empty
        first, numbers, columns, values = first[1:], numbers[1:], columns[1:], values[1:]
    known = [number for number in numbers if number is not None]
    if len(known) < len(first) or len(set(known)) < len(known):
        return Verdict(False, True)
    return Verdict(_are_names(first, known, columns, values), True)


def _are_names(first: Sequence[str], numbers: list[float], columns: list[list[str]], values: list[list[float]]) -> bool:
    """Whether different numbers name their columns."""
    n = len(numbers)
    if list(first) == [str(j) for j in range(n)]:  # as pandas counts; a short one may be data
        return n > 2 or any(field not in column for field, column in zip(first, columns, strict=True))
    next_line = [column[0] for column in values if column]
    if (n > 2 or (n == 2 and numbers == [1, 2])) and _rises_evenly(numbers):
        return len(next_line) < n or not _rises_evenly(next_line)
    if not any(map(_is_fraction, first)) and all(
        len(column) > 1 and all(map(_is_fraction, column)) for column in columns
    ):
        return True
    return n > 1 and all(column and _is_far(number, column) for number, column in zip(numbers, values, strict=True))


def _rises_evenly(numbers: Sequence[float]) -> bool:
    steps = [b - a for a, b in pairwise(numbers)]
    return steps[0] > 0 and all(abs(step - steps[0]) <= 1e-6 * steps[0] for step in steps)


def _is_far(number: float, values: Sequence[float]) -> bool:
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    return number < low - FAR * spread or number > high + FAR * spread


def _is_fraction(field: str) -> bool:
    """Whether a number is written with decimals, be they zeros, or with an exponent."""
    return any(sign in field for sign in ".,eE")


def _number(field: str, decimal_commas: bool) -> float | None:
    try:
        number = float(field.replace(",", ".") if decimal_commas else field)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
