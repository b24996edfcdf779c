"""Any table -> named columns of numpy arrays, with every way it can be wrong named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hourglass.readers import containers, times
from hourglass.readers.containers import as_array, to_arrow

LARGEST = 1e37  # float32, in which rows are kept, ends at 3e38
EXACT = 2**53  # up to here every whole number is a float64


class UnusableColumnsError(ValueError, TypeError):
    """Columns that no model can learn from as they are, all of them at once.

    Attributes
    ----------
    columns : their names, for a message that says how to leave them out.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.columns = list(reasons)
        listed = "; ".join(f"column {name!r} {reason}" for name, reason in reasons.items())
        super().__init__(f"{listed}; or leave out: {self.columns}")


def read_columns(X: Any, unusable: dict[str, str] | None = None, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Table -> {name: (N,) array}: numbers with NaN for missing, or objects with None for missing.

    Dates and times are numbers of seconds (see `readers.times`).
    Objects are texts, or whole numbers that a float64 cannot hold.

    Parameters
    ----------
    X : a table in a canonical container.
    unusable : where given, columns of a type that cannot be used are left out, and the reason is put in here.
    names : of the columns of an array; x0, x1, ... without.

    Raises
    ------
    UnusableColumnsError : for columns of such types.
    TypeError, ValueError : for what is not a table, empty, infinite or too large (with row and column).
    """
    if not containers.is_frame(X):
        return _array_columns(X, names)
    table = to_arrow(X)
    names = [str(n) for n in table.column_names]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise ValueError(f"two columns are called {twice!r}; rename one")
    if not names:
        raise ValueError("X has 0 columns; at least one is needed")
    if table.num_rows == 0:
        raise ValueError("X has 0 rows (0 sample(s)); at least two are needed")
    reasons: dict[str, str] = {} if unusable is None else unusable
    columns: dict[str, np.ndarray] = {}
    for i, name in enumerate(names):
        if reason := _why_unusable(table.schema.field(i).type):
            reasons[name] = reason
        else:
            columns[name] = _column(name, table.column(i))
    if reasons and unusable is None:
        raise UnusableColumnsError({name: f"holds {reason}" for name, reason in reasons.items()})
    return columns


def _why_unusable(kind: Any) -> str | None:
    """What is wrong with a column of this Arrow type; None if nothing is."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        value = kind.value_type
        if _is_number(value) or _is_text(value) or pa.types.is_null(value):
            return None
        return f"categories that are neither numbers nor texts ({value}); turn them into texts: astype(str)"
    if _is_number(kind) or _is_text(kind) or pa.types.is_null(kind) or times.is_time(str(kind)):
        return None
    return f"{kind} values; give numbers, texts or booleans"


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    t = pa.types
    return bool(t.is_boolean(kind) or t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _column(name: str, values: Any) -> np.ndarray:
    """One Arrow column of a usable type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
        if not _is_text(values.type):
            values = pc.cast(values, pa.string())
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan)
    if _is_text(values.type):
        return _texts(values)
    if times.is_time(str(values.type)):
        return times.to_seconds(values)
    if pa.types.is_integer(values.type) and not _is_exact(*(pc.min_max(values)[end].as_py() for end in ("min", "max"))):
        return np.array(values.to_pylist(), dtype=object)
    if pa.types.is_boolean(values.type):  # 0 and 1, as in an array of booleans
        values = pc.cast(values, pa.int8())
    values = pc.cast(values, pa.float64(), safe=False)
    numbers = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    _refuse_extremes(name, numbers)
    return numbers


def _texts(values: Any) -> np.ndarray:
    """Arrow texts -> objects (N,), None where missing. A text is one object however often it stands there."""
    import pyarrow as pa

    parts = []
    for chunk in values.cast(pa.large_string()).dictionary_encode().chunks:
        texts = np.array([*chunk.dictionary.to_pylist(), None], dtype=object)
        parts.append(texts[chunk.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)])
    return np.concatenate(parts)


def _is_exact(lowest: int | None, highest: int | None) -> bool:
    return lowest is None or highest is None or -EXACT <= lowest <= highest <= EXACT


def _refuse_extremes(name: str, values: np.ndarray) -> None:
    """Raises for infinity, and for numbers that float32 cannot hold."""
    with np.errstate(invalid="ignore"):
        extreme = np.abs(values.astype(np.float64, copy=False)) > LARGEST
    if not extreme.any():
        return
    row = int(np.flatnonzero(extreme)[0])
    if np.isinf(values[row]):
        raise ValueError(
            f"column {name!r}, row {row} is {values[row]} (infinity); replace it by a finite number or by NaN, "
            "which means missing"
        )
    raise ValueError(
        f"column {name!r}, row {row} holds {values[row]:g}, beyond {LARGEST:g}: "
        "give it in a larger unit, take its logarithm, or leave it out"
    )


def _array_columns(X: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    from sklearn.utils import check_array

    array = X = as_array(X) if not hasattr(X, "todense") else X
    if getattr(array, "dtype", None) is not None and array.dtype.kind in "OUS" and array.ndim == 2:
        return _object_columns(array, names)
    array = check_array(X, dtype="numeric", ensure_all_finite=False, input_name="X")
    columns = {name: array[:, i] for i, name in enumerate(_names(array, names))}
    for name, values in columns.items():
        if array.dtype.kind == "f":
            _refuse_extremes(name, values)
        elif array.dtype.itemsize == 8 and not _is_exact(int(values.min()), int(values.max())):
            columns[name] = values.astype(object)
    return columns


def _names(array: np.ndarray, names: Sequence[str]) -> Sequence[str]:
    """Names for the columns of an array; others than it has columns are not its own."""
    return names if len(names) == array.shape[1] else [f"x{i}" for i in range(array.shape[1])]


def _object_columns(array: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """A 2-D array of Python objects or texts: each column numbers if all of it reads as numbers, else texts."""
    from sklearn.utils import check_array

    array = check_array(array, dtype=None, ensure_all_finite=False, input_name="X")
    columns: dict[str, np.ndarray] = {}
    for i, name in enumerate(_names(array, names)):
        values = array[:, i]
        if any(isinstance(v, int) and abs(v) > EXACT for v in values.tolist()):
            columns[name] = np.array([None if v is None or v != v else int(v) for v in values], dtype=object)
            continue
        try:
            columns[name] = values.astype(np.float64)
        except (TypeError, ValueError):
            strange = next((v for v in values if v is not None and not isinstance(v, (str, bytes, int, float))), None)
            if strange is not None:
                raise TypeError(
                    f"argument must be a string or a number, not {type(strange).__name__}: "
                    f"column {i} of X holds {strange!r}"
                ) from None
            columns[name] = np.array([None if v is None or v != v else str(v) for v in values], dtype=object)
            continue
        _refuse_extremes(name, columns[name])
    return columns


def is_missing(values: np.ndarray) -> np.ndarray:
    """(N,) bool of a column as `read_columns` gives it, or of numbers of any type."""
    if values.dtype == object:
        nothing = np.full_like(values, None)
        return np.asarray(values == nothing, dtype=bool) | np.asarray(values != values, dtype=bool)
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def holds_texts(values: np.ndarray) -> bool:
    """Whether a column as `read_columns` gives it holds texts, or nothing where texts would stand."""
    if values.dtype != object:
        return False
    known = values[~is_missing(values)]
    return not (len(known) and isinstance(known[0], int))
