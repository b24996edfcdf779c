"""Any table -> named columns of numpy arrays, with every way it can be wrong named."""

from __future__ import annotations

from typing import Any

import numpy as np

from hourglass.readers import containers
from hourglass.readers.containers import as_array, to_arrow


def _refuse_infinity(name: str, values: np.ndarray) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.flatnonzero(infinite)[0])
        raise ValueError(
            f"column {name!r}, row {row} is {values[row]} (infinity); replace it by a finite number or by NaN, "
            "which means missing"
        )


def _column(name: str, values: Any) -> np.ndarray:
    """One Arrow column -> float array with NaN for missing, or object array of str with None for missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_dictionary(kind):
        try:
            values = pc.cast(values, kind.value_type)
        except pa.ArrowNotImplementedError as error:  # intervals of pandas.cut
            raise TypeError(
                f"column {name!r} holds categories that are neither numbers nor texts ({kind.value_type}); "
                "turn them into texts: astype(str)"
            ) from error
        kind = values.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            values, kind = pc.cast(values, pa.string()), pa.string()
    if pa.types.is_null(kind):
        return np.full(len(values), np.nan)
    if pa.types.is_boolean(kind):  # 0 and 1, as in an array of booleans
        values, kind = pc.cast(values, pa.int8()), pa.int8()
    if _numbers(kind) or pa.types.is_decimal(kind):
        values = pc.cast(values, pa.float64(), safe=False)  # whole numbers beyond 2^53 are rounded
        numbers = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
        _refuse_infinity(name, numbers)
        return numbers
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return np.array(values.to_pylist(), dtype=object)
    raise TypeError(
        f"column {name!r} holds {kind} values; give numbers, texts or booleans "
        "(turn dates into numbers, such as seconds since a day), or leave the column out"
    )


def read_columns(X: Any) -> dict[str, np.ndarray]:
    """Table -> {name: (N,) float array with NaN for missing, or object array of str with None for missing}.

    Raises
    ------
    TypeError, ValueError : for what is no table, empty, of an unusable type, or infinite (with row and column).
    """
    if containers.is_frame(X):
        table = to_arrow(X)
        names = [str(n) for n in table.column_names]
        if len(set(names)) < len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise ValueError(f"two columns are called {twice!r}; rename one")
        if not names:
            raise ValueError("X has 0 columns; at least one is needed")
        if table.num_rows == 0:
            raise ValueError("X has 0 rows (0 sample(s)); at least two are needed")
        return {name: _column(name, table.column(i)) for i, name in enumerate(names)}
    from sklearn.utils import check_array

    array = X = as_array(X) if not hasattr(X, "todense") else X
    if getattr(array, "dtype", None) is not None and array.dtype.kind in "OUS" and array.ndim == 2:
        return _object_columns(array)
    array = check_array(X, dtype="numeric", ensure_all_finite=False, input_name="X")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        for i in range(array.shape[1]):
            _refuse_infinity(f"x{i}", array[:, i])
    return {f"x{i}": array[:, i] for i in range(array.shape[1])}


def _object_columns(array: np.ndarray) -> dict[str, np.ndarray]:
    """A 2-D array of Python objects or texts: each column numbers if all of it reads as numbers, else texts."""
    from sklearn.utils import check_array

    array = check_array(array, dtype=None, ensure_all_finite=False, input_name="X")
    columns: dict[str, np.ndarray] = {}
    for i in range(array.shape[1]):
        values = array[:, i]
        try:
            columns[f"x{i}"] = values.astype(np.float64)
        except (TypeError, ValueError):
            strange = next((v for v in values if v is not None and not isinstance(v, (str, bytes, int, float))), None)
            if strange is not None:
                raise TypeError(
                    f"argument must be a string or a number, not {type(strange).__name__}: "
                    f"column {i} of X holds {strange!r}"
                ) from None
            columns[f"x{i}"] = np.array([None if v is None or v != v else str(v) for v in values], dtype=object)
            continue
        _refuse_infinity(f"x{i}", columns[f"x{i}"])
    return columns


def fill_missing(X: Any, filled: dict[str, np.ndarray], whole: dict[str, np.ndarray]) -> Any:
    """X with its missing cells filled in, the same kind of table with the same types; every other cell is as it was.

    A column that cannot hold what is filled in (numbers now, texts at fit) becomes one that can.

    Parameters
    ----------
    X : a table of N rows and D columns.
    filled : the D columns as a model restores them, NaN or None where it knows nothing.
    whole : the same, for columns whose type holds nothing but whole numbers or booleans.
    """
    kind, given = containers.kind_of(X), read_columns(X)
    cells = list(zip(given.values(), filled.values(), whole.values(), strict=True))
    if kind == "array":
        return write_columns({name: _cells(*c[:2]) for name, c in zip(given, cells, strict=True)}, kind)
    table = to_arrow(X)
    made = {
        i: _cells_of_type(table.column(i), made, whole, _unknown(known))
        for i, (known, made, whole) in enumerate(cells)
        if (_unknown(known) & ~_unknown(made)).any()
    }
    if kind == "pandas":
        out = X.copy()
        for i, column in made.items():
            out.isetitem(i, _like(X.iloc[:, i], column, column.type == table.column(i).type))
        return out
    if kind == "polars":
        import polars

        X = X.collect() if isinstance(X, polars.LazyFrame) else X
        columns = [polars.Series(X.columns[i], column) for i, column in made.items()]
        enums = {c.name: c.cast(X.schema[c.name], strict=False) for c in columns if X.schema[c.name] == polars.Enum}
        return X.with_columns([c if enums.get(c.name, c).null_count() else enums.get(c.name, c) for c in columns])
    import pyarrow as pa

    every = [made.get(i, column) for i, column in enumerate(table.columns)]
    out = pa.Table.from_arrays(every, names=table.column_names)
    return out.combine_chunks().to_batches()[0] if isinstance(X, pa.RecordBatch) else out


def _unknown(values: np.ndarray) -> np.ndarray:
    return np.array([v is None for v in values]) if values.dtype == object else np.isnan(values.astype(float))


def _cells(known: np.ndarray, made: np.ndarray) -> np.ndarray:
    mixed = (known.dtype == object) != (made.dtype == object)
    return np.where(_unknown(known), made, known.astype(object) if mixed else known)


def _cells_of_type(known: Any, made: np.ndarray, whole: np.ndarray, holes: np.ndarray) -> Any:
    """An Arrow column with its holes filled in, of the same type where that can hold what is filled in."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, before = known.type, known
    if pa.types.is_dictionary(kind):
        known = known.cast(kind.value_type)
    if pa.types.is_string_view(known.type):
        known = known.cast(pa.large_string())
    if made.dtype != object and (pa.types.is_integer(known.type) or pa.types.is_boolean(known.type)):
        made = _held(whole, known.type)
    cells = pa.array(made, from_pandas=True)
    if pa.types.is_null(kind):
        return cells
    both_numbers = made.dtype != object and (_numbers(known.type) or pa.types.is_decimal(known.type))
    try:
        if made.dtype != object and not both_numbers:
            raise pa.ArrowInvalid("texts do not hold numbers")
        column = pc.if_else(pa.array(holes), cells.cast(known.type), known)
    except pa.ArrowInvalid:
        wider = pa.float64() if both_numbers else pa.string()
        return pc.if_else(pa.array(holes), cells.cast(wider), known.cast(wider))
    if pa.types.is_dictionary(kind):
        return _encoded(column, before)
    return column.cast(kind)


