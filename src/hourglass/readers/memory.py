"""Things already in memory -> the canonical form: an array, or a `pyarrow.Table` where the columns have names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from hourglass.readers.data import Data


def from_memory(X: Any, *, columns: Sequence[str | int] | None = None, source: str | None = None) -> Data:
    """Canonical form of an array, tensor, frame or table; numbers are not copied where that can be avoided.

    Raises TypeError for what is none of these, ValueError for a shape that no modality takes.
    """
    if isinstance(X, Data):
        return X if columns is None else selected(X, columns)
    source = source or _type_name(X)
    table = _as_table(X, source)
    if table is not None:
        return selected(Data(_non_empty(table, source), source=source), columns)
    array = _as_array(X, source)
    if array.dtype.kind in "OUS" and array.ndim == 2:  # text and missing cells: a table, one type a column
        return selected(Data(_table_of_objects(_non_empty(array, source), source), source=source), columns)
    return selected(from_array(array, source=source), columns)


def from_array(array: np.ndarray, *, labels: np.ndarray | None = None, source: str = "array") -> Data:
    """A numeric array by its number of dimensions: 2 = table (N, F), 3 = grey pictures (N, H, W), 4 = pictures."""
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{source}: an array of numbers is needed, got dtype {array.dtype}; "
            "convert it, or pass a table with named columns"
        )
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.ndim not in (2, 3, 4):
        hint = "; make one column of it with X.reshape(-1, 1)" if array.ndim == 1 else ""
        raise ValueError(
            f"{source}: expected (rows, columns), (N, H, W), (N, C, H, W) or (N, H, W, C), "
            f"got shape {array.shape}{hint}"
        )
    _non_empty(array, source)
    if 0 in array.shape:
        raise ValueError(f"{source}: an axis of shape {array.shape} is empty; every example needs at least one value")
    if labels is not None:
        labels = flat_labels(labels, len(array), source)
    if array.ndim == 2:
        return Data(array, labels, source=source)
    return Data(array, labels, kind="images", source=source)


def flat_labels(labels: np.ndarray, rows: int, source: str) -> np.ndarray:
    """(N,) labels, or a ValueError if they are not one an example."""
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or len(labels) != rows:
        raise ValueError(
            f"{source}: labels have shape {labels.shape}, but there are {rows} examples; one label each is needed"
        )
    return labels


def selected(data: Data, columns: Sequence[str | int] | None) -> Data:
    """The same examples with only these columns of the table, in this order: names, or positions in an array."""
    if columns is None:
        return data
    if isinstance(columns, str):
        columns = [columns]
    if data.kind != "table":
        raise ValueError(
            f"columns={list(columns)}: {data.source} holds pictures, which have no columns; leave `columns` out"
        )
    names = data.columns
    width = data.X.shape[1]
    for column in columns:
        if isinstance(column, str) and column not in (names or ()):
            near = difflib.get_close_matches(column, names or (), n=1, cutoff=0.0)
            hint = f"did you mean {near[0]!r}?" if near else f"its {width} columns have no names, give positions from 0"
            raise ValueError(f"columns: {data.source} has no column {column!r}; {hint}")
        if not isinstance(column, str) and not 0 <= column < width:
            raise ValueError(f"columns: {data.source} has no column {column}; positions go from 0 to {width - 1}")
    if not len(columns):
        raise ValueError("columns: at least one column is needed, got none; leave `columns` out for all of them")
    X = data.X.select(list(columns)) if names is not None else data.X[:, list(columns)]
    return Data(X, data.labels, data.names, data.kind, data.skipped, data.source)


def _as_table(X: Any, source: str) -> Any:
    """`pyarrow.Table` of anything with named columns, else None."""
    module = type(X).__module__.partition(".")[0]
    if isinstance(X, dict) or module in ("pyarrow", "pandas", "polars"):
        import pyarrow as pa
    else:
        return None
    if module == "pandas" and type(X).__name__ == "Series":
        X = X.to_frame(X.name if X.name is not None else "value")
    if module == "pandas":
        X = unique_names(X.set_axis([str(name) for name in X.columns], axis=1), source)
    elif module == "polars":
        X = X.collect() if type(X).__name__ == "LazyFrame" else X
        X = X.to_frame() if type(X).__name__ == "Series" else X
    try:
        if isinstance(X, pa.Table):
            table = X
        elif isinstance(X, pa.RecordBatch):
            table = pa.Table.from_batches([X])
        elif module == "pandas":
            table = pa.Table.from_pandas(X, preserve_index=False).replace_schema_metadata()
        elif module == "polars":
            table = _without_large_types(X.to_arrow())
        elif isinstance(X, dict):
            table = pa.table({str(name): np.asarray(values) for name, values in X.items()})
        else:
            raise TypeError(f"{source}: of pyarrow, a Table or RecordBatch is needed, got {type(X).__name__}")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{source}: a column cannot be read as one type: {reason}; give each column a single type"
        ) from error
    return unique_names(table, source)


def unique_names(table: Any, source: str) -> Any:
    """The table itself, or a ValueError that names a column that occurs twice."""
    names = list(table.column_names if hasattr(table, "column_names") else table.columns)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        times = names.count(twice)
        raise ValueError(f"{source}: the column name {twice!r} occurs {times} times; give every column its own name")
    return table


def _without_large_types(table: Any) -> Any:
    """polars hands out `large_string`; everyone else `string`. One of them is enough to think about."""
    import pyarrow as pa

    plain = {pa.large_string(): pa.string(), pa.string_view(): pa.string(), pa.large_binary(): pa.binary()}
    return table.cast(pa.schema([field.with_type(plain.get(field.type, field.type)) for field in table.schema]))


def _as_array(X: Any, source: str) -> np.ndarray:
    if hasattr(X, "tocsr") and hasattr(X, "toarray"):
        raise TypeError(f"{source}: sparse matrices are not read; pass X.toarray()")
    if not hasattr(X, "__array__") and not isinstance(X, list | tuple):
        raise TypeError(
            f"source: cannot read {type(X).__name__}; give a path, the name of a data set, an array, a tensor or a "
            "table (numpy, torch, pandas, polars, pyarrow)"
        )
    if hasattr(X, "detach"):  # a torch tensor, known by its manners: torch is never imported here
        X = X.detach().cpu()
        X = X.float() if str(X.dtype) == "torch.bfloat16" else X
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"{source}: the rows have different lengths; every row needs the same number of values"
        ) from error


def _table_of_objects(array: np.ndarray, source: str) -> Any:
    import pyarrow as pa

    columns = {}
    for j in range(array.shape[1]):
        try:
            columns[f"x{j}"] = pa.array(array[:, j].tolist(), from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            reason = str(error).splitlines()[0]
            raise TypeError(f"{source}: column {j} mixes types: {reason}; give each column a single type") from error
    return pa.table(columns)


def _non_empty(X: Any, source: str) -> Any:
    if len(X) == 0:
        raise ValueError(f"{source}: holds no rows (shape {tuple(X.shape)}); at least one example is needed")
    if X.shape[1:] == (0,):
        raise ValueError(f"{source}: holds no columns (shape {tuple(X.shape)}); at least one is needed")
    return X


def _type_name(X: Any) -> str:
    return f"{type(X).__module__.partition('.')[0]}.{type(X).__name__}".removeprefix("builtins.")
