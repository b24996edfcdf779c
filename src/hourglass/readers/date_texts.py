"""Texts that are dates and times <-> seconds, as `times` counts them.

Read are dates as ISO 8601 has them (2024-03-31), with a time after a T or a blank (12:30, 12:30:05, 12:30:05.123) and
that with Z or an offset (+01:00); times of day alone; and, where it is said which comes first, dates of day, month and
year between slashes, points or dashes (31/12/2024, 31.12.24). The years of two digits are 1969 to 2068, as in POSIX.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from hourglass.readers.times import DAY, from_seconds

Order = Literal["day-first", "month-first"]

ISO_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
ZONE = r" ?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
LIKE_A_DATE = re.compile(
    r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}([./-])[0-9]{1,2}\2([0-9]{4}|[0-9]{2})\b|[0-9]{1,2}:[0-9]{2})"
)
LAST = 253_402_300_799.0  # seconds; the year 9999 ends
FIRST = -62_135_596_800.0
PATTERN = re.compile(
    r"(?P<date>%-?[Ymd].*%-?[Ymdy])?(?P<between>T| )?(?P<clock>%H:%M(:%S)?)?(\.%(?P<digits>\d)f)?(?P<zone>.*)"
)


@dataclass(frozen=True)
class DateNotation:
    """How the dates and times of a column are written.

    Attributes
    ----------
    date : in the words of strftime, "%Y-%m-%d" or "%-d/%-m/%Y"; "" of times of day alone.
    between : date and time: "T", " " or "".
    clock : "", "%H:%M" or "%H:%M:%S".
    digits : of fractions of a second.
    zone : "", "Z" or an offset.
    one_zone : whether all texts have that one; others are read, and written in this one. `str` leaves this out.
    """

    date: str = ""
    between: str = ""
    clock: str = ""
    digits: int = 0
    zone: str = ""
    one_zone: bool = True

    def __str__(self) -> str:
        """All of it, as in "%Y-%m-%dT%H:%M:%S.%3fZ"."""
        return f"{self.date}{self.between}{self.clock}{f'.%{self.digits}f' if self.digits else ''}{self.zone}"

    @classmethod
    def parse(cls, text: str) -> DateNotation:
        """The notation that `str` wrote; raises ValueError for other texts."""
        found = PATTERN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a notation of dates")
        date, between, clock, zone = (found[name] or "" for name in ("date", "between", "clock", "zone"))
        return cls(date, between, clock, int(found["digits"] or 0), zone)

    def merged(self, other: DateNotation) -> DateNotation | None:
        """The notation of cells of both; None where it is not one."""
        if self.date.replace("-d", "d").replace("-m", "m") != other.date.replace("-d", "d").replace("-m", "m"):
            return None
        if bool(self.zone) != bool(other.zone):
            return None
        return replace(
            self,
            date=max(self.date, other.date, key=len),
            between=self.between or other.between,
            clock=max(self.clock, other.clock, key=len),
            digits=max(self.digits, other.digits),
            one_zone=self.one_zone and other.one_zone and _offset(self.zone) == _offset(other.zone),
        )

    @property
    def unit(self) -> float:
        """Seconds of its last place."""
        if not self.clock:
            return float(DAY)
        return 10.0**-self.digits if self.clock.endswith("S") else 60.0


def read_dates(
    texts: Sequence[str] | Any, order: Order | None = None, zone: str | None = None
) -> tuple[np.ndarray, DateNotation] | None:
    """Texts -> seconds (N,), and how they are written; None where some are not dates.

    Parameters
    ----------
    texts : texts, or an Arrow array of them, none missing, at least one.
    order : of day and month, in dates that are not ISO.
    zone : of the clock that seconds go by; that of the first text by default.
    """
    first = texts[0] if isinstance(texts[0], str) else texts[0].as_py()
    like = LIKE_A_DATE.match(first)
    if like is None or (like[2] and not order):
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    elif not isinstance(texts, pa.Array):
        texts = pa.array(texts, pa.string())
    date, separator = _date_pattern(like, order)
    pattern = rf"^\s*{date}(?:[T ]{CLOCK}(?:{ZONE})?)?\s*$" if date else rf"^\s*{CLOCK}\s*$"
    found = pc.extract_regex(texts, pattern)
    if found.null_count:
        return None
    parts = {field.name: found.field(i) for i, field in enumerate(found.type)}
    try:
        seconds = _days(parts) * float(DAY) if date else np.zeros(len(texts))
        clock = _clock(parts)
    except (pa.ArrowInvalid, ValueError):
        return None
    notation = _notation(first, parts, separator, order if like[2] else None, bool(date))
    if notation is None:
        return None
    return seconds + clock + _offset(notation.zone if zone is None else zone), notation


def _date_pattern(like: re.Match[str], order: Order | None) -> tuple[str, str]:
    """The pattern of a date and the separator in it; "" for times of day."""
    if like[2]:
        names = ("day", "month") if order == "day-first" else ("month", "day")
        sign = re.escape(like[2])
        first, second = (rf"(?P<{name}>[0-9]{{1,2}})" for name in names)
        return rf"{first}{sign}{second}{sign}(?P<year>[0-9]{{4}}|[0-9]{{2}})", like[2]
    return (ISO_DATE, "-") if "-" in like[1] else ("", "")


def _whole(texts: Any) -> np.ndarray:
    """Digits (N,) as numbers, 0 where there are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.asarray(pc.if_else(pc.equal(texts, ""), "0", texts).cast(pa.int64()).to_numpy(zero_copy_only=False))


