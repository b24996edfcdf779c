"""What is said at fit of columns that can be learned from, but are hardly meant as they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hourglass.modalities.column_statistics import ColumnStatistics
from hourglass.modalities.identifiers import remedy_for
from hourglass.readers.date_texts import DateNotation
from hourglass.readers.number_texts import NumberNotation

MIN_VALUES = 20  # of a column of which something can be said
MIN_DATES = 3
MAX_VARIANCE_SHARE = 0.5  # that one cell may make up unremarked
FEW_CODES, ROWS_PER_CODE = (3, 20), 20

NUMBER = re.compile(r"\s*[-+]?[\d.,]*\d[\d.,]*\s*%?")
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DATE = re.compile(
    r"\s*(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{4}|\d{1,2}/\d{1,2}/\d{2}"
    rf"|\d{{1,2}}[\s.-]+({'|'.join(MONTHS)})[a-z]*[\s.,-]+\d{{2,4}}|({'|'.join(MONTHS)})[a-z]*\.?\s+\d{{1,2}},?\s+\d{{4}})"
    r"([T\s]+\d{1,2}:\d{2}.*)?\s*",
    re.IGNORECASE,
)
WORDS_OF_CODES = re.compile(r"(^|[^a-z])(code|id|nr|no|zip|plz|type|class|group|category|cluster|segment)s?($|[^a-z])")


def of_column(name: str, found: ColumnStatistics, rows: int, declared: bool, named: bool) -> str | None:
    """What is to be said of one column of a table of `rows` rows; None if nothing is.

    `named` is whether columns have names of their own, so that the table is not a plain array of numbers.
    """
    if found.texts is not None:
        remedy = remedy_for(name, found.date_orders)
        if remedy and not declared:
            return f"column {name!r} is taken for {len(found.texts)} categories, and seems to hold {remedy}"
        return _of_texts(name, found.texts, rows)
    if isinstance(found.notation, DateNotation) and not found.notation.one_zone:
        return (
            f"column {name!r} holds times of several offsets from UTC; all of them are read, and come back as the same "
            f"moments at {found.notation.zone.strip()}, the offset of the first one"
        )
    if declared:
        return None
    if isinstance(found.notation, NumberNotation) and not found.notation.sure:
        largest, other = found.text(found.highest), f"{found.highest / 1000:.15g}"
        return (
            f"column {name!r}: texts such as {largest!r} are taken for numbers whose thousands are set apart, this one "
            f"for {found.highest:.15g}; if it is {other}, write numbers plainly"
        )
    if found.n < MIN_VALUES:
        return None
    if named and not found.type.is_time and found.differences.running and found.n == rows:
        return f"column {name!r} numbers the rows, which tells nothing about them; {_leave_out(name)}"
    if hint := _of_outliers(name, found):
        return hint
    return _of_codes(name, found) if named and not found.type.is_time else None


def _leave_out(name: str) -> str:
    return f"leave it out of the learning with modality=Tables(identifiers={[name]!r})"


def _of_texts(name: str, texts: set[str], rows: int) -> str | None:
    """Numbers and dates in disguise, and identifiers."""
    dates = [t for t in sorted(texts) if DATE.fullmatch(t)]
    if len(texts) >= MIN_DATES and len(dates) > len(texts) / 2:
        return (
            f"column {name!r} is taken for {len(texts)} categories without an order, though most of its texts look "
            f"like dates, such as {dates[0]!r}, and {_odd(texts, dates)!r} does not; write all of them as "
            f"2024-12-31, or {_leave_out(name)}"
        )
    if len(texts) < MIN_VALUES:
        return None
    numbers = [t for t in sorted(texts) if NUMBER.fullmatch(t)]
    if len(numbers) > len(texts) / 2:
        return (
            f"column {name!r} is taken for {len(texts)} categories, though most of its texts look like numbers, "
            f"such as {numbers[0]!r}; write numbers plainly (1234.5), and leave missing cells empty"
        )
    if len(texts) > 0.9 * rows:
        return (
            f"column {name!r} holds another text in nearly every row (an identifier?) and is taken for "
            f"{len(texts)} categories; {_leave_out(name)}"
        )
    return None


def _odd(texts: set[str], dates: Sequence[str]) -> str:
    return min(texts - set(dates), default=dates[-1])


def _of_outliers(name: str, found: ColumnStatistics) -> str | None:
    """One cell that is so far out that the others hardly differ beside it."""
    if found.distinct is not None and len(found.distinct) < 3:
        return None
    value = max(found.lowest, found.highest, key=lambda v: abs(v - found.moments.centre))
    share = found.moments.share(value)
    if share <= MAX_VARIANCE_SHARE:
        return None
    return (
        f"column {name!r}: a single cell, {found.text(value + found.origin)}, makes up {share:.0%} of its variance, so "
        "that the other cells count for little; correct it, empty it, or take logarithms"
    )


def _of_codes(name: str, found: ColumnStatistics) -> str | None:
    """A few whole numbers that are called codes, or begin at none of 0 and 1 as quantities and ranks do."""
    levels = found.distinct
    if levels is None or not found.whole or not FEW_CODES[0] <= len(levels) <= FEW_CODES[1]:
        return None
    if found.n < ROWS_PER_CODE * len(levels) or (found.lowest <= 1 and not WORDS_OF_CODES.search(name.lower())):
        return None
    return (
        f"column {name!r} holds {len(levels)} different whole numbers and is taken for a quantity; if they are codes, "
        f"give modality=Tables(categories={[name]!r})"
    )
