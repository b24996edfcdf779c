"""What colours a map: classes, or numbers on a scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hourglass.readers.containers import as_list

MAX_NUMERIC_CLASSES = 50  # more different whole numbers are a quantity
MAX_COLOURS = 12  # more classes are told apart by their names only
UNLABELLED = "unlabelled"


@dataclass(frozen=True, eq=False)
class Groups:
    """Labels of N examples.

    Classes: `names` of the G classes and `codes` (N,) int, -1 for none. A quantity: `numbers` (N,) float with NaN for
    none, and no names; `text` says one of them in words, where it is not a plain number.
    """

    names: tuple[str, ...] = ()
    codes: np.ndarray | None = None
    numbers: np.ndarray | None = None
    text: Callable[[float], str] | None = None

    def __getitem__(self, rows: np.ndarray) -> Groups:
        codes = None if self.codes is None else self.codes[rows]
        return replace(self, codes=codes, numbers=None if self.numbers is None else self.numbers[rows])


def group(labels: Any) -> Groups:
    """Sorts labels into classes or numbers.

    Texts, booleans and whole numbers of at most 50 values are classes; other numbers are a quantity. None and NaN mean
    that an example has no label.

    Parameters
    ----------
    labels : (N,) array, series or list.

    Raises
    ------
    ValueError : if labels are not one for each example.
    """
    values = np.asarray(as_list(labels) if np.ndim(labels) == 1 else labels)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"labels have shape {values.shape}; give one for each example")
    if values.dtype.kind in "iuf" or (values.dtype.kind == "O" and _all_numbers(values)):
        numbers = np.array([np.nan if v is None else v for v in values.tolist()], dtype=np.float64)
        levels = np.unique(numbers[np.isfinite(numbers)])
        if len(levels) > MAX_NUMERIC_CLASSES or bool((levels != np.round(levels)).any()):
            return Groups(numbers=np.where(np.isfinite(numbers), numbers, np.nan))
        codes = np.where(np.isfinite(numbers), np.searchsorted(levels, numbers), -1)
        return Groups(tuple(f"{v:g}" for v in levels), codes.astype(int))
    texts = ["" if v is None or v != v else str(v) for v in values.tolist()]
    names = sorted(set(texts) - {""})
    place = {name: i for i, name in enumerate(names)}
    return Groups(tuple(names), np.array([place.get(t, -1) for t in texts], dtype=int))


def _all_numbers(values: np.ndarray) -> bool:
    return all(v is None or (isinstance(v, (int, float, np.number)) and not isinstance(v, bool)) for v in values)
