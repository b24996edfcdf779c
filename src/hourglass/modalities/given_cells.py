"""Cells of a table that are given, by the names of their columns: the rows around them are to be drawn."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hourglass.modalities.cells import UNSEEN, as_numbers
from hourglass.modalities.column import Column
from hourglass.modalities.columns import is_missing, read_columns
from hourglass.modalities.one_hot import to_raw
from hourglass.readers import containers


@dataclass(frozen=True)
class GivenCells:
    """Values of some columns for m rows; a missing one is not given.

    Attributes
    ----------
    values : name -> (m,), as `read_columns` gives them.
    raw : (m, D) float64 in raw units, NaN for what is not given.
    """

    values: dict[str, np.ndarray]
    raw: np.ndarray

    @classmethod
    def read(cls, given: Any, columns: Sequence[Column]) -> GivenCells:
        """From a mapping of names to values (one, or several of equal number), or a table of some columns.

        Raises
        ------
        ValueError : for a column or a value that was not there at fit, and a text where there were numbers.
        """
        named = {source.name: source for column in columns for source in column.sources}
        places = {source.name: i for i, column in enumerate(columns) for source in column.sources}
        values = read_columns(_table(given, list(named)))
        for name in values:
            if name not in places:
                near = difflib.get_close_matches(name, places, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"its columns are {', '.join(places)}"
                raise ValueError(f"given: {name!r} is not a column that the model knows; {hint}")
        raw = np.full((len(next(iter(values.values()))), len(columns)), np.nan)
        for name in values:
            values[name] = as_numbers(named[name], values[name])
        for name in values:
            column = columns[places[name]]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of values that were not there, which are refused below
                raw[:, places[name]] = to_raw(column, _beside(column, values, len(raw)))
            if column.members and np.isnan(raw[:, places[name]]).any():
                raise ValueError(f"given: {name!r} is one of several one-hot columns; give the one that is 1")
            for row in np.flatnonzero(raw[:, places[name]] == UNSEEN).tolist():
                levels = [column.text(level) if isinstance(level, float) else str(level) for level in column.categories]
                known = (
                    f"known values: {', '.join(levels)}" if levels else f"it was always {column.text(column.offset)}"
                )
                raise ValueError(
                    f"given: {name!r} is {values[name].tolist()[row]!r}, which was not there at fit; {known}"
                )
        return cls(values, raw)

    def put_into(self, columns: dict[str, np.ndarray], categorical: Sequence[str]) -> dict[str, np.ndarray]:
        """Drawn columns of m * n rows with the given cells as they were given, n rows for each of m in turn."""
        merged = dict(columns)
        for name, cells in self.values.items():
            if name in categorical:  # their drawn cells are what was given, by the name of the fit
                continue
            n = len(columns[name]) // len(cells)
            mine = np.repeat(cells, n)
            both = (mine.dtype == object) != (columns[name].dtype == object)
            merged[name] = np.where(is_missing(mine), columns[name].astype(object) if both else columns[name], mine)
        return merged


def _beside(column: Column, values: Mapping[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """The cells given of a column, or of its members, those of other members being missing."""
    return {source.name: values.get(source.name, np.full(n, np.nan)) for source in column.sources}


def _table(given: Any, names: Sequence[str]) -> Any:
    """A table of m rows; single values of a mapping are those of every row."""
    if not isinstance(given, Mapping):
        table = containers.canonical(given, "given")
        if not containers.is_frame(table):
            raise TypeError(f"given must name its columns: a dict such as {{{names[0]!r}: ...}}, or a frame")
        return table
    if not given:
        raise ValueError("given names no column; leave it out, or name at least one")
    sizes = {str(k): len(v) for k, v in given.items() if not containers.is_single(v)}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"given: columns of different lengths ({sizes}); give one value, or as many of each")
    m = next(iter(sizes.values()), 1)
    return containers.canonical({str(k): [v] * m if containers.is_single(v) else v for k, v in given.items()}, "given")
