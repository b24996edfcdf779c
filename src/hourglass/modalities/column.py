"""One column of a table as it was at fit: its kind, scale and range, and its values in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hourglass.modalities import dates
from hourglass.readers.column_types import ANY_TYPE, ColumnType

MIN_SCALE_OF_FLOAT32 = 1e-30  # below 1e-38 its digits get fewer
DIGITS = 6  # of the spread of a column, that numbers are written with where it has no decimals of its own

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
    unit : of a column of times, the step in seconds of the grid they lie on; 0 of all others.
    cycles : periods in seconds that the encoder sees such a column in.
    origin : subtracted from whole numbers that a float64 cannot hold; all of the above but `categories` is relative to
        it.
    logs : mean and standard deviation of log(1 + count).
    type : what it was in its container.
    members : the one-hot columns of the table that it stands for, one for each category; see `one_hot`.
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
    unit: float = 0.0
    cycles: tuple[float, ...] = ()
    type: ColumnType = ANY_TYPE
    members: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        if self.kind in ("binary", "category") and not self.categories:
            raise ValueError(f"column {self.name!r} is {self.kind} and has no categories")
        if self.tail is not None and not self.tail[1] > 0:
            raise ValueError(f"column {self.name!r} has a tail of unit {self.tail[1]}: it must be above 0")

    @property
    def sources(self) -> tuple[Column, ...]:
        """The columns of the table that it stands for, which is itself for most."""
        return self.members or (self,)

    @property
    def texts(self) -> bool:
        return bool(self.categories) and isinstance(self.categories[0], str)

    @property
    def is_time(self) -> bool:
        """Whether it holds dates or times, as seconds."""
        return self.type.is_time and not self.is_categorical

    @property
    def is_written(self) -> bool:
        """Whether texts may stand for its numbers: those of dates, and those that a notation says how to read."""
        return (self.type.is_time or bool(self.type.notation)) and not self.is_categorical

    @property
    def kind_in_words(self) -> str:
        return "date or time" if self.is_time and self.kind == "numeric" else self.kind

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
        if self.is_time:  # of which hours and seconds are wanted
            return True
        centre, unit = (self.offset, self.scale) if self.tail is None else self.tail
        return unit < MIN_SCALE_OF_FLOAT32 or abs(centre) > 1e4 * unit

    @property
    def step(self) -> float:
        """The smallest step between its values in model space, where a column with heavy tails is at its centre."""
        return self.resolution / (self.scale if self.tail is None else self.tail[1] * self.scale)

    @property
    def decimals_written(self) -> int | None:
        """Of its numbers in a file: as many as the column had, or six digits of its spread; None of categories."""
        if self.is_categorical or self.is_time:
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
                return self._plain(value)
            nearer = self._category(int(probability > 0.5))
            certain = abs(probability - 0.5) > 0.4995
            return nearer if certain else f"{nearer} ({max(probability, 1 - probability):.0%})"
        return self._plain(value)

    def raw_text(self, raw: float) -> str:
        """The same of a raw value, as models have it; one that was not there at fit has no words."""
        if math.isinf(raw):
            return "a value never seen at fit"
        return self.text(raw if self.is_categorical else self.shown(raw))

    def shown(self, raw: float) -> float:
        """A raw number in the column's own units."""
        return (self.offset if self.constant else raw) + self.origin

    def _plain(self, value: float) -> str:
        return dates.text_of(self, value) if self.is_written else _number(value)

    def _category(self, place: int) -> str:
        value = self.categories[place]
        if self.is_written and not isinstance(value, str):
            return dates.text_of(self, float(value))
        if self.type.is_boolean and value in (0, 1):
            return "true" if value else "false"
        return f"{value:.15g}" if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    if 10_000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.0f}" if 1000 <= abs(value) < 10_000 else f"{value:.3g}"
