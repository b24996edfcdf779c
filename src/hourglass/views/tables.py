"""How rows of a table look."""

from __future__ import annotations

from typing import Any

import numpy as np

from hourglass.modalities import Tables
from hourglass.modalities.column_statistics import Column
from hourglass.modalities.columns import read_columns
from hourglass.views.forms import Cells


def view(modality: Tables, restored: Any) -> Cells:
    """A table of the columns at fit, in any container."""
    read = read_columns(restored)
    values = [_coded(column, cells) for column, cells in zip(modality.columns, read.values(), strict=True)]
    return Cells(np.stack(values, axis=1), modality.columns)


def _coded(column: Column, cells: np.ndarray) -> np.ndarray:
    """(N,) numbers in their own units, categories as their place.

    `Tables.examples` is not asked: a reconstruction lies between the values that it knows of a column of two.
    """
    if not column.is_categorical:
        return cells.astype(np.float64)
    place = {category: float(k) for k, category in enumerate(column.categories)}
    return np.array([place.get(cell, np.nan) for cell in cells.tolist()])
