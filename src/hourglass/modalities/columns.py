"""Any table -> named columns of numpy arrays, with every way it can be wrong named."""

from __future__ import annotations

from typing import Any

import numpy as np


def frame_kind(X: Any) -> str:
    """Which library's table X is: "pandas", "polars", "arrow", or "array" for everything else."""
    module = type(X).__module__.partition(".")[0]
    if module == "pandas" and hasattr(X, "columns"):
        return "pandas"
    if module == "polars" and hasattr(X, "columns"):
        return "polars"
    if module == "pyarrow" and hasattr(X, "column_names"):
        return "arrow"
    return "array"


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


def arrow_table(X: Any) -> Any:
    """A pandas, polars or Arrow table as a pyarrow.Table."""
    import pyarrow as pa

    kind = frame_kind(X)
    if kind == "pandas":
        try:
            return pa.Table.from_pandas(X, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise TypeError(f"X has a column of mixed types: {error.args[0]}; make each column one type") from error
    if kind == "polars":
        return X.to_arrow()
    return pa.Table.from_batches([X]) if isinstance(X, pa.RecordBatch) else X


def read_columns(X: Any) -> dict[str, np.ndarray]:
    """Table -> {name: (N,) float array with NaN for missing, or object array of str with None for missing}.

    Raises
    ------
    TypeError, ValueError : for what is no table, empty, of an unusable type, or infinite (with row and column).
    """
    if frame_kind(X) != "array":
        table = arrow_table(X)
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

    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    array = np.asarray(X) if not hasattr(X, "todense") else X
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


def with_filled(X: Any, filled: dict[str, np.ndarray], whole: dict[str, np.ndarray], holes: np.ndarray) -> Any:
    """X with its holes filled in, the same kind of table with the same types; every other cell is as it was.

    Parameters
    ----------
    X : a table of N rows and D columns.
    filled : its columns as a model restores them; where X tells one otherwise than at fit (numbers as texts, say), the
        whole of it is taken from here.
    whole : the same for columns whose type holds nothing but whole numbers or booleans.
    holes : (N, D), True for cells to fill in.
    """
    kind = frame_kind(X)
    if kind == "array":
        given = read_columns(X).values()
        cells = zip(filled.items(), given, holes.T, strict=True)
        return write_columns({n: _cells(made, known, hole) for (n, made), known, hole in cells}, kind)
    table = arrow_table(X)
    made = {
        i: _cells_of_type(table.column(i), *names, holes[:, i])
        for i, names in enumerate(zip(filled.values(), whole.values(), strict=True))
        if holes[:, i].any()
    }
    if kind == "pandas":
        out = X.copy()
        for i, cells in made.items():
            column = cells.to_pandas()
            if cells.type == table.column(i).type:
                column = _like(X.iloc[:, i], column)
            out.isetitem(i, column.array)
        return out
    if kind == "polars":
        import polars

        return X.with_columns([polars.Series(X.columns[i], cells) for i, cells in made.items()])
    for i, cells in made.items():
        table = table.set_column(i, table.column_names[i], cells)
    return table


def _cells(made: np.ndarray, known: np.ndarray, holes: np.ndarray) -> np.ndarray:
    if (made.dtype == object) != (known.dtype == object):
        return made
    return np.where(holes, made, known)


def _cells_of_type(known: Any, made: np.ndarray, whole: np.ndarray, holes: np.ndarray) -> Any:
    """An Arrow column with its holes filled in, of the same type where that can hold what is filled in."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = known.type
    if pa.types.is_dictionary(kind):
        known = known.cast(kind.value_type)
    if pa.types.is_decimal(kind):
        known = known.cast(pa.float64())
    if pa.types.is_null(known.type) or (made.dtype != object and not _numbers(known.type)):
        return pa.array(made, from_pandas=True)
    if not pa.types.is_floating(known.type) and made.dtype != object:
        made = whole.round()
    try:
        cells = pc.if_else(pa.array(holes), pa.array(made, from_pandas=True).cast(known.type), known)
    except pa.ArrowInvalid:  # texts at fit that are no such numbers, or numbers too large for the type
        return pa.array(made, from_pandas=True)
    return cells.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else cells


def _numbers(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _like(before: Any, column: Any) -> Any:
    """A pandas column with the type of another, categories that do not occur among it."""
    if hasattr(before, "cat"):
        new = [c for c in column.cat.categories if c not in before.cat.categories]
        return column.cat.set_categories([*before.cat.categories, *new], ordered=before.cat.ordered)
    return column if before.dtype == object else column.astype(before.dtype)


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
