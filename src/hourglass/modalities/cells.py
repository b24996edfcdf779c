"""The cells of one column <-> raw numbers: numbers as they are, categories by their place.

A missing cell is NaN. The value of a constant column is 0, so that nothing is lost of it. A value that was not there at
fit, where values are counted, is `UNSEEN`: infinity, which scaling leaves as it is. To the encoder it is missing; to
the likelihood it is rarer than anything that was there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hourglass.modalities import dates
from hourglass.modalities.column import Column
from hourglass.modalities.column_statistics import ROUNDING
from hourglass.modalities.columns import EXACT, holds_texts, is_missing
from hourglass.user_warnings import warn

UNSEEN = math.inf
MAX_COUNT = 1e16  # samples are drawn as whole numbers of 64 bits


def to_raw(column: Column, values: np.ndarray) -> np.ndarray:
    """A column (N,) as `read_columns` gives it -> raw (N,) float64, NaN for missing, `UNSEEN` for what is new.

    Raises
    ------
    ValueError : for a text where there were numbers at fit, and a count that is none.
    """
    values = as_numbers(column, values)
    if holds_texts(values) and not column.texts:
        _refuse_texts(column, values)
        return np.full(len(values), math.nan)
    if column.categories:
        places = _places(column.categories, values)
        raw, unseen = places if column.is_categorical else _numbers(values, column.origin), places < 0
    else:
        raw = _numbers(values, column.origin)
        if not column.constant:
            if column.kind == "count":
                _refuse_odd_counts(column, raw)
            return raw
        unseen = ~np.isnan(raw) & ~_is_same(raw, column.offset)
        raw = np.where(np.isnan(raw), raw, 0.0)
    if unseen.any():
        warn(
            f"column {column.name!r} holds {values[unseen].tolist()[0]!r}, which was not there at fit; "
            f"{int(unseen.sum())} such cells are taken as unknown, and as rarer than anything that was there"
        )
    return np.where(unseen, UNSEEN, raw)


def as_numbers(column: Column, values: np.ndarray) -> np.ndarray:
    """A column (N,) as `read_columns` gives it, texts that are dates or numbers as what they mean."""
    return dates.meaning_of(column, values) if column.is_written and holds_texts(values) else values


def _is_same(numbers: np.ndarray, constant: float) -> np.ndarray:
    """Whether numbers are the constant, to the rounding of a mean, or as float32 writes it."""
    near = np.abs(numbers - constant) <= ROUNDING * abs(constant)
    return near | (numbers == np.float32(constant)) if constant % 1 else near


def _numbers(values: np.ndarray, origin: int) -> np.ndarray:
    """Numbers less `origin`, (N,) float64; whole numbers are subtracted exactly."""
    if values.dtype == object:
        return np.array([math.nan if v is None or v != v else float(v - origin) for v in values.tolist()])
    return values.astype(np.float64) - origin


def _places(categories: Sequence[str | int | float], values: np.ndarray) -> np.ndarray:
    """The place of each value among the categories, (N,) float64: NaN for missing, -1 for one that is not there."""
    place: dict[str | int | float, float] = {category: float(k) for k, category in enumerate(categories)}
    if not isinstance(categories[0], str):  # float32 writes 0.1 otherwise than float64
        for category in [c for c in categories if isinstance(c, float) and c % 1]:
            place.setdefault(float(np.float32(category)), place[category])
        if values.dtype != object:
            return _places_of_numbers({float(c): k for c, k in place.items()}, values.astype(np.float64))
    present = ~is_missing(values)
    cells = values[present].tolist()
    known = {v: next((place[s] for s in (v, *aliases(v)) if s in place), -1.0) for v in set(cells)}
    places = np.full(len(values), math.nan)
    places[present] = [known[v] for v in cells]
    return places


def _places_of_numbers(place: dict[float, float], values: np.ndarray) -> np.ndarray:
    levels = np.array(sorted(place))
    nearest = levels[np.searchsorted(levels, values).clip(max=len(levels) - 1)]
    places = np.array([place[level] for level in levels.tolist()])[np.searchsorted(levels, nearest)]
    return np.where(np.isnan(values), math.nan, np.where(nearest == values, places, -1.0))


def aliases(value: Any) -> Iterator[str]:
    """How a category may have been written that a reader takes for a number now."""
    yield str(value)
    if isinstance(value, int | float):
        yield f"{value:.15g}"
        if value in (0, 1):
            yield from (("False", "false", "FALSE"), ("True", "true", "TRUE"))[int(value)]


def _refuse_texts(column: Column, values: np.ndarray) -> None:
    texts = [(row, v) for row, v in enumerate(values.tolist()) if v is not None]
    if not texts:
        return
    row, value = next(((row, v) for row, v in texts if not _is_number(v)), texts[0])
    raise ValueError(
        f"column {column.name!r}, row {row} holds {value!r}, a text where there were numbers at fit; give a number, or "
        "leave the cell empty"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_odd_counts(column: Column, numbers: np.ndarray) -> None:
    odd = ((numbers < 0) | (numbers != np.round(numbers))) & ~np.isnan(numbers)
    if odd.any():
        raise ValueError(f"column {column.name!r} is declared a count and holds {numbers[odd][0]:g}; give 0, 1, 2, ...")
    if (numbers > MAX_COUNT).any():
        raise ValueError(
            f"column {column.name!r} is declared a count and holds {np.nanmax(numbers):g}, beyond {MAX_COUNT:g}; "
            "leave it a number, or give its logarithm"
        )


def from_raw(column: Column, raw: np.ndarray, possible: bool) -> np.ndarray:
    """Raw (N,) -> the column's values: categories by name, numbers in their own units.

    Where they are to be `possible`, values that could have been there: one of the two where there were two, whole
    numbers where there was nothing else, none beyond the lowest and the highest, with the decimals that there were.
    """
    if column.is_categorical:
        return _among(column.categories, raw)
    if column.kind == "binary" and possible:
        return _among(column.categories, (raw - column.offset) / column.scale)
    if column.constant:  # whatever a decoder says of it
        raw = np.full(len(raw), column.offset)
    elif possible and column.lowest is not None:
        raw = _at_spikes(column, raw.clip(column.lowest, column.highest))
    if possible or column.unit:
        raw = in_decimals(column, raw)
    if not column.origin:
        return raw
    if column.constant or (possible and column.whole):
        return np.array([None if v != v else int(v) + column.origin for v in raw.tolist()], dtype=object)
    return raw + column.origin


def in_decimals(column: Column, numbers: np.ndarray) -> np.ndarray:
    """Numbers (N,) of a column with as many decimals as it had, where it had few."""
    if column.unit and not column.is_categorical:
        return np.asarray(dates.on_grid(column, numbers))
    if column.whole:
        return numbers.round()
    if column.is_categorical or column.constant or column.decimals is None or numbers.dtype == object:
        return numbers
    return numbers.astype(np.float64).round(column.decimals)


def _at_spikes(column: Column, raw: np.ndarray) -> np.ndarray:
    """Numbers (N,), with those that are a spike but for the rounding of float32 exactly there."""
    unit = column.scale if column.tail is None else column.scale * column.tail[1]
    for spike in column.spikes:
        raw = np.where(np.abs(raw - spike) <= 1e-5 * unit + 1e-6 * abs(spike), spike, raw)
    return raw


def _among(categories: Sequence[str | int | float], places: np.ndarray) -> np.ndarray:
    """The category nearest to each place (N,); None or NaN where that is NaN."""
    missing = np.isnan(places)
    nearest = np.where(missing, 0, places).round().astype(int).clip(0, len(categories) - 1)
    named = np.array(categories, dtype=object)[nearest]
    named[missing] = None
    exact = all(not isinstance(c, str) and abs(c) <= EXACT for c in categories)
    return named.astype(np.float64) if exact else named
