"""What is found in the columns of a table: their kinds, scales and ranges, in one pass over chunks of any number."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from hourglass.modalities import dates
from hourglass.modalities.column import Column, Kind
from hourglass.modalities.column_shape import Sample, shape_of
from hourglass.modalities.columns import holds_texts, is_missing
from hourglass.modalities.identifiers import IDENTIFIER, Differences, is_identifier, of_texts, remedy_for
from hourglass.readers import notations
from hourglass.readers.column_types import ANY_TYPE, ColumnType
from hourglass.readers.date_texts import Order, day_and_month, is_date
from hourglass.readers.decimals import decimals_of

MAX_CATEGORIES = 1000
SMALLEST = math.ulp(0.0)
MIN_LOG_DEVIATION = 0.1  # of log(1 + count): less is noise of counting
ROUNDING = 10 * math.ulp(1.0)  # relative to their mean, by which numbers that were computed as equal may differ
MAX_TEXTS_READ = 10_000  # of every chunk, whose words are counted
MAX_DISCRETE = 50  # levels of numbers that are taken for categories
MIN_ROWS_FOR_BINARY = 10  # fewer rows have two distinct values by accident


@dataclass
class Moments:
    """Mean and variance of numbers that come in chunks.

    `mean` and `squares` (the sum of squared deviations) are in units of `unit`, a power of two as large as the largest
    number: the squares of plain numbers around 1e-300 would all be 0.

    Source: Chan, Golub and LeVeque 1983, for merging means and sums of squares.
    """

    n: int = 0
    unit: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, numbers: np.ndarray) -> None:
        """Numbers (N,) float64, at least one, all finite."""
        top = float(np.abs(numbers).max())
        unit = max(self.unit, 2.0 ** math.frexp(top)[1] if top else SMALLEST)
        shrunk = self.unit / unit
        numbers = numbers / unit
        n, mean, before = len(numbers), float(numbers.mean()), self.mean * shrunk
        delta, total = mean - before, self.n + n
        self.squares = self.squares * shrunk**2 + float(np.square(numbers - mean).sum())
        self.squares += delta**2 * self.n * n / total
        self.mean, self.n, self.unit = before + delta * n / total, total, unit

    @property
    def centre(self) -> float:
        """The mean in the numbers' own units."""
        return self.mean * self.unit

    @property
    def deviation(self) -> float:
        """The standard deviation in the numbers' own units."""
        return math.sqrt(self.squares / self.n) * self.unit if self.n else 0.0

    @property
    def is_constant(self) -> bool:
        """Whether the numbers differ by no more than rounding."""
        return not self.n or math.sqrt(self.squares / self.n) <= ROUNDING * abs(self.mean)

    def share(self, number: float) -> float:
        """The share of the variance that one of the numbers makes up."""
        distance = (number / self.unit - self.mean) ** 2
        return distance * self.n / (self.n - 1) / self.squares if self.squares else 0.0


