"""What is found in the columns of a table: their kinds, scales and ranges, in one pass over chunks of any number."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

MAX_CATEGORIES = 1000
LARGEST = 1e37  # float32, in which rows are kept, ends at 3e38
MIN_SUSPICIOUS_TEXTS = 20
MAX_VARIANCE_SHARE = 0.5  # that one cell may make up unremarked
MIN_ROWS_FOR_BINARY = 10  # fewer rows have two distinct values by accident

Kind = Literal["numeric", "binary", "category", "count"]


@dataclass(frozen=True)
class Column:
    """One column as it was at fit.

    `offset` and `scale` take raw numbers to model space; `resolution` is the smallest step between its values in raw
    units; `categories` are the texts or numbers that occur; `missing` and `constant` say what was found; `lowest`,
    `highest` and `whole` (nothing but whole numbers) are what samples keep to.
    """

    name: str
    kind: Kind
    offset: float = 0.0
    scale: float = 1.0
    resolution: float = 0.0
    categories: tuple[str | float, ...] = ()
    missing: bool = False
    constant: bool = False
    lowest: float | None = None
    highest: float | None = None
    whole: bool = False

    @property
    def texts(self) -> bool:
        return bool(self.categories) and isinstance(self.categories[0], str)

    @property
    def is_categorical(self) -> bool:
        """Whether raw values are places among `categories`; a numeric column of two values holds these themselves."""
        return self.texts or self.kind == "category"

    def text(self, value: float) -> str:
        """One raw value in the column's own words, numbers to three digits.

        Between the two values of a binary column the more probable one, and its probability.
        """
        if math.isnan(value):
            return "missing"
        if self.is_categorical:
            return _category(self.categories[min(max(round(value), 0), len(self.categories) - 1)])
        if self.kind == "binary":
            probability = min(max((value - self.offset) / self.scale, 0.0), 1.0)
            nearer = _category(self.categories[int(probability > 0.5)])
            certain = abs(probability - 0.5) > 0.4995
            return nearer if certain else f"{nearer} ({max(probability, 1 - probability):.0%})"
        return _number(value)


def _category(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.15g}"


def _number(value: float) -> str:
    if 10_000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.0f}" if 1000 <= abs(value) < 10_000 else f"{value:.3g}"


@dataclass
class ColumnStatistics:
    """What one pass over the chunks of a column gathers."""

    n: int = 0
    missing: bool = False
    mean: float = 0.0
    squares: float = 0.0
    distinct: np.ndarray | None = None  # sorted; None once there are too many to matter
    step: float = math.inf
    lowest: float = math.inf
    highest: float = -math.inf
    whole: bool = True
    texts: set[str] | None = None

    def add(self, name: str, values: np.ndarray, keep_distinct: int) -> None:
        if values.dtype == object:
            self.texts = self.texts or set()
            self.texts |= {v for v in values.tolist() if v is not None}
            self.missing |= any(v is None for v in values)
            if len(self.texts) > MAX_CATEGORIES:
                raise ValueError(
                    f"column {name!r} holds more than {MAX_CATEGORIES} different texts; "
                    "leave it out (an identifier?) or group its values first"
                )
            return
        values = values.astype(np.float64, copy=False)
        known = values[~np.isnan(values)]
        self.missing |= len(known) < len(values)
        if not len(known):
            return
        self.lowest, self.highest = min(self.lowest, float(known.min())), max(self.highest, float(known.max()))
        self.whole = self.whole and bool((known == np.round(known)).all())
        if not -LARGEST <= self.lowest <= self.highest <= LARGEST:
            raise ValueError(
                f"column {name!r} holds {known[np.abs(known).argmax()]:g}, beyond {LARGEST:g}: "
                "give it in a larger unit, take its logarithm, or leave it out"
            )
        # Chan, Golub and LeVeque 1983: merging means and sums of squares
        n, mean = len(known), float(known.mean())
        squares = float(np.square(known - mean).sum())
        delta, total = mean - self.mean, self.n + n
        self.squares += squares + delta**2 * self.n * n / total
        self.mean += delta * n / total
        first = self.n == 0
        self.n = total
        levels = np.unique(known[:10_000])
        if len(levels) > 1:
            self.step = min(self.step, float(np.diff(levels).min()))
        if first or self.distinct is not None:
            seen = levels if len(levels) > keep_distinct else np.unique(known)
            merged = seen if self.distinct is None else np.union1d(self.distinct, seen)
            self.distinct = merged if len(merged) <= keep_distinct else None

    def column(self, name: str, declared: Kind | None, discrete: bool) -> Column:
        if self.texts is not None:
            if not self.texts:
                return Column(name, "numeric", math.nan, missing=True, constant=True)
            texts = tuple(sorted(self.texts))
            kind: Kind = "binary" if len(texts) == 2 else "category"
            return Column(name, kind, categories=texts, missing=self.missing, constant=len(texts) == 1)
        levels = self.distinct
        constant = self.n == 0 or (levels is not None and len(levels) <= 1)
        if declared == "count" and not constant:
            return Column(name, "count", missing=self.missing)
        if declared == "category" and levels is None and self.n:
            raise ValueError(
                f"column {name!r} is declared a category and holds more than {MAX_CATEGORIES} different numbers; "
                "leave it a number, or group its values first"
            )
        if declared is None and levels is not None and len(levels) == 2 and self.n >= MIN_ROWS_FOR_BINARY:
            low, high = levels.tolist()
            return Column(name, "binary", low, high - low, categories=(low, high), missing=self.missing)
        by_number = discrete and levels is not None and len(levels) > 2 and bool((levels == np.round(levels)).all())
        if levels is not None and not constant and (by_number or declared == "category"):
            return Column(name, "category", categories=tuple(levels.tolist()), missing=self.missing)
        spread = math.sqrt(self.squares / self.n) if self.n else 0.0
        if constant or spread <= 10 * np.finfo(np.float64).eps * abs(self.mean):
            offset = self.mean if self.n else math.nan  # of a column that nothing is known of, nothing is said
            return Column(name, "numeric", offset, 1.0, missing=self.missing, constant=True)
        step = self.step if math.isfinite(self.step) else 0.0
        column = Column(name, "numeric", self.mean, spread, step, missing=self.missing)
        return replace(column, lowest=self.lowest, highest=self.highest, whole=self.whole)


def clip_to_observed(column: Column, values: np.ndarray) -> np.ndarray:
    """Drawn values (N,) within those that were seen, and whole where those were; one of the two where it had two."""
    if column.kind == "binary":
        low, high = column.offset, column.offset + column.scale
        return np.where(np.isnan(values), values, np.where(values > (low + high) / 2, high, low))
    if column.lowest is not None:
        values = values.clip(column.lowest, column.highest)
    return values.round() if column.whole else values


def warn_suspicious_texts(name: str, texts: set[str], rows: int) -> None:
    """Warns of texts that are hardly meant as categories: numbers in disguise, and identifiers."""
    if len(texts) < MIN_SUSPICIOUS_TEXTS:
        return
    numbers = [t for t in sorted(texts) if re.fullmatch(r"\s*[-+]?[\d.,]*\d[\d.,]*\s*%?", t)]
    if len(numbers) > len(texts) / 2:
        warnings.warn(
            f"column {name!r} is taken for {len(texts)} categories, though most of its texts look like numbers, "
            f"such as {numbers[0]!r}; write numbers plainly (1234.5), and leave missing cells empty",
            stacklevel=4,
        )
    elif len(texts) > 0.9 * rows:
        warnings.warn(
            f"column {name!r} holds another text in nearly every row (an identifier?) and is taken for "
            f"{len(texts)} categories; better leave it out",
            stacklevel=4,
        )


def warn_outlier(name: str, tally: ColumnStatistics) -> None:
    """Warns where one cell is so far out that the others hardly differ beside it."""
    if tally.n < MIN_SUSPICIOUS_TEXTS or not tally.squares or (tally.distinct is not None and len(tally.distinct) < 3):
        return
    value = max(tally.lowest, tally.highest, key=lambda v: abs(v - tally.mean))
    share = (value - tally.mean) ** 2 * tally.n / (tally.n - 1) / tally.squares
    if share > MAX_VARIANCE_SHARE:
        warnings.warn(
            f"column {name!r}: a single cell, {value:g}, makes up {share:.0%} of its variance, so that the other cells "
            "count for little; correct it, empty it, or take logarithms",
            stacklevel=4,
        )


def aliases(value: Any) -> Iterator[str]:
    """How a category may have been written that a reader takes for a number now."""
    yield str(value)
    if isinstance(value, float):
        yield f"{value:.15g}"
        if value in (0, 1):
            yield from (("False", "false", "FALSE"), ("True", "true", "TRUE"))[int(value)]
