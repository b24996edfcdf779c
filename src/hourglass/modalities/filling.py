"""Missing cells of a table filled in, its columns staying of the types they had."""

from __future__ import annotations

from typing import Any

import numpy as np

from hourglass.modalities.columns import is_missing, read_columns
from hourglass.readers import containers, times
from hourglass.readers.column_types import column_types, from_columns, levels_of, replace_columns


def fill_missing(X: Any, filled: dict[str, np.ndarray]) -> Any:
    """X with its missing cells filled in, the same kind of table with the same types; every other cell is as it was.

    A column whose type cannot hold what is filled in (numbers now, texts at fit) becomes one that can; a type of whole
    numbers or booleans takes the nearest that it holds.

    Parameters
    ----------
    X : a table of N rows and D columns, in a canonical container.
    filled : the D columns as a model restores them, NaN or None where it knows nothing.
    """
    kind, columns = containers.kind_of(X), read_columns(X)
    if kind == "array":
        merged = [_merged(known, new) for known, new in zip(columns.values(), filled.values(), strict=True)]
        return from_columns(dict(zip(columns, merged, strict=True)), kind, column_types(X))
    table = containers.to_arrow(X)
    new = {}
    for i, (known, values) in enumerate(zip(columns.values(), filled.values(), strict=True)):
        missing = is_missing(known)
        if (missing & ~is_missing(values)).any():
            new[i] = _filled(table.column(i), missing, values)
    return replace_columns(X, new)


def _merged(known: np.ndarray, new: np.ndarray) -> np.ndarray:
    mixed = (known.dtype == object) != (new.dtype == object)
    return np.where(is_missing(known), new, known.astype(object) if mixed else known)


def _filled(known: Any, missing: np.ndarray, new: np.ndarray) -> Any:
    """An Arrow column with its missing cells (N,) bool from `new`, of the same type where that can hold them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, before = known.type, known
    if times.is_time(str(kind)):
        return pc.if_else(pa.array(missing), times.from_seconds(new, kind), known)
    if pa.types.is_dictionary(kind):
        known = known.cast(kind.value_type)
    if pa.types.is_string_view(known.type):
        known = known.cast(pa.large_string())
    if new.dtype != object and (pa.types.is_integer(known.type) or pa.types.is_boolean(known.type)):
        new = _nearest(new, known.type)
    cells = pa.array(new, from_pandas=True)
    if pa.types.is_null(kind):
        return cells
    both_numbers = _is_number(cells.type) and (_is_number(known.type) or pa.types.is_decimal(known.type))
    try:
        if _is_number(cells.type) and not both_numbers:
            raise pa.ArrowInvalid("texts do not hold numbers")
        column = pc.if_else(pa.array(missing), cells.cast(known.type), known)
    except pa.ArrowInvalid:
        wider = pa.float64() if both_numbers else pa.string()
        return pc.if_else(pa.array(missing), cells.cast(wider), known.cast(wider))
    return _categorical(column, before) if pa.types.is_dictionary(kind) else column.cast(kind)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _nearest(values: np.ndarray, kind: Any) -> Any:
    """Numbers (N,) as the nearest that a type of whole numbers or booleans holds, NaN staying NaN."""
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return np.array([None if v != v else v > 0.5 for v in values.tolist()], dtype=object)
    limits = np.iinfo(kind.to_pandas_dtype())
    top = float(limits.max)  # of 64 bits, rounded up
    return values.astype(np.float64).round().clip(limits.min, top if int(top) <= limits.max else np.nextafter(top, 0))


def _categorical(column: Any, before: Any) -> Any:
    """Values as categories of the type of an Arrow column, its own categories first and in their order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, own = before.type, levels_of(before)
    column = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    new = pc.unique(column).drop_null()
    levels = pa.concat_arrays([own, new.filter(pc.invert(pc.is_in(new, own)))])
    codes = pc.index_in(column.combine_chunks(), levels).cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(codes, levels, ordered=kind.ordered)
