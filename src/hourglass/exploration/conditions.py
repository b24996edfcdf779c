"""One condition for many codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from hourglass.readers.containers import repeat


def one_condition(estimator: Any, condition: Any, n: int) -> Any:
    """One condition, repeated for n codes of a fitted estimator; None stays None.

    Parameters
    ----------
    estimator : fitted.
    condition : a single value, one row of values (K,) or (1, K), a frame of one row, or None.
    n : how many.

    Raises
    ------
    ValueError : for the conditions of several examples.
    """
    if condition is None or (np.ndim(condition) == 0 and not hasattr(condition, "columns")):
        return condition
    n_columns = len(estimator.condition_) if estimator.condition_ else 0
    if not hasattr(condition, "columns") and np.ndim(condition) == 1 and n_columns > 1 and len(condition) == n_columns:
        condition = np.asarray(condition, dtype=object if any(isinstance(c, str) for c in condition) else None)[None]
    if len(condition) != 1:
        raise ValueError(f"condition holds {len(condition)} rows; this shows one condition at a time: give one")
    return repeat(condition, n)
