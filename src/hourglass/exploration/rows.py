"""Rows of whatever holds examples, and one condition for many codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from hourglass.readers.containers import take


def for_each(condition: Any, n: int, n_columns: int) -> Any:
    """One condition, repeated for n codes.

    Parameters
    ----------
    condition : a single value, one row of values (K,) or (1, K), a frame of one row, or None.
    n : how many.
    n_columns : K, the columns the model's condition has.

    Raises
    ------
    ValueError : for the conditions of several examples.
    """
    if condition is None or (np.ndim(condition) == 0 and not hasattr(condition, "columns")):
        return condition
    if not hasattr(condition, "columns") and np.ndim(condition) == 1 and n_columns > 1 and len(condition) == n_columns:
        condition = np.asarray(condition, dtype=object if any(isinstance(c, str) for c in condition) else None)[None]
    if len(condition) != 1:
        raise ValueError(f"condition holds {len(condition)} rows; this shows one condition at a time: give one")
    return take(condition, np.zeros(n, dtype=np.int64))
