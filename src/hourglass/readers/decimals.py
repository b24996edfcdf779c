"""How many decimals numbers have, and tables with so many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_DECIMALS = 9
MAX_ZEROS, MAX_AS_TEXT = 6, 1e15  # with more decimals, and beyond, Arrow writes decimals with an exponent: 0E-7


def decimals_of(numbers: np.ndarray, at_least: int = 0, single: bool = False) -> int | None:
    """The fewest decimals that write all of these finite numbers, or None for more than 9; `single` is of float32."""
    rounding = 4 * float(np.finfo(np.float32 if single else np.float64).eps)
    for some in (numbers[:1000], numbers):
        for decimals in range(at_least, MAX_DECIMALS + 1):
            scaled = some * 10.0**decimals
            if rounding * np.abs(scaled).max() > 0.05:  # its own digits end here
                return None
            if (np.abs(scaled - np.round(scaled)) <= rounding * np.abs(scaled)).all():
                at_least = decimals
                break
        else:
            return None
    return at_least


def rounded(table: Any, decimals: Mapping[str, int], is_text: bool) -> Any:
    """An Arrow table, its floating-point columns of these names with so many decimals; as text, all of them: 18.60."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if field.name not in decimals or not pa.types.is_floating(field.type):
            continue
        numbers = pc.cast(table.column(place), pa.float64())
        numbers = pc.round(pc.if_else(pc.is_finite(numbers), numbers, None), decimals[field.name])
        largest = pc.max(pc.abs(numbers)).as_py() or 0.0
        if not is_text:
            numbers = numbers if field.type == pa.float64() else numbers.cast(field.type)
        elif decimals[field.name] <= MAX_ZEROS and largest < MAX_AS_TEXT:
            numbers = numbers.cast(pa.decimal128(38, decimals[field.name]))
        table = table.set_column(place, field.name, numbers)
    return table