@dataclass
class ColumnStatistics:
    """What one pass over the chunks of a column gathers; `logs` are moments of log(1 + number), of counts alone."""

    type: ColumnType = ANY_TYPE
    missing: bool = False
    origin: int = 0
    moments: Moments = field(default_factory=Moments)
    logs: Moments = field(default_factory=Moments)
    distinct: np.ndarray | None = field(default_factory=lambda: np.array([]))  # None once there are too many to matter
    sample: Sample = field(default_factory=Sample)
    step: float = math.inf
    lowest: float = math.inf
    highest: float = -math.inf
    whole: bool = True
    decimals: int | None = 0
    differences: Differences = field(default_factory=Differences)
    grid: dates.Grid = field(default_factory=dates.Grid)
    texts: set[str] | None = None
    n_compared: int = 0  # texts until more than `MAX_CATEGORIES` of them differed
    n_texts: int = 0
    n_words: int = 0
    order: Order | None = None  # of day and month in its texts
    meant: ColumnStatistics | None = None  # what they say, as long as all of them are dates, or numbers
    notation: notations.Notation | None = None
    readable: bool = True

    def add(self, values: np.ndarray, keep_distinct: int, counts: bool = False) -> None:
        """Values (N,) as `read_columns` gives them."""
        unknown = is_missing(values)
        self.missing |= bool(unknown.any())
        known = values[~unknown]
        if holds_texts(values):
            self._add_texts(known.tolist())
            self._add_meaning(values, unknown, keep_distinct)
            return
        if not len(known):
            return
        levels = np.unique(known[:10_000])
        if self.n == 0 and known.dtype == object:
            self.origin = int(known[0])
        numbers = (known - self.origin if self.origin else known).astype(np.float64)
        self.moments.add(numbers)
        self.sample.add(numbers)
        if counts:
            self.logs.add(np.log1p((numbers + self.origin).clip(min=0)))
        self.lowest, self.highest = min(self.lowest, float(numbers.min())), max(self.highest, float(numbers.max()))
        self.differences.add(numbers, not unknown.any())
        if self.type.is_time:
            self.grid.add(numbers)
            self.whole, self.decimals = False, None
        self.whole = self.whole and bool((numbers == np.round(numbers)).all())
        if self.decimals is not None:
            self.decimals = decimals_of(numbers, self.decimals, single=self.type.arrow in ("float", "halffloat"))
        if len(levels) > 1:
            self.step = min(self.step, float(np.diff(levels).min()))
        if self.distinct is not None:
            levels = levels if len(levels) > keep_distinct else np.unique(known)
            merged = np.union1d(self.distinct, levels) if len(self.distinct) else levels
            self.distinct = merged if len(merged) <= keep_distinct else None

    def _add_texts(self, texts: list[str]) -> None:
        if len(self.texts or ()) <= MAX_CATEGORIES:
            self.texts = (self.texts or set()) | set(texts)
            self.n_compared += len(texts)
        some = texts[:MAX_TEXTS_READ]
        self.n_texts += len(some)
        self.n_words += sum(len(text.split()) for text in some)

    def _add_meaning(self, values: np.ndarray, unknown: np.ndarray, keep_distinct: int) -> None:
        """Texts (N,) as dates or numbers, if they and all before them are."""
        if not self.readable or unknown.all():
            return
        found = None if self.type.indices else notations.read(values[~unknown].tolist(), self.notation, self.order)
        notation = None if found is None else notations.merged(self.notation, found[1])
        if found is None or notation is None:
            self.readable, self.meant = False, None
            return
        self.notation = notation
        if self.meant is None:
            self.meant = ColumnStatistics(replace(self.type, notation=str(notation)))
        meaning = np.full(len(values), math.nan)
        meaning[~unknown] = found[0]
        self.meant.add(meaning, keep_distinct)

    def resolved(self, declared: Kind | None, discrete: bool) -> ColumnStatistics:
        """Of the dates or numbers that the texts are, unless these are a category."""
        if self.meant is None or declared == "category" or (discrete and len(self.texts or ()) <= MAX_DISCRETE):
            return self
        self.meant.type = replace(self.type, notation=str(self.notation))
        self.meant.missing, self.meant.notation = self.missing, self.notation
        return self.meant

    @property
    def date_orders(self) -> tuple[Order, ...]:
        """The orders of day and month in which its texts would be dates."""
        return day_and_month(sorted(self.texts)) if self.texts else ()

    @property
    def n(self) -> int:
        """Values that are not missing."""
        return self.moments.n

    def why_left_out(self, name: str, declared: Kind | None, rows: int, named: bool) -> str | None:
        """Why nothing is learned of the column; None for one that is learned.

        `named` is whether columns have names of their own, so that the table is not a plain array of numbers.
        """
        if declared is not None:
            return None
        if self.texts:
            why = of_texts(len(self.texts), self.n_compared, self.n_words, self.n_texts, MAX_CATEGORIES)
            return why and (remedy_for(name, self.date_orders) or why)
        if self.type.is_time:
            return None
        quantities = self.type.arrow and not (named and self.type.is_whole)  # objects have no type
        if quantities or not self.whole or not self.n:
            return None
        return IDENTIFIER if is_identifier(name, self.differences, self.highest - self.lowest, rows) else None

    def why_not(self, declared: Kind | None) -> str | None:
        """Why the column cannot be what it is declared; None if it can."""
        if declared == "category":
            return self.why_not_category()
        if self.order is None or not self.texts:
            return None
        odd = next((text for text in sorted(self.texts) if not is_date(text, self.order)), None)
        example = "31/12/2024" if self.order == "day-first" else "12/31/2024"
        found = f"{odd!r}" if odd else "dates written in several ways"
        return f"is declared {self.order} and holds {found}; all its texts must be dates such as {example}"

    def why_not_category(self) -> str | None:
        """Why the column cannot be the category that it is declared; None if it can."""
        if self.distinct is not None and len(self.texts or ()) <= MAX_CATEGORIES:
            return None
        values = "numbers; leave it a number, or group its values first" if self.texts is None else "texts; group them"
        return f"is declared a category and holds more than {MAX_CATEGORIES} different {values}"

    def column(self, name: str, declared: Kind | None, discrete: bool) -> Column:
        """The column as it is kept."""
        column = self._column(name, declared, discrete)
        origin = 0 if column.kind == "count" else self.origin
        decimals = None if self.texts else self.decimals
        return replace(column, type=self.type, missing=self.missing, origin=origin, decimals=decimals)

    def _column(self, name: str, declared: Kind | None, discrete: bool) -> Column:
        if self.texts:
            texts = tuple(sorted(self.texts))
            return Column(name, "binary" if len(texts) == 2 else "category", categories=texts, constant=len(texts) == 1)
        if not self.n:  # of a column that nothing is known of, nothing is said
            return Column(name, "numeric", math.nan, constant=True)
        levels = self.distinct if self.distinct is None else [self._level(v) for v in self.distinct.tolist()]
        if levels is not None and len(levels) == 1:
            return Column(name, "numeric", float(levels[0] - self.origin), constant=True)
        if declared == "count":
            log_deviation = max(self.logs.deviation, MIN_LOG_DEVIATION)
            return Column(
                name,
                "count",
                lowest=0.0,
                highest=self.highest + self.origin,
                whole=True,
                logs=(self.logs.centre, log_deviation),
            )
        if declared is None and levels is not None and len(levels) == 2 and self.n >= MIN_ROWS_FOR_BINARY:
            low, high = levels
            return Column(name, "binary", float(low - self.origin), float(high - low), categories=(low, high))
        by_number = discrete and not self.type.is_time and levels is not None and len(levels) > 2 and self.whole
        if levels is not None and (by_number or declared == "category"):
            return Column(name, "category", categories=tuple(levels))
        if self.moments.is_constant:
            return Column(name, "numeric", self.moments.centre, constant=True)
        shape = shape_of(self.sample.values, self.n, self.distinct)
        unit = self.grid.unit if self.type.is_time else 0.0
        seen_in_cycles = self.type.is_time and shape.tail is None
        offset, scale = self.moments.centre, self.moments.deviation
        if shape.tail is not None:
            flat = shape.flat(self.sample.values)
            offset, scale = float(flat.mean()), float(flat.std())
        return Column(
            name,
            "numeric",
            offset,
            max(scale, SMALLEST),
            self.step if math.isfinite(self.step) else 0.0,
            lowest=self.lowest,
            highest=self.highest,
            whole=self.whole,
            tail=shape.tail,
            spikes=shape.spikes,
            discrete=shape.discrete,
            unit=unit,
            cycles=dates.cycles_of(self.type, unit, self.highest - self.lowest) if seen_in_cycles else (),
        )

    def text(self, value: float) -> str:
        """A number of the column in words."""
        column = Column("", "numeric", type=self.type)
        return dates.text_of(column, value) if column.is_written else f"{value:g}"

    def _level(self, value: int | float) -> int | float:
        """A value as its type has it: whole numbers stay whole numbers."""
        return int(value) if self.type.is_whole else float(value)
