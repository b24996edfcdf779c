"""What every reader returns: examples, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hourglass.readers import containers


@dataclass(frozen=True, eq=False)
class Data:
    """Records without a model: N rows of a table, N pictures.

    Attributes
    ----------
    X : array, frame or list
        In a canonical container (see `containers`). Tables: an array (N, F) where the columns have no names, else a
        frame of N rows; from files a `pyarrow.Table`. Pictures: an array (N, H, W), (N, C, H, W) or (N, H, W, C) in the
        raw units of the file (a `uint8` stays in 0..255), (N, C, H, W) from picture files and named data sets; a list
        of (C, H, W) arrays where they differ in size, channels or depth.
    labels : numpy.ndarray or None
        (N,) one label per record; (N, K) for dsprites, whose K generating factors are known. Never used to fit.
    names : tuple of str or None
        One name per record, such as its path inside the folder.
    kind : str
        What the source holds: "tables", "images", the name of another kind of data, or "arrays" for numbers of three or
        more axes, which several kinds of data may take. A kind of data lists what it takes in its `reads`.
    skipped : tuple of (path, reason)
        Files that could not be read and were skipped.
    source : str
        The path, data set or type the records came from.
    """

    X: Any
    labels: np.ndarray | None = None
    names: tuple[str, ...] | None = None
    kind: str = "tables"
    skipped: tuple[tuple[str, str], ...] = ()
    source: str = ""

    def __len__(self) -> int:
        return containers.n_rows(self.X)

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Names of a table's columns; None for arrays and pictures, which have none."""
        return containers.column_names(self.X)
