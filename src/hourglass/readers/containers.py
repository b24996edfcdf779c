"""Which container data came in, and the way to its rows and columns: the one place that asks.

Everything else in the package works on four *canonical* containers: a numpy array, a pandas or polars frame, or a
`pyarrow.Table`; and on lists of arrays, where records differ in shape. Nothing here is imported before it is met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

Kind = Literal["array", "pandas", "polars", "arrow", "list"]
MAX_DENSE_BYTES = 4 * 10**9  # of a sparse matrix written out
MAX_LEVELS = 1000  # of a categorical column that are remembered


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
    shapes stays a list.

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


# ---- types of columns, and columns -> a container --------------------------------------------------------------------


@dataclass(frozen=True)
class ColumnType:
    """What the column of a table was, so that another one can be made like it.

    Attributes
    ----------
    arrow : the type of its values in Arrow's words ("int64", "bool", "string"); "" leaves the type to the values.
    native : its type in numpy or pandas ("float32", "Int64", "category"), "Enum" for that of polars.
    indices : the type that a categorical column counts its levels in ("int8"); "" for other columns.
    levels : the values of a categorical column in their order, at most 1000.
    ordered : whether that order means something.
    label : the name of the column in pandas, where it is not a text.
    """

    arrow: str = ""
    native: str = ""
    indices: str = ""
    levels: tuple[str | int | float | bool, ...] = ()
    ordered: bool = False
    label: int | float | tuple[str | int | float, ...] | None = None

    @property
    def is_boolean(self) -> bool:
        return self.arrow == "bool" and not self.indices

    @property
    def is_whole(self) -> bool:
        """Whether it holds nothing but whole numbers."""
        return self.arrow.startswith(("int", "uint")) and not self.indices


ANY_TYPE = ColumnType()


def column_types(X: Any, table: Any = None) -> list[ColumnType]:
    """The type of every column of a table; `table` is the same in Arrow, where that has been made before."""
    import pyarrow as pa

    kind = kind_of(X)
    if kind == "array":
        name = str(pa.from_numpy_dtype(X.dtype)) if X.dtype.kind in "biuf" else ""
        return [ColumnType(name, str(X.dtype))] * X.shape[1]
    table = to_arrow(X) if table is None else table
    types = [_arrow_type(column) for column in table.columns]
    if kind == "pandas":
        natives = [str(dtype) for dtype in X.dtypes]
        return [replace(t, native=n, label=_label(c)) for t, n, c in zip(types, natives, X.columns, strict=True)]
    if kind == "polars":
        return [
            replace(t, native="Enum" if "Enum" in str(dtype) else "") for t, dtype in zip(types, X.dtypes, strict=True)
        ]
    return types


def _arrow_type(column: Any) -> ColumnType:
    import pyarrow as pa

    kind = column.type
    if not pa.types.is_dictionary(kind):
        return ColumnType(str(kind))
    levels = levels_of(column).to_pylist()
    if len(levels) > MAX_LEVELS or not all(isinstance(level, str | int | float) for level in levels):
        levels = []
    return ColumnType(
        str(kind.value_type), indices=str(kind.index_type), levels=tuple(levels), ordered=bool(kind.ordered)
    )


def levels_of(column: Any) -> Any:
    """The levels of a categorical Arrow column, in their order."""
    import pyarrow as pa

    column = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array(column)
    return (
        column.unify_dictionaries().chunk(0).dictionary if column.num_chunks else pa.array([], column.type.value_type)
    )


def _label(name: Any) -> Any:
    """The label of a pandas column as JSON can hold it; None for texts, and for what JSON has no form for."""
    if isinstance(name, tuple):
        parts = tuple(part if isinstance(part, str) else _label(part) for part in name)
        return None if None in parts else parts
    name = name.item() if hasattr(name, "item") else name
    return name if isinstance(name, int | float) and not isinstance(name, bool) and name == name else None


def from_columns(
    columns: Mapping[str, np.ndarray], kind: Kind, types: Sequence[ColumnType] | None = None, like: Any = None
) -> Any:
    """Columns -> a table; an array becomes (N, D), of objects where there are texts.

    Parameters
    ----------
    columns : (N,) each, numbers with NaN for missing, or objects (texts, whole numbers) with None for missing.
    kind : the container wanted.
    types : those of the columns; one that cannot hold its values, all of them, gives way to a plainer one.
    like : a table whose row index and labels are taken over, if it has any.
    """
    types = [ANY_TYPE] * len(columns) if types is None else types
    if kind == "array":
        return _array_of(list(columns.values()), types[0].native)
    typed = [_arrow_column(values, t) for values, t in zip(columns.values(), types, strict=True)]
    if kind == "pandas":
        import pandas

        series = [_to_pandas(c, t.native if fits else "") for (c, fits), t in zip(typed, types, strict=True)]
        frame = pandas.DataFrame(dict(enumerate(series)))
        if kind_of(like) == "pandas":
            return frame.set_axis(like.index).set_axis(like.columns, axis=1)
        return frame.set_axis([n if t.label is None else t.label for n, t in zip(columns, types, strict=True)], axis=1)
    if kind == "polars":
        import polars

        made = [polars.Series(name, column) for name, (column, _) in zip(columns, typed, strict=True)]
        enums = [t.native == "Enum" and fits for (_, fits), t in zip(typed, types, strict=True)]
        return polars.DataFrame(
            [
                s.cast(polars.Enum([str(level) for level in t.levels])) if enum else s
                for s, t, enum in zip(made, types, enums, strict=True)
            ]
        )
    import pyarrow as pa

    return pa.table({name: column for name, (column, _) in zip(columns, typed, strict=True)})


def replace_columns(X: Any, columns: Mapping[int, Any]) -> Any:
    """A frame with Arrow columns (N,) put in at some positions; types are kept where the new column has the old one."""
    kind, before = kind_of(X), to_arrow(X)
    if kind == "pandas":
        out = X.copy()
        for i, column in columns.items():
            same = column.type == before.column(i).type
            out.isetitem(i, _to_pandas(column, X.dtypes.iloc[i] if same else "").set_axis(X.index))
        return out
    if kind == "polars":
        import polars

        series = [polars.Series(X.columns[i], column) for i, column in columns.items()]
        enums = {s.name: s.cast(X.schema[s.name], strict=False) for s in series if X.schema[s.name] == polars.Enum}
        return X.with_columns([s if enums.get(s.name, s).null_count() else enums.get(s.name, s) for s in series])
    import pyarrow as pa

    every = [columns.get(i, column) for i, column in enumerate(before.columns)]
    return pa.Table.from_arrays(every, names=before.column_names)


def _array_of(columns: Sequence[np.ndarray], native: str) -> np.ndarray:
    """Columns (N,) side by side, of the numpy type where it holds all of them."""
    if native and np.dtype(native).kind in "biu" and all(_fits(values, np.dtype(native)) for values in columns):
        return np.stack([values.astype(native) for values in columns], axis=1)
    if any(values.dtype == object for values in columns):
        out = np.empty((len(columns[0]), len(columns)), dtype=object)
        for i, values in enumerate(columns):
            out[:, i] = values
        return out
    made = np.stack(columns, axis=1)
    return made.astype(native) if native and np.dtype(native).kind == "f" else made


def _fits(values: np.ndarray, dtype: np.dtype) -> bool:
    """Whether a type of whole numbers or booleans holds all values."""
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if values.dtype == object:
        return all(isinstance(v, int) and low <= v <= high for v in values.tolist())
    with np.errstate(invalid="ignore"):
        return bool(((values == np.round(values)) & (values >= low) & (values <= high)).all())


def _arrow_column(values: np.ndarray, wanted: ColumnType) -> tuple[Any, bool]:
    """Values (N,) as an Arrow array, and whether it is of the type that was wanted: where that holds all of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = values.astype(object) if values.dtype.kind == "U" else values
    try:
        if wanted.indices:
            return _categorical(plain, wanted), True
        kind = pa.type_for_alias(wanted.arrow)
        if pa.types.is_string_view(kind) or pa.types.is_large_string(kind) or pa.types.is_string(kind):
            return pa.array(plain, type=kind, from_pandas=True), True
        if plain.dtype == object:
            return pa.array(plain, type=kind, from_pandas=True), True
        array = pa.array(plain, from_pandas=True)
        if pa.types.is_boolean(kind) and not pc.all(pc.is_in(array, pa.array([0, 1, None], array.type))).as_py():
            raise pa.ArrowInvalid("numbers other than 0 and 1 are not booleans")
        return array.cast(kind), True
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, OverflowError):
        return pa.array(plain, from_pandas=True), False


