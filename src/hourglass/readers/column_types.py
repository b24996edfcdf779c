"""The types of a table's columns, and columns -> a table of these types, in the container that is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hourglass.readers import notations, times
from hourglass.readers.containers import Kind, kind_of, to_arrow

MAX_LEVELS = 1000  # of a categorical column that are remembered


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
    notation : how texts write the dates or numbers that are its values, as in "%d.%m.%Y %H:%M" and "€ #,###.00"; ""
        where they are neither.
    label : the name of the column in pandas, where it is not a text.
    """

    arrow: str = ""
    native: str = ""
    indices: str = ""
    levels: tuple[str | int | float | bool, ...] = ()
    ordered: bool = False
    notation: str = ""
    label: int | float | tuple[str | int | float, ...] | None = None

    @property
    def is_boolean(self) -> bool:
        return self.arrow == "bool" and not self.indices

    @property
    def is_time(self) -> bool:
        """Whether its values are dates or times, which are worked on as seconds."""
        if self.notation:
            return not notations.is_of_numbers(self.notation)
        return times.is_time(self.arrow) and not self.indices

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
    columns: Mapping[str, np.ndarray],
    kind: Kind,
    types: Sequence[ColumnType] | None = None,
    like: Any = None,
    index_of: Any = None,
) -> Any:
    """Columns -> a table; an array becomes (N, D), of objects where there are texts.

    Parameters
    ----------
    columns : (N,) each, numbers with NaN for missing, or objects (texts, whole numbers) with None for missing.
    kind : the container wanted.
    types : those of the columns; one that cannot hold its values, all of them, gives way to a plainer one.
    like : a table whose row index and labels are taken over, if it has any.
    index_of : a table whose row index alone is taken over.
    """
    types = [ANY_TYPE] * len(columns) if types is None else types
    columns = {name: notations.write(v, t.notation) for (name, v), t in zip(columns.items(), types, strict=True)}
    if kind == "array":
        return _array_of(list(columns.values()), types[0].native)
    typed = [_arrow_column(values, t) for values, t in zip(columns.values(), types, strict=True)]
    if kind == "pandas":
        import pandas

        series = [_to_pandas(c, t.native if fits else "") for (c, fits), t in zip(typed, types, strict=True)]
        frame = pandas.DataFrame(dict(enumerate(series)))
        if kind_of(like) == "pandas":
            return frame.set_axis(like.index).set_axis(like.columns, axis=1)
        frame = frame.set_axis(index_of.index) if kind_of(index_of) == "pandas" else frame
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
        kind = times.type_named(wanted.arrow)
        if wanted.is_time and not wanted.notation:
            return times.from_seconds(plain.astype(np.float64), kind), True
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
