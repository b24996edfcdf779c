"""Which container data came in, and the way to its rows and columns; `column_types.py` builds containers again.

Everything else in the package works on four *canonical* containers: a numpy array, a pandas or polars frame, or a
`pyarrow.Table`; and on lists of arrays, where records differ in shape. Nothing here is imported before it is met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

Kind = Literal["array", "pandas", "polars", "arrow", "list"]
MAX_DENSE_BYTES = 4 * 10**9  # of a sparse matrix written out


def _module(X: Any) -> str:
    return type(X).__module__.partition(".")[0]


def kind_of(X: Any) -> Kind:
    """Which canonical container X is; "array" for everything that is not a table with named columns or a list."""
    if _module(X) == "pandas" and hasattr(X, "columns"):
        return "pandas"
    if _module(X) == "polars" and hasattr(type(X), "columns"):
        return "polars"
    if _module(X) == "pyarrow" and hasattr(X, "column_names"):
        return "arrow"
    return "list" if isinstance(X, list) else "array"


def is_frame(X: Any) -> bool:
    """Whether X is a table with named columns, in a canonical container."""
    return kind_of(X) in ("pandas", "polars", "arrow")


def is_single(value: Any) -> bool:
    """Whether this is one value, and not a container of several."""
    return np.isscalar(value) or value is None or isinstance(value, (bool, np.generic))


def canonical(X: Any, source: str = "X") -> Any:
    """X in a canonical container, without a copy where that can be avoided.

    Lazy frames are collected. Series become frames of one column. A dict of columns, a list of dicts, a record batch, a
    DuckDB relation and whatever else answers to `__arrow_c_stream__` become a `pyarrow.Table`. Sparse matrices are
    written out (up to 4 GB), masked cells become NaN, tensors and other sequences arrays. A list of arrays of different
    shapes stays a list, as do frames, and records of a reader's own (`is_record`).

    Raises
    ------
    TypeError, ValueError : for what is none of these, naming the remedy.
    """
    if kind_of(X) in ("pandas", "polars"):
        return X.collect() if hasattr(X, "collect") else X
    if _module(X) in ("pandas", "polars") and hasattr(X, "to_frame"):
        return X.to_frame() if X.name not in (None, "") else X.rename("value").to_frame()
    if hasattr(X, "tocsr") and hasattr(X, "toarray"):  # first: one kind of sparse matrix is a mapping too
        return _dense(X, source)
    if isinstance(X, Mapping) or (isinstance(X, list) and X and all(isinstance(row, Mapping) for row in X)):
        return _table_of_mappings(X, source)
    if kind_of(X) == "arrow" or (hasattr(X, "__arrow_c_stream__") and not hasattr(X, "__array__")):
        return _arrow(X, source)
    if isinstance(X, np.ma.MaskedArray):
        return _unmasked(X, source)
    if isinstance(X, list | tuple):
        return _array_of_list(X, source)
    if not hasattr(X, "__array__"):
        raise TypeError(
            f"{source}: cannot read {type(X).__name__}; give a path, the name of a data set, an array, a tensor or a "
            "table (numpy, torch, pandas, polars, pyarrow)"
        )
    return as_array(X)


def as_array(X: Any) -> np.ndarray:
    """An array or tensor as numpy works with it: bfloat16 as float32, bytes in the machine's order."""
    if hasattr(X, "detach"):  # a torch tensor, known by its manners: torch is never imported here
        X = X.detach().cpu()
        X = (X.float() if str(X.dtype) == "torch.bfloat16" else X).numpy()
    array = np.asarray(X)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _table_of_mappings(X: Any, source: str) -> Any:
    import pyarrow as pa

    try:
        if isinstance(X, Mapping):
            if single := [
                name for name, values in X.items() if np.ndim(values) == 0 and not hasattr(values, "__len__")
            ]:
                raise ValueError(
                    f"{source}: {single[0]!r} is a single value; a dict holds columns, each a list of values"
                )
            columns = {str(name): as_list(values) for name, values in X.items()}
            lengths = {name: len(values) for name, values in columns.items()}
            if len(set(lengths.values())) > 1:
                listed = ", ".join(f"{name}: {n}" for name, n in lengths.items())
                raise ValueError(f"{source}: its columns have different lengths ({listed})")
            return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
        names = dict.fromkeys(str(name) for row in X for name in row)
        return pa.table({name: pa.array([row.get(name) for row in X], from_pandas=True) for name in names})
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise _one_type(source, error) from error


