"""What every reader returns: examples, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True, eq=False)
class Data:
    """Examples without a model: N rows of a table, or N pictures.

    Attributes
    ----------
    X : numpy.ndarray or pyarrow.Table
        Tables: an array (N, F) where the columns have no names, else a `pyarrow.Table` of N rows.
        Images: an array (N, H, W), (N, C, H, W) or (N, H, W, C) in the raw units of the file (a `uint8` stays in
        0..255); of picture files and named data sets (N, C, H, W).
    labels : numpy.ndarray or None
        (N,) one label an example; (N, K) for dsprites, whose K generating factors are known. Never used to fit.
    names : tuple of str or None
        One name an example, such as its path inside the folder.
    kind : {"table", "images"}
    skipped : tuple of (path, reason)
        Files that could not be read and were left out.
    source : str
        The path, data set or type the examples came from.
    """

    X: Any
    labels: np.ndarray | None = None
    names: tuple[str, ...] | None = None
    kind: Literal["table", "images"] = "table"
    skipped: tuple[tuple[str, str], ...] = ()
    source: str = ""

    def __len__(self) -> int:
        return len(self.X)

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of a table's columns; None for arrays and pictures, which have none."""
        return tuple(self.X.column_names) if hasattr(self.X, "column_names") else None
