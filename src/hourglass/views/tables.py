"""How rows of a table look."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from hourglass.modalities import Tables
from hourglass.modalities.cells import as_numbers
from hourglass.modalities.column import Column
from hourglass.modalities.columns import read_columns
from hourglass.modalities.one_hot import to_raw
from hourglass.views.forms import Cells


def view(modality: Tables, examples: Any) -> Cells:
    """A table of the columns at fit, in any container."""
    found = read_columns(modality.learned_from(examples)).values()
    cells = dict(zip([source.name for source in modality.sources], found, strict=True))
    values = [_values(column, cells) for column in modality.columns]
    read = [v if column.members else cells[column.name] for column, v in zip(modality.columns, values, strict=True)]
    return Cells(np.stack(values, axis=1), modality.columns, tuple(read))


def _values(column: Column, cells: dict[str, np.ndarray]) -> np.ndarray:
    """(N,) numbers in their own units, categories as their place.

    Numbers are taken as they are: a reconstruction lies between the values that `to_raw` knows.
    """
    if not column.is_categorical:
        return as_numbers(column, cells[column.name]).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are new: they have been warned of, or are about to be
        return to_raw(column, cells)