def _one_type(source: str, error: Exception) -> TypeError:
    reason = str(error).splitlines()[0]
    return TypeError(f"{source}: a column cannot be read as one type: {reason}; give each column a single type")


def as_list(values: Any) -> list[Any]:
    """The values of a series, array or list (N,) as Python's own."""
    if hasattr(values, "to_pylist"):
        return list(values.to_pylist())
    if hasattr(values, "detach"):
        values = as_array(values)
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _arrow(X: Any, source: str) -> Any:
    import pyarrow as pa

    if isinstance(X, pa.Table):
        return X
    try:
        return pa.Table.from_batches([X]) if isinstance(X, pa.RecordBatch) else pa.table(X)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise _one_type(source, error) from error


def _dense(X: Any, source: str) -> np.ndarray:
    n_bytes = int(np.prod(X.shape)) * X.dtype.itemsize
    if n_bytes > MAX_DENSE_BYTES:
        raise ValueError(
            f"{source}: this sparse matrix of shape {X.shape} takes {n_bytes / 1e9:.0f} GB written out; choose its "
            "most important columns, or reduce it with sklearn.decomposition.TruncatedSVD first"
        )
    return np.asarray(X.toarray())


def _unmasked(X: np.ma.MaskedArray, source: str) -> np.ndarray:
    if not np.ma.is_masked(X):
        return np.asarray(X.data)
    if X.ndim != 2 or X.dtype.kind not in "biuf":
        raise ValueError(
            f"{source}: holds masked values, which only tables of numbers may; fill them with X.filled(...)"
        )
    return np.where(np.ma.getmaskarray(X), np.nan, X.data.astype(np.float64))


def _array_of_list(X: Sequence[Any], source: str) -> Any:
    if len(X) and all(getattr(x, "is_record", False) for x in X):
        return X
    if any(is_frame(x) for x in X):
        return [canonical(x, source) for x in X]
    if any(hasattr(x, "shape") for x in X) and len({np.shape(x) for x in X}) > 1:
        return [as_array(x) for x in X]
    try:
        return as_array(np.asarray(X))
    except ValueError as error:
        raise ValueError(
            f"{source}: the rows have different lengths; every row needs the same number of values"
        ) from error


# ---- rows and columns of canonical containers ------------------------------------------------------------------------


def n_rows(X: Any) -> int:
    """N, the number of rows of a canonical container."""
    return len(X)


def column_names(X: Any) -> tuple[str, ...] | None:
    """Names of a frame's columns as texts; None for arrays and lists, whose columns have none."""
    kind = kind_of(X)
    if kind == "arrow":
        return tuple(X.column_names)
    return tuple(str(name) for name in X.columns) if kind in ("pandas", "polars") else None


def n_columns(X: Any) -> int | None:
    """Columns of a table, named or not; None for what is not a table."""
    names = column_names(X)
    if names is not None:
        return len(names)
    return int(X.shape[1]) if kind_of(X) == "array" and np.ndim(X) == 2 else None


def take(X: Any, rows: Sequence[int] | np.ndarray) -> Any:
    """Some rows of an array, tensor, frame, series or list, in a container of the same kind.

    Parameters
    ----------
    X : N examples, or None, which stays None.
    rows : (M,) positions from 0; a position may come twice.
    """
    if X is None:
        return None
    positions = np.asarray(rows, dtype=np.int64)
    if hasattr(X, "iloc"):  # pandas
        return X.iloc[positions]
    if hasattr(X, "column_names") or _module(X) == "pyarrow":
        return X.take(positions)
    if isinstance(X, list | tuple):
        return [X[i] for i in positions.tolist()]
    return X[positions.tolist()] if _module(X) == "polars" else X[positions]