def _days(parts: dict[str, Any]) -> np.ndarray:
    """Days since 1970, (N,); raises ArrowInvalid for days that are not in the calendar."""
    import pyarrow as pa
    import pyarrow.compute as pc

    short = pc.equal(pc.utf8_length(parts["year"]), 2)
    century = pc.if_else(pc.greater(parts["year"], "68"), "19", "20")
    year = pc.if_else(short, pc.binary_join_element_wise(century, parts["year"], ""), parts["year"])
    padded = [pc.utf8_lpad(parts[name], width=2, padding="0") for name in ("month", "day")]
    dates = pc.binary_join_element_wise(year, *padded, "-").cast(pa.date32())
    return np.asarray(dates.cast(pa.int32()).to_numpy(zero_copy_only=False), dtype=np.int64)


def _clock(parts: dict[str, Any]) -> np.ndarray:
    """Seconds since midnight in UTC, (N,) float64; raises ValueError beyond 23:59:59."""
    import pyarrow as pa
    import pyarrow.compute as pc

    hour, minute, second = (_whole(parts[name]) for name in ("hour", "minute", "second"))
    if hour.max() > 23 or minute.max() > 59 or second.max() > 59:
        raise ValueError("not a time of day")
    seconds = (hour * 60 + minute) * 60.0 + second
    if pc.any(pc.not_equal(parts["fraction"], "")).as_py():
        fraction = pc.binary_join_element_wise("0", parts["fraction"], ".")
        fraction = pc.if_else(pc.equal(fraction, "0."), "0", fraction).cast(pa.float64())
        seconds = seconds + fraction.to_numpy(zero_copy_only=False)
    if "zone" in parts and pc.any(pc.not_equal(parts["zone"], "")).as_py():
        zones = parts["zone"].dictionary_encode()
        offsets = np.array([_offset(zone) for zone in zones.dictionary.to_pylist()])
        seconds = seconds - offsets[zones.indices.to_numpy(zero_copy_only=False)]
    return np.asarray(seconds)


def _offset(zone: str) -> float:
    """Seconds that a zone is before UTC."""
    if zone in ("", "Z"):
        return 0.0
    digits = zone.lstrip(" +-").replace(":", "").ljust(4, "0")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-60.0 if "-" in zone else 60.0)


def _notation(
    first: str, parts: dict[str, Any], separator: str, order: Order | None, has_date: bool
) -> DateNotation | None:
    """How texts are written whose first one and parts (name -> N texts) these are; None where it is not one way."""
    import pyarrow.compute as pc

    def longest(name: str) -> int:
        return int(pc.max(pc.utf8_length(parts[name])).as_py())

    def any_short(name: str) -> bool:
        return bool(pc.any(pc.equal(pc.utf8_length(parts[name]), 1)).as_py())

    clock = ("%H:%M:%S" if longest("second") else "%H:%M") if longest("hour") else ""
    date = ""
    if has_date and order is None:
        date = "%Y-%m-%d"
    elif has_date:
        short = "-" if any_short("day") or any_short("month") else ""
        names = "dm" if order == "day-first" else "md"
        years = set(pc.unique(pc.utf8_length(parts["year"])).to_pylist())
        if len(years) > 1:
            return None
        date = separator.join([*(f"%{short}{name}" for name in names), "%Y" if years == {4} else "%y"])
    zone, one_zone = "", True
    if "zone" in parts and longest("zone"):
        with_zone = pc.not_equal(parts["zone"], "")
        if not pc.all(with_zone).as_py():
            return None
        zone = parts["zone"][0].as_py()
        one_zone = len({_offset(other) for other in pc.unique(parts["zone"]).to_pylist()}) == 1
        zone = f" {zone}" if f" {zone}" in first else zone
    between = ("T" if "T" in first else " ") if has_date and clock else ""
    return DateNotation(date, between, clock, longest("fraction"), zone, one_zone)


def write_dates(seconds: np.ndarray, notation: DateNotation) -> np.ndarray:
    """Seconds (N,), NaN for missing -> texts (N,) of objects, None for missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unit = notation.unit
    missing = np.isnan(seconds)
    ticks = np.rint(np.where(missing, 0.0, seconds).clip(FIRST, LAST) / unit)
    ticks = np.where(missing, np.nan, ticks)
    whole = np.floor(ticks * unit + 1e-9) if unit >= 1 else np.floor(ticks * unit + unit / 4)
    stamps = from_seconds(whole, pa.timestamp("s"))
    parts: Sequence[Any] = []
    if notation.date:
        dates = pc.strftime(stamps, format=notation.date.replace("%-", "%"))
        parts = [pc.replace_substring_regex(dates, r"\b0(\d)", r"\1") if "%-" in notation.date else dates]
    if notation.clock:
        parts = [*parts, notation.between, pc.strftime(stamps, format=notation.clock)]
    if notation.digits:
        fractions = np.rint((ticks * unit - whole) / unit)
        texts = [None if f != f else f".{int(f):0{notation.digits}d}" for f in fractions.tolist()]
        parts = [*parts, pa.array(texts, pa.string())]
    joined = pc.binary_join_element_wise(*parts, notation.zone, "")
    return np.array(joined.to_pylist(), dtype=object)


def is_date(text: str, order: Order | None = None) -> bool:
    """Whether a text is a date or a time."""
    return read_dates([text], order) is not None


def day_and_month(texts: Sequence[str]) -> tuple[Order, ...]:
    """The orders in which all texts, which are not ISO dates, can be read."""
    if not len(texts) or read_dates(texts) is not None:
        return ()
    orders: tuple[Order, ...] = ("day-first", "month-first")
    return tuple(order for order in orders if read_dates(texts, order) is not None)
