"""What is found in the columns of a table: their kinds, scales and ranges, in one pass over chunks of any number."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from hourglass.modalities.column_shape import Sample, shape_of
from hourglass.modalities.columns import holds_texts, is_missing
from hourglass.modalities.identifiers import IDENTIFIER, Differences, is_identifier, of_texts
from hourglass.readers.column_types import ANY_TYPE, ColumnType
from hourglass.readers.decimals import decimals_of

MAX_CATEGORIES = 1000
SMALLEST = math.ulp(0.0)
MIN_LOG_DEVIATION = 0.1  # of log(1 + count): less is noise of counting
MIN_SCALE_OF_FLOAT32 = 1e-30  # below 1e-38 its digits get fewer
ROUNDING = 10 * math.ulp(1.0)  # relative to their mean, by which numbers that were computed as equal may differ
MAX_TEXTS_READ = 10_000  # of every chunk, whose words are counted
DIGITS = 6  # of the spread of a column, that numbers are written with where it has no decimals of its own
MIN_ROWS_FOR_BINARY = 10  # fewer rows have two distinct values by accident

Kind = Literal["numeric", "binary", "category", "count"]


@dataclass(frozen=True)
class Column:
    """One column as it was at fit.

    Attributes
    ----------
    offset, scale : take raw numbers to model space.
    tail : (centre, unit) of a column with heavy tails: asinh((raw - centre) / unit) is what offset and scale are of.
    spikes : numbers that have a probability of their own; `discrete`: there are no others.
    resolution : the smallest step between its values, in raw units.
    categories : the texts or numbers that occur.
    missing, constant : whether cells were missing; whether all others were equal.
    lowest, highest, whole : what samples keep to; `whole`: nothing but whole numbers.
    decimals : of its numbers, up to 9; None for more.
    origin : subtracted from whole numbers that a float64 cannot hold; all of the above but `categories` is relative to
        it.
    logs : mean and standard deviation of log(1 + count).
    type : what it was in its container.
    """

    name: str
    kind: Kind
    offset: float = 0.0
    scale: float = 1.0
    resolution: float = 0.0
    categories: tuple[str | int | float, ...] = ()
    missing: bool = False
    constant: bool = False
    lowest: float | None = None
    highest: float | None = None
    whole: bool = False
    decimals: int | None = None
    origin: int = 0
    logs: tuple[float, float] = (0.0, 1.0)
    tail: tuple[float, float] | None = None
    spikes: tuple[float, ...] = ()
    discrete: bool = False
    type: ColumnType = ANY_TYPE

    def __post_init__(self) -> None:
        if self.kind in ("binary", "category") and not self.categories:
            raise ValueError(f"column {self.name!r} is {self.kind} and has no categories")
        if self.tail is not None and not self.tail[1] > 0:
            raise ValueError(f"column {self.name!r} has a tail of unit {self.tail[1]}: it must be above 0")

    @property
    def texts(self) -> bool:
        return bool(self.categories) and isinstance(self.categories[0], str)

    @property
    def is_categorical(self) -> bool:
        """Whether raw values are places among `categories`; a numeric column of two values holds these themselves."""
        return self.texts or self.kind == "category"

    @property
    def needs_float64(self) -> bool:
        """Whether float32 would lose some of it: a spread small beside its mean (time stamps) or tiny, large counts."""
        if self.kind == "count":
            return (self.highest or 0.0) > 2**24
        if self.is_categorical or self.constant:
            return False
        centre, unit = (self.offset, self.scale) if self.tail is None else self.tail
        return unit < MIN_SCALE_OF_FLOAT32 or abs(centre) > 1e4 * unit

    @property
    def step(self) -> float:
        """The smallest step between its values in model space, where a column with heavy tails is at its centre."""
        return self.resolution / (self.scale if self.tail is None else self.tail[1] * self.scale)

    @property
    def decimals_written(self) -> int | None:
        """Of its numbers in a file: as many as the column had, or six digits of its spread; None of categories."""
        if self.is_categorical:
            return None
        if self.decimals is not None:
            return self.decimals
        unit = self.scale if self.tail is None else self.tail[1] * self.scale
        return max(0, DIGITS - 1 - math.floor(math.log10(max(unit, 1e-300))))

    def text(self, value: float) -> str:
        """One value in the column's own words, numbers to three digits; a category is given by its place.

        Between the two values of a binary column the more probable one, and its probability.
        """
        if math.isnan(value):
            return "missing"
        if self.is_categorical:
            return self._category(min(max(round(value), 0), len(self.categories) - 1))
        if self.kind == "binary":
            probability = (value - self.origin - self.offset) / self.scale
            if not -1e-6 <= probability <= 1 + 1e-6:  # neither of the two, nor between them
                return _number(value)
            nearer = self._category(int(probability > 0.5))
            certain = abs(probability - 0.5) > 0.4995
            return nearer if certain else f"{nearer} ({max(probability, 1 - probability):.0%})"
        return _number(value)

    def _category(self, place: int) -> str:
        value = self.categories[place]
        if self.type.is_boolean and value in (0, 1):
            return "true" if value else "false"
        return f"{value:.15g}" if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    if 10_000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.0f}" if 1000 <= abs(value) < 10_000 else f"{value:.3g}"


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
    texts: set[str] | None = None
    n_compared: int = 0  # texts until more than `MAX_CATEGORIES` of them differed
    n_texts: int = 0
    n_words: int = 0

    def add(self, values: np.ndarray, keep_distinct: int, counts: bool = False) -> None:
        """Values (N,) as `read_columns` gives them."""
        unknown = is_missing(values)
        self.missing |= bool(unknown.any())
        known = values[~unknown]
        if holds_texts(values):
            self._add_texts(known.tolist())
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
            return of_texts(len(self.texts), self.n_compared, self.n_words, self.n_texts, MAX_CATEGORIES)
        quantities = self.type.arrow and not (named and self.type.is_whole)  # objects have no type
        if quantities or not self.whole or not self.n:
            return None
        return IDENTIFIER if is_identifier(name, self.differences, self.highest - self.lowest, rows) else None

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
        by_number = discrete and levels is not None and len(levels) > 2 and self.whole
        if levels is not None and (by_number or declared == "category"):
            return Column(name, "category", categories=tuple(levels))
        if self.moments.is_constant:
            return Column(name, "numeric", self.moments.centre, constant=True)
        shape = shape_of(self.sample.values, self.n, self.distinct)
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
        )

    def _level(self, value: int | float) -> int | float:
        """A value as its type has it: whole numbers stay whole numbers."""
        return int(value) if self.type.is_whole else float(value)
