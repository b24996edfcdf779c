"""What comes with the examples: columns that are dropped, a condition, labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli.errors import UsageError
from hourglass.cli.sources import known, read

if TYPE_CHECKING:
    from hourglass.readers import Data

LABELS = "labels"  # the name by which the labels that come with the data can be asked for


@dataclass(frozen=True)
class Inputs:
    """Examples and what is known about them; `condition` and `labels` are None where there are none.

    Attributes
    ----------
    X : what estimators take: `Data` to fit on, a canonical container for a model that is fitted.
    names : one per record, or None.
    kept : the columns that X was cut down to, names or positions; None for all.
    data : what X was taken from.
    header : whether the first line of its CSV file was told to name the columns; None where that was guessed.
    """

    X: Any
    condition: Any = None
    labels: Any = None
    names: Sequence[str] | None = None
    kept: Sequence[str | int] | None = None
    data: Data | None = None
    header: bool | None = None

    def __len__(self) -> int:
        from hourglass.readers import containers

        return containers.n_rows(self.X)


def to_fit(
    source: str,
    *,
    condition: str | None = None,
    labels: str | None = None,
    drop: Sequence[str] = (),
    **how: Any,
) -> Inputs:
    """Examples to learn from: the columns of condition and labels, and those dropped, are taken out of X.

    `how` the source is read: options of `sources.read`.
    """
    data = read(source, **how)
    out = [_column(data, name, "--drop") for name in drop]
    values = None
    if condition is not None:
        values, column = read_companion(data, condition, "--condition")
        out += [] if column is None else [column]
    found, column = labels_of(data, labels)
    out += [] if column is None else [column]
    return Inputs(_without(data, out), values, found, data.names, remaining(data, out) if out else None, data)


def column_of(data: Data, name: str) -> str | int | None:
    """The column of that name, or of that position in a table without names; None if there is none."""
    from hourglass.readers import containers

    n_columns = containers.n_columns(data.X)
    if n_columns is None:
        return None
    if data.columns is not None:
        return name if name in data.columns else None
    position = re.fullmatch(r"x?(\d+)", name)
    return int(position[1]) if position and int(position[1]) < n_columns else None


def _column(data: Data, name: str, option: str) -> str | int:
    """The same; raises ValueError with the nearest name for one that is not there."""
    column = column_of(data, name)
    if column is None:
        raise ValueError(f"{option} {name}: {data.source} has no such column{known(name, data.columns or ())}")
    return column


def columns_of(data: Data, names: Sequence[str], option: str) -> Any:
    """The columns of these names, or positions, as a pyarrow.Table; raises ValueError for one that is not there."""
    import pyarrow as pa

    from hourglass.readers import containers

    tables = [containers.column(data.X, _column(data, name, option)) for name in names]
    return pa.table({table.column_names[0]: table.column(0) for table in tables})


def read_companion(data: Data, name: str, option: str) -> tuple[Any, str | int | None]:
    """COLUMN, FILE or `labels` -> a pyarrow.Table of one row per record, and the column to be taken out of X."""
    import pyarrow as pa

    column = column_of(data, name)
    if column is not None:
        return columns_of(data, [name], option), column
    if name == LABELS and data.labels is not None:
        values = data.labels if data.labels.ndim == 1 else data.labels[:, 0]
        return pa.table({LABELS: values}), None
    if Path(name).expanduser().is_file():
        table = table_of_file(Path(name).expanduser())
        if table.num_rows != len(data):
            raise ValueError(
                f"{option} {name} has {table.num_rows} rows, but {data.source} has {len(data)}; give one row for each"
            )
        return table, None
    names = [*(data.columns or ()), *([LABELS] if data.labels is not None else [])]
    raise ValueError(
        f"{option} {name}: {data.source} has no such column, and there is no such file{known(name, names)}"
    )


def table_of_file(path: Path) -> Any:
    """A .csv, .parquet, .npy or .npz file of conditions or labels as a pyarrow.Table."""
    import numpy as np

    from hourglass import readers
    from hourglass.readers import containers
    from hourglass.readers.memory import as_arrow

    if path.suffix == ".npy":
        try:
            array = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path}: not a plain array ({error}); save numbers or texts with numpy.save") from error
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2:
            raise ValueError(f"{path}: has shape {array.shape}; give one row for each example")
        return as_arrow(array, str(path))
    data = readers.read(path)
    if containers.n_columns(data.X) is None:
        raise ValueError(f"{path}: holds {data.kind}; give a table with one row for each example")
    return as_arrow(data.X, str(path))


def labels_of(data: Data, labels: str | None) -> tuple[Any, str | int | None]:
    """The labels (N,) of that name, or those that come with the data; and the column to be taken out of X."""
    if labels is None:
        found = data.labels
        return (found[:, 0] if found is not None and found.ndim == 2 else found), None
    table, column = read_companion(data, labels, "--labels")
    return _only_column(table, "--labels", labels), column


def with_label(given: Inputs, label: str) -> Inputs:
    """The records with this label alone."""
    import numpy as np

    from hourglass.readers import containers

    if given.labels is None:
        raise UsageError(f"--normal {label}: the data have no labels; say with --labels which column holds them")
    texts = given.labels.astype(str)
    rows = np.flatnonzero(texts == label)
    if not len(rows):
        raise ValueError(f"--normal {label}: no record has this label{known(label, sorted(set(texts.tolist()))[:20])}")
    names = None if given.names is None else [given.names[i] for i in rows.tolist()]
    condition = None if given.condition is None else containers.take(given.condition, rows)
    X = replace(given.X, X=containers.take(given.X.X, rows), labels=None, names=None)
    return replace(given, X=X, condition=condition, labels=given.labels[rows], names=names)


def _only_column(table: Any, option: str, name: str) -> Any:
    """The values of a table of one column, or of its column called label or labels: (N,)."""
    import numpy as np

    columns = [c for c in table.column_names if c.lower() in ("label", "labels", "y")] or table.column_names
    if len(columns) > 1:
        raise ValueError(f"{option} {name}: has {len(columns)} columns ({', '.join(columns)}); give a file with one")
    return np.asarray(table.column(columns[0]).to_pylist())


def remaining(data: Data, columns: Sequence[str | int]) -> list[str | int] | None:
    """The columns of a table but these; None for what has no columns."""
    from hourglass.readers import containers

    n_columns = containers.n_columns(data.X)
    if n_columns is None:
        return None
    return [c for c in (data.columns if data.columns is not None else range(n_columns)) if c not in columns]


def _without(data: Data, columns: Sequence[str | int]) -> Data:
    from hourglass.readers.memory import selected

    if not columns:
        return data
    kept = remaining(data, columns)
    if not kept:
        raise ValueError("no column is left to learn from; drop fewer of them")
    return selected(data, kept)


def rename_columns(table: Any, names: Sequence[str]) -> Any:
    """The columns of these names, in their order; where the table calls them otherwise, they go by their place."""
    return table.select(names) if set(table.column_names) == set(names) else table.rename_columns(names)
