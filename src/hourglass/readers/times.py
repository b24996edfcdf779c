"""Columns of dates, times and durations in Arrow <-> seconds: since 1970 of dates, since midnight of times of day.

Seconds are float64, which keeps microseconds for the next two thousand years. A time in a zone is what the clock on the
wall shows there, so that noon is noon in winter and in summer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAY = 86_400


def is_time(arrow: str) -> bool:
    """Whether a type, in Arrow's words, is one of dates, times or durations."""
    return is_clock(arrow) or is_duration(arrow) or arrow.startswith(("timestamp[", "date32", "date64"))


def is_clock(arrow: str) -> bool:
    """Whether a type is one of times of day."""
    return arrow.startswith(("time32[", "time64["))


def is_duration(arrow: str) -> bool:
    return arrow.startswith("duration[")


def type_named(name: str) -> Any:
    """The Arrow type of this name; other than Arrow's own way, with time zones."""
    import pyarrow as pa

    if ", tz=" in name:
        unit, zone = name.removeprefix("timestamp[").removesuffix("]").split(", tz=")
        return pa.timestamp(unit, zone)
    return pa.type_for_alias(name)


def to_seconds(column: Any) -> np.ndarray:
    """An Arrow column of times -> (N,) float64, NaN where missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    kind = column.type
    if pa.types.is_date(kind):
        return DAY * _floats(column.cast(pa.date32()).cast(pa.int32()))
    ticks = column.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
    per = PER_SECOND[kind.unit]
    if per == 1:
        return _floats(ticks)
    whole = pc.divide(ticks, pa.scalar(per, ticks.type))
    rest = pc.subtract(ticks, pc.multiply(whole, pa.scalar(per, ticks.type)))
    return np.asarray(_floats(whole) + _floats(rest) / per)


def from_seconds(seconds: np.ndarray, kind: Any) -> Any:
    """Seconds (N,), NaN for missing -> an Arrow array of a type of times, the nearest that it holds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = np.isnan(seconds)
    seconds = np.where(missing, 0.0, seconds.astype(np.float64))
    if pa.types.is_date(kind):
        days = np.floor(seconds / DAY + 1e-9).clip(-719_162, 2_932_896)  # the years 1 to 9999
        return pa.array(days.astype(np.int32), mask=missing).cast(pa.date32()).cast(kind)
    per = PER_SECOND[kind.unit]
    if pa.types.is_time(kind):
        seconds = seconds.clip(0, DAY - 1 / per)
    most = np.floor((2**63 - 1) / per) - 1
    whole = np.floor(seconds.clip(-most, most))
    ticks = whole.astype(np.int64) * per + np.rint((seconds.clip(-most, most) - whole) * per).astype(np.int64)
    array = pa.array(ticks, mask=missing)
    if pa.types.is_time32(kind):
        return array.cast(pa.int32()).cast(kind)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        local = array.cast(pa.timestamp(kind.unit))
        return pc.assume_timezone(local, kind.tz, ambiguous="earliest", nonexistent="earliest")
    return array.cast(kind)


def _floats(column: Any) -> np.ndarray:
    import pyarrow as pa

    return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