def concatenate(tables: Sequence[Any]) -> Any:
    """Tables of the same columns, one below the other, in the container of the first one.

    Raises
    ------
    ValueError : for tables of other columns.
    """
    if len(tables) == 1:
        return tables[0]
    kind, names = kind_of(tables[0]), column_names(tables[0])
    for number, table in enumerate(tables):
        if names is not None and column_names(table) != names:
            theirs = column_names(table)
            found = "an array" if theirs is None else f"the columns {', '.join(theirs)}"
            raise ValueError(f"table {number} has {found}, and the first one has {', '.join(names)}")
    if kind == "pandas":
        import pandas as pd

        return pd.concat(tables)
    if kind == "polars":
        import polars as pl

        return pl.concat(tables, how="vertical_relaxed")
    if kind == "arrow":
        import pyarrow as pa

        return pa.concat_tables(tables, promote_options="permissive")
    return np.concatenate([np.asarray(table) for table in tables])


def select(X: Any, columns: Sequence[str | int]) -> Any:
    """These columns of a table, in this order: by name in a frame, by position in an array."""
    kind = kind_of(X)
    if kind == "pandas":
        place = {str(name): i for i, name in enumerate(X.columns)}
        return X.iloc[:, [place[str(name)] for name in columns]]
    return X.select(list(columns)) if kind in ("polars", "arrow") else X[:, list(columns)]


def to_arrow(X: Any) -> Any:
    """A frame as a `pyarrow.Table`, without the index of pandas.

    Raises
    ------
    TypeError : where a column holds values of several types.
    """
    import pyarrow as pa

    kind = kind_of(X)
    if kind == "pandas":
        try:
            table = pa.Table.from_pandas(X, preserve_index=False)
            return table.rename_columns([str(name) for name in X.columns])
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise TypeError(f"X has a column of mixed types: {error.args[0]}; make each column one type") from error
    if kind == "polars":
        try:
            return (X.collect() if hasattr(X, "collect") else X).to_arrow()
        except pa.ArrowInvalid as error:
            raise TypeError(f"X has a column of a type that Arrow does not know: {error}; cast or drop it") from error
    return _arrow(X, "X")


def column(X: Any, name: str | int) -> Any:
    """One column of a table as a `pyarrow.Table` of one column."""
    import pyarrow as pa

    if is_frame(X):
        return to_arrow(select(X, [name]))
    return pa.table({f"x{name}": np.ascontiguousarray(X[:, int(name)])})


def index_of(X: Any) -> Any:
    """The index of a pandas frame; None for containers without one."""
    return X.index if kind_of(X) == "pandas" else None


def times_of_index(X: Any) -> np.ndarray | None:
    """The index of times of a pandas frame in seconds (T,), NaN for none; None where there is no such index."""
    index = index_of(X)
    if index is None or getattr(index.dtype, "kind", "") != "M":
        return None
    nanoseconds = index.to_numpy().astype("datetime64[ns]")
    return np.where(np.isnat(nanoseconds), np.nan, nanoseconds.astype(np.int64) / 1e9)


def repeat(value: Any, n: int) -> Any:
    """A single value, or a container of one row, n times."""
    return np.repeat(np.asarray(value), n) if np.ndim(value) == 0 else take(value, np.zeros(n, dtype=np.int64))


def digestible(X: Any) -> Any:
    """What a fingerprint takes: an array of numbers, or a table's columns as lists."""
    if X is None or (isinstance(X, np.ndarray) and X.dtype != object):
        return X
    if is_frame(X):
        return to_arrow(X).to_pydict()
    return [digestible(x) for x in X] if isinstance(X, list) else [str(v) for v in np.asarray(X).ravel()]


def put_back(X: Any, columns: Any, places: Sequence[int]) -> Any:
    """X with the columns (N, D) of another table of its container at these places (D,), of the types that they have."""
    kind = kind_of(X)
    if kind == "pandas":
        out = X.copy()
        for i, place in enumerate(places):
            out.isetitem(place, columns.iloc[:, i].set_axis(X.index))
        return out
    if kind == "polars":
        return X.with_columns(columns.get_columns())
    if kind == "arrow":
        for name, place in zip(columns.column_names, places, strict=True):
            X = X.set_column(place, name, columns.column(name))
        return X
    out = X.astype(np.result_type(X, columns))
    out[:, list(places)] = columns
    return out