def _categorical(values: np.ndarray, wanted: ColumnType) -> Any:
    """Texts, or None, as the categorical type, whose levels are read as texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.type_for_alias(wanted.arrow)
    texts = pa.array(values, pa.string(), from_pandas=True)
    levels = pa.array(wanted.levels, kind) if wanted.levels else pc.unique(texts).drop_null().cast(kind)
    codes = pc.index_in(texts, level_texts(levels))
    if codes.null_count != texts.null_count:
        raise pa.ArrowInvalid("a value is none of the levels")
    return pa.DictionaryArray.from_arrays(codes.cast(pa.type_for_alias(wanted.indices)), levels, ordered=wanted.ordered)


def level_texts(levels: Any) -> Any:
    """The levels of a categorical Arrow column as the texts that stand for them, whatever they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_text = pa.types.is_string(levels.type) or pa.types.is_large_string(levels.type)
    return pc.cast(levels, pa.string()) if not is_text or pa.types.is_large_string(levels.type) else levels


def _to_pandas(column: Any, dtype: Any) -> Any:
    """An Arrow array as a pandas series, of the type where that can hold it; "" leaves it to pandas."""
    import pandas
    import pyarrow as pa

    if str(dtype) not in ("", "category"):
        try:
            if pa.types.is_integer(column.type) and column.null_count:  # pandas would go by way of floats
                return pandas.Series(pandas.array(column.to_pylist(), dtype=dtype))
            return column.to_pandas().astype(dtype)
        except (TypeError, ValueError, NotImplementedError):  # whole numbers with missing ones, types with parameters
            pass
    return column.to_pandas()
