"""How rows of a table look."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from hourglass.modalities import Tables
from hourglass.modalities.cells import as_numbers, to_raw
from hourglass.modalities.column import Column
from hourglass.modalities.columns import read_columns
from hourglass.views.forms import Cells


def view(modality: Tables, examples: Any) -> Cells:
    """A table of the columns at fit, in any container."""
    read = tuple(read_columns(modality.learned_from(examples)).values())
    values = [_values(column, cells) for column, cells in zip(modality.columns, read, strict=True)]
    return Cells(np.stack(values, axis=1), modality.columns, read)


def _values(column: Column, cells: np.ndarray) -> np.ndarray:
    """(N,) numbers in their own units, categories as their place.

    Numbers are taken as they are: a reconstruction lies between the values that `to_raw` knows.
    """
    if not column.is_categorical:
        return as_numbers(column, cells).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are new: they have been warned of, or are about to be
        return to_raw(column, cells)