def _held(values: np.ndarray, kind: Any) -> Any:
    """Numbers (N,) as the nearest that a type of whole numbers or booleans holds, NaN staying NaN."""
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return np.array([None if v != v else v > 0.5 for v in values.tolist()], dtype=object)
    limits = np.iinfo(kind.to_pandas_dtype())
    top = float(limits.max)  # of 64 bits, rounded up
    return values.astype(np.float64).round().clip(limits.min, top if int(top) <= limits.max else np.nextafter(top, 0))


def _encoded(column: Any, before: Any) -> Any:
    """Values as categories of the type of an Arrow column, its own categories first and in their order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = before.type
    column, before = (pa.chunked_array(c) if not isinstance(c, pa.ChunkedArray) else c for c in (column, before))
    own = before.unify_dictionaries().chunk(0).dictionary if before.num_chunks else pa.array([], kind.value_type)
    new = pc.unique(column).drop_null()
    levels = pa.concat_arrays([own, new.filter(pc.invert(pc.is_in(new, own)))])
    codes = pc.index_in(column.combine_chunks(), levels).cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(codes, levels, ordered=kind.ordered)


def _numbers(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _like(before: Any, column: Any, same: bool) -> Any:
    """A pandas column from an Arrow one, with the index of `before`, and its dtype where it has the `same` type."""
    made = column.to_pandas()
    if same and not hasattr(before, "cat"):
        made = made.astype(before.dtype)
    return made.set_axis(before.index)


def write_columns(columns: dict[str, np.ndarray], kind: str) -> Any:
    """Columns -> the kind of table the user handed in; an array becomes (N, D) floats, or objects if it has texts."""
    if kind == "pandas":
        import pandas

        return pandas.DataFrame(columns)
    if kind == "polars":
        import polars

        return polars.DataFrame({n: v.tolist() if v.dtype == object else v for n, v in columns.items()})
    if kind == "arrow":
        import pyarrow as pa

        return pa.table(columns)
    values = list(columns.values())
    if any(v.dtype == object for v in values):
        out = np.empty((len(values[0]), len(values)), dtype=object)
        for i, v in enumerate(values):
            out[:, i] = v
        return out
    return np.stack(values, axis=1)
