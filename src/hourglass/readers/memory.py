"""Things already in memory -> `Data`, in a canonical container."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hourglass.readers import containers
from hourglass.readers.data import Data


def from_memory(X: Any, *, columns: Sequence[str | int] | None = None, source: str | None = None) -> Data:
    """An array, tensor, frame, dict of columns or list as `Data`, without a copy where that can be avoided.

    Raises TypeError or ValueError for what no kind of data takes.
    """
    if isinstance(X, Data):
        return selected(X, columns)
    source = source or _type_name(X)
    X = containers.canonical(X, source)
    if containers.is_frame(X):
        return selected(Data(unique_names(_non_empty(X, source), source), source=source), columns)
    if isinstance(X, list) or (X.ndim == 1 and X.dtype.kind in "OUS"):
        return Data(_non_empty(X, source), kind="arrays", source=source)
    if X.dtype.kind in "OUS" and X.ndim == 2:  # texts and missing cells: a table, one type per column
        return selected(Data(_non_empty(X, source), source=source), columns)
    return selected(from_array(X, source=source), columns)


def from_array(array: np.ndarray, *, labels: np.ndarray | None = None, source: str = "array") -> Data:
    """A numeric array by its number of axes: two are a table (N, F), more are arrays that a kind of data may take."""
    if array.dtype.kind == "c":
        raise ValueError(f"{source}: Complex data not supported; give real and imaginary parts as columns of their own")
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{source}: an array of numbers is needed, got dtype {array.dtype}; "
            "convert it, or pass a table with named columns"
        )
    if array.dtype.kind == "b" and array.ndim > 2:
        array = array.astype(np.uint8)
    if array.ndim < 1:
        raise TypeError(f"{source}: cannot read a single number; give a table, pictures or a path")
    _non_empty(array, source)
    if 0 in array.shape:
        raise ValueError(f"{source}: an axis of shape {array.shape} is empty; every example needs at least one value")
    if labels is not None:
        labels = flat_labels(labels, len(array), source)
    return Data(array, labels, kind="tables" if array.ndim == 2 else "arrays", source=source)


def flat_labels(labels: np.ndarray, rows: int, source: str) -> np.ndarray:
    """(N,) labels, or a ValueError if they are not one per example."""
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or len(labels) != rows:
        raise ValueError(
            f"{source}: labels have shape {labels.shape}, but there are {rows} examples; one label each is needed"
        )
    return labels


def selected(data: Data, columns: Sequence[str | int] | None) -> Data:
    """The same records with only these columns of the table, in this order: names, or positions in an array."""
    if columns is None:
        return data
    if isinstance(columns, str):
        columns = [columns]
    width = containers.n_columns(data.X)
    if width is None:
        raise ValueError(
            f"columns={list(columns)}: {data.source} is not a table and has no columns; leave `columns` out"
        )
    names = data.columns
    for column in columns:
        if isinstance(column, str) and column not in (names or ()):
            near = difflib.get_close_matches(column, names or (), n=1, cutoff=0.0)
            hint = f"did you mean {near[0]!r}?" if near else f"its {width} columns have no names, give positions from 0"
            raise ValueError(f"columns: {data.source} has no column {column!r}; {hint}")
        if not isinstance(column, str) and not 0 <= column < width:
            raise ValueError(f"columns: {data.source} has no column {column}; positions go from 0 to {width - 1}")
    if not len(columns):
        raise ValueError("columns: at least one column is needed, got none; leave `columns` out for all of them")
    return replace(data, X=containers.select(data.X, columns))


def unique_names(table: Any, source: str) -> Any:
    """The table itself, or a ValueError that names a column that occurs twice."""
    names = list(containers.column_names(table) or ())
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"{source}: the column name {twice!r} occurs {names.count(twice)} times; give every column its own name"
        )
    return table


def as_arrow(X: Any, source: str = "X") -> Any:
    """Any table as a `pyarrow.Table`; the columns of an array are called x0, x1, ..."""
    import pyarrow as pa

    X = from_memory(X, source=source).X
    if containers.is_frame(X):
        return containers.to_arrow(X)
    columns = {}
    for j in range(X.shape[1]):
        try:
            values = X[:, j].tolist() if X.dtype == object else np.ascontiguousarray(X[:, j])
            columns[f"x{j}"] = pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            reason = str(error).splitlines()[0]
            raise TypeError(f"{source}: column {j} mixes types: {reason}; give each column a single type") from error
    return pa.table(columns)


def _non_empty(X: Any, source: str) -> Any:
    shape = f" (shape={tuple(X.shape)})" if hasattr(X, "shape") else ""
    if len(X) == 0:
        raise ValueError(f"{source} has 0 rows, 0 sample(s){shape} while a minimum of 1 is required.")
    if containers.n_columns(X) == 0:
        raise ValueError(f"{source} has 0 columns, 0 feature(s){shape} while a minimum of 1 is required.")
    return X


def _type_name(X: Any) -> str:
    return f"{type(X).__module__.partition('.')[0]}.{type(X).__name__}".removeprefix("builtins.")
