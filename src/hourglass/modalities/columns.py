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
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
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


def known_as_given(X: Any, full: Any, holes: np.ndarray) -> Any:
    """`full` with every cell of X that is no hole (N, D) exactly as it was, not as float32 has it.

    A column of a frame that has no holes keeps its type, too: whole numbers stay whole, and booleans booleans.
    """
    given, made = read_columns(X), read_columns(full)
    columns: dict[str, np.ndarray] = {}
    for i, ((name, filled), known) in enumerate(zip(made.items(), given.values(), strict=True)):
        if known.dtype == object and filled.dtype != object:  # nothing but holes, or numbers told as texts
            columns[name] = filled
        elif known.dtype == object or filled.dtype == object:
            columns[name] = np.where(holes[:, i], filled, known.astype(object))
        else:
            columns[name] = np.where(holes[:, i], filled, known.astype(np.float64))
    kind = frame_kind(full)
    out = write_columns(columns, kind)
    whole = [] if frame_kind(X) != kind else np.flatnonzero(~holes.any(0)).tolist()
    if kind == "pandas":
        if whole or frame_kind(X) == kind:
            out.index = X.index
        for i in whole:
            out.isetitem(i, X.iloc[:, i])
    elif kind == "polars":
        out = out.with_columns([X.to_series(i).alias(out.columns[i]) for i in whole])
    elif kind == "arrow":
        for i in whole:
            out = out.set_column(i, out.column_names[i], arrow_table(X).column(i))
    return out


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
