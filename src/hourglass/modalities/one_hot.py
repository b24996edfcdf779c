"""One-hot columns, of which exactly one is 1 in every row, are one category: found, folded into it, and unfolded again.

A `Column` with `members` stands for as many neighbouring columns of the table. To the model it is a category, so that a
score counts it once, and what is drawn has exactly one 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hourglass.modalities.cells import UNSEEN
from hourglass.modalities.cells import to_raw as raw_of_cells
from hourglass.modalities.column import Column
from hourglass.modalities.columns import holds_texts
from hourglass.user_warnings import warn

SAMPLE = 1000  # rows that are looked at before all of them are
MIN_ROWS = 20  # of fewer, columns are so by accident
SEPARATORS = " _-.:=/["


class OneHot:
    """Runs of neighbouring columns of 0 and 1 of which exactly one is 1 in every row, over chunks of a table."""

    def __init__(self) -> None:
        self._runs: list[tuple[str, ...]] | None = None

    def add(self, columns: Mapping[str, np.ndarray]) -> None:
        """Columns (N,) of the next rows."""
        if self._runs is None:
            self._runs = list(_runs(columns))
        self._runs = [run for run in self._runs if _sums_to_one([columns[name] for name in run])]

    def folded(self, columns: Sequence[Column], apart: Collection[str]) -> tuple[Column, ...]:
        """The columns, with one in place of each run; a run with a column `apart` stays as it is."""
        known = {column.name: column for column in columns}
        runs = [run for run in self._runs or () if set(run) <= set(known) - set(apart)]
        first = {run[0]: run for run in runs}
        inside = {name for run in runs for name in run[1:]}
        kept: list[Column] = []
        for column in columns:
            if column.name in first:
                members = tuple(known[name] for name in first[column.name])
                kept.append(_group(members, {*known, *(c.name for c in kept)}))
            elif column.name not in inside:
                kept.append(column)
        return tuple(kept)


def _group(members: tuple[Column, ...], taken: Collection[str]) -> Column:
    """One column for all members; it is called as what their names begin with, and its categories as what is left."""
    names = [member.name for member in members]
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    start = "".join(letters[0] for letters in alike)
    name, levels = start.rstrip(SEPARATORS), [each[len(start) :] for each in names]
    if name in (start, "") or name in taken or not all(levels):
        name, levels = f"{names[0]} to {names[-1]}", names
    return Column(name, "category", categories=tuple(levels), members=members)


def _runs(columns: Mapping[str, np.ndarray]) -> Iterator[tuple[str, ...]]:
    names = list(columns)
    binary = [values.dtype != object and _is_binary(values) for values in columns.values()]
    start = 0 if len(next(iter(columns.values()), ())) >= MIN_ROWS else len(names)
    while start < len(names):
        total, stop = np.zeros(len(columns[names[start]])), start
        while stop < len(names) and binary[stop] and total.min() < 1:
            total, stop = total + columns[names[stop]], stop + 1
            if total.max() > 1:
                break
        varying = sum(bool(np.ptp(columns[name])) for name in names[start:stop]) if (total == 1).all() else 0
        found = varying > 1
        if found:
            yield tuple(names[start:stop])
        start = stop if found else start + 1


def _is_binary(values: np.ndarray) -> bool:
    """Whether there is nothing but 0 and 1; a look at the first rows tells of most columns."""
    return bool(np.isin(values[:SAMPLE], (0, 1)).all()) and bool(np.isin(values, (0, 1)).all())


def _sums_to_one(columns: Sequence[np.ndarray]) -> bool:
    return all(bool(np.isin(values, (0, 1)).all()) for values in columns) and bool((np.sum(columns, axis=0) == 1).all())


def to_raw(column: Column, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """A column as raw (N,), from the cells of the table by name, (N,) each; see `cells.to_raw`.

    Of one-hot columns a missing cell is known where the others leave one place for the 1; a row with no 1, or several,
    is one of a category that was not there at fit.
    """
    if not column.members:
        return raw_of_cells(column, values[column.name])
    cells = np.stack([_numbers(member, values[member.name]) for member in column.members], axis=1)
    missing, one = np.isnan(cells), cells == 1
    odd = ~(missing | one | (cells == 0)).all(1)
    n_ones, n_missing = one.sum(1), missing.sum(1)
    place = np.where(n_ones == 1, one.argmax(1), missing.argmax(1)).astype(np.float64)
    raw = np.where((n_ones == 1) | (n_missing == 1), place, math.nan)
    unseen = odd | (n_ones > 1) | ((n_ones == 0) & (n_missing == 0))
    if unseen.any():
        row = int(unseen.argmax())
        warn(
            f"columns {column.members[0].name} to {column.members[-1].name}: at fit always one of them was 1, and in "
            f"row {row} {'none' if not n_ones[row] else 'several'} are; {int(unseen.sum())} such rows are taken as "
            "unknown there, and as rarer than anything that was there"
        )
    return np.where(unseen, UNSEEN, raw)


def _numbers(member: Column, values: np.ndarray) -> np.ndarray:
    """0, 1 and NaN, (N,) float64; texts are refused as in other columns of numbers."""
    if holds_texts(values):
        return raw_of_cells(replace(member, kind="numeric", categories=(), constant=False), values)
    return values.astype(np.float64)


def unfolded(column: Column, raw: np.ndarray) -> dict[str, np.ndarray]:
    """Raw places (N,), NaN for missing -> the members' cells by name: 1 there, and 0 in all others."""
    missing = np.isnan(raw)
    places = np.where(missing, 0, raw).round().clip(0, len(column.members) - 1)
    return {m.name: np.where(missing, math.nan, places == k) for k, m in enumerate(column.members)}


def filled(column: Column, raw: np.ndarray, known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The members' cells where missing ones are to be filled in: the 1 is at a missing cell, or where it is known."""
    cells = np.stack([_numbers(member, known[member.name]) for member in column.members], axis=1)
    open_ = np.isnan(cells) | (cells == 1)
    rows = np.arange(len(raw))
    places = np.nan_to_num(raw, posinf=0).round().astype(int).clip(0, len(column.members) - 1)
    places = np.where(open_[rows, places], places, open_.argmax(1))
    return unfolded(column, np.where(np.isnan(raw), math.nan, places))
