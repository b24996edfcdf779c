"""What a command line names as data -> examples, condition and labels, with every name checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli import runs
from hourglass.cli.errors import UsageError, note
from hourglass.cli.output import rows_done

if TYPE_CHECKING:
    from hourglass.estimators import Embedder
    from hourglass.readers import Data, ParquetStream

STREAMED = 10**9  # bytes a Parquet table takes in memory; larger ones are read piece by piece
SHOWN = 20_000  # rows of such a table that a page is made of
LABELS = "labels"  # the name by which the labels that come with the data can be asked for


@dataclass(frozen=True)
class Inputs:
    """Examples and what is told beside them; `condition` and `labels` are None where there are none."""

    X: Any
    condition: Any = None
    labels: Any = None
    names: Sequence[str] | None = None
    kept: Sequence[str | int] | None = None  # the columns X was cut down to, where it was; of named ones in use alone
    data: Data | None = None  # what X was taken from


def read(source: str, part: str | None = None) -> Data:
    """A path or a named data set; files that had to be left out are noted."""
    from hourglass import datasets, readers

    if part is not None:
        if Path(source).expanduser().exists() or source not in datasets.names():
            raise UsageError(f"--part {part} is for named data sets, and {source} is none (see: hourglass datasets)")
        return datasets.load(source, part)  # type: ignore[arg-type]
    data = readers.read(source)
    for path, reason in data.skipped[:10]:
        note(f"left out {path}: {reason}", at_end=True)
    if len(data.skipped) > 10:
        note(f"left out {len(data.skipped) - 10} more files that could not be read", at_end=True)
    return data


def column_of(data: Data, name: str) -> str | int | None:
    """The column of that name, or of that position in a table without names; None if there is none."""
    if data.kind != "tables":
        return None
    if data.columns is not None:
        return name if name in data.columns else None
    position = re.fullmatch(r"x?(\d+)", name)
    return int(position[1]) if position and int(position[1]) < data.X.shape[1] else None


def _values(data: Data, column: str | int) -> Any:
    import pyarrow as pa

    if data.columns is not None:
        return data.X.select([column])
    return pa.table({f"x{column}": data.X[:, column]})


def _beside(data: Data, name: str, option: str) -> tuple[Any, str | int | None]:
    """COLUMN, FILE or `labels` -> a pyarrow.Table of one row an example, and the column to be taken out of X."""
    import pyarrow as pa

    column = column_of(data, name)
    if column is not None:
        return _values(data, column), column
    if name == LABELS and data.labels is not None:
        values = data.labels if data.labels.ndim == 1 else data.labels[:, 0]
        return pa.table({LABELS: values}), None
    if Path(name).expanduser().is_file():
        table = table_of_file(Path(name).expanduser())
        if table.num_rows != len(data):
            raise ValueError(f"{option} {name} has {table.num_rows} rows, but the data has {len(data)}; give one each")
        return table, None
    known = [*(data.columns or ()), *([LABELS] if data.labels is not None else [])]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f" (there are {', '.join(known)})" if known else ""
    raise ValueError(f"{option} {name}: {data.source} has no such column, and there is no such file{hint}")


def table_of_file(path: Path) -> Any:
    """A .csv, .parquet, .npy or .npz file of conditions or labels as a pyarrow.Table."""
    import numpy as np
    import pyarrow as pa

    from hourglass import readers

    if path.suffix == ".npy":
        try:
            array = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path}: no plain array ({error}); save numbers or texts with numpy.save") from error
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2:
            raise ValueError(f"{path}: has shape {array.shape}; give one row for each example")
        return pa.table({f"x{j}": array[:, j] for j in range(array.shape[1])})
    data = readers.read(path)
    if data.kind != "tables":
        raise ValueError(f"{path}: holds pictures; give a table with one row for each example")
    if data.columns is not None:
        return data.X
    return pa.table({f"x{j}": data.X[:, j] for j in range(data.X.shape[1])})


def _only_column(table: Any, option: str, name: str) -> Any:
    """The values of a table of one column, or of its column called label or labels: (N,)."""
    import numpy as np

    columns = [c for c in table.column_names if c.lower() in ("label", "labels", "y")] or table.column_names
    if len(columns) > 1:
        raise ValueError(f"{option} {name}: has {len(columns)} columns ({', '.join(columns)}); give a file with one")
    return np.asarray(table.column(columns[0]).to_pylist())


def _without(data: Data, columns: Sequence[str | int]) -> Data:
    from hourglass.readers.memory import selected

    if not columns:
        return data
    kept = _kept(data, columns)
    if not kept:
        raise ValueError("no column is left to learn from; drop fewer of them")
    return selected(data, kept)


def _kept(data: Data, columns: Sequence[str | int]) -> list[str | int]:
    everything: Sequence[str | int] = data.columns if data.columns is not None else range(data.X.shape[1])
    return [c for c in everything if c not in columns]


def dropped_columns(data: Data, drop: Sequence[str]) -> list[str | int]:
    """The columns named by --drop; raises ValueError with the nearest name for one that is not there."""
    found = []
    for name in drop:
        column = column_of(data, name)
        if column is None:
            near = difflib.get_close_matches(name, data.columns or (), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"--drop {name}: {data.source} has no such column{hint}")
        found.append(column)
    return found


def to_fit(
    source: str,
    *,
    part: str | None = None,
    condition: str | None = None,
    labels: str | None = None,
    drop: Sequence[str] = (),
) -> Inputs:
    """Examples to learn from: the columns of condition and labels, and those dropped, are taken out of X."""
    data = read(source, part)
    out = dropped_columns(data, drop)
    given = None
    if condition is not None:
        given, column = _beside(data, condition, "--condition")
        out += [] if column is None else [column]
    seen, column = _labels(data, labels)
    out += [] if column is None else [column]
    kept = None if data.kind != "tables" or data.columns is not None else _kept(data, out)
    return Inputs(_without(data, out).X, given, seen, data.names, kept)


def declared(given: Inputs, **columns: Sequence[str] | None) -> Any:
    """The modality of a table some of whose columns are declared `counts` or `categories`; None where none is.

    The columns of an array go by their place in it, whatever was taken out of it.
    """
    from hourglass import Tables

    named = {option: list(names) for option, names in columns.items() if names}
    if not named:
        return None
    if getattr(given.X, "ndim", 2) > 2:
        raise UsageError(f"--{next(iter(named))} is for tables, and the data are pictures")
    if given.kept is not None:
        place = {f"x{column}": f"x{i}" for i, column in enumerate(given.kept)}
        for option, names in named.items():
            if unknown := [name for name in names if name not in place]:
                raise UsageError(f"--{option} {unknown[0]}: there is no such column; there are {', '.join(place)}")
            named[option] = [place[name] for name in names]
    return Tables(**{option: tuple(names) for option, names in named.items()})  # type: ignore[arg-type]


def _labels(data: Data, labels: str | None) -> tuple[Any, str | int | None]:
    if labels is None:
        seen = data.labels
        return (seen[:, 0] if seen is not None and seen.ndim == 2 else seen), None
    table, column = _beside(data, labels, "--labels")
    return _only_column(table, "--labels", labels), column


def parquet_bytes(source: str) -> int:
    """Bytes that a Parquet file, or the Parquet files in a folder, take in memory; 0 for everything else."""
    from hourglass.readers.stream import table_bytes

    return table_bytes(source)


def is_large(source: str) -> bool:
    """Whether a table is so large that it is read piece by piece without being asked to."""
    return parquet_bytes(source) > STREAMED


@dataclass(frozen=True)
class RunInputs:
    """What a fitted model is to be used on: a source, the condition and labels beside it."""

    estimator: Embedder
    run: Path
    source: str
    part: str | None
    condition: str | None
    labels: str | None
    before: dict[str, Any]  # the arguments that the run was started with
    own: bool  # whether the source is the data of the run

    @classmethod
    def of(
        cls, estimator: Embedder, run: Path, source: str | None, part: str | None,
        condition: str | None, labels: str | None = None,
    ) -> RunInputs:  # fmt: skip
        before = runs.arguments_of(estimator.origin_, run)
        if source is None:
            if "data" not in before:
                raise UsageError(f"{run} does not say what it was fitted on; name the DATA")
            source, part = before["data"], part or before.get("part")
        own = runs.absolute_if_path(source) == before.get("data")
        return cls(estimator, run, source, part, condition, labels, before, own)

    @property
    def is_streamed(self) -> bool:
        return self.part is None and (is_large(self.source) or (self.own and bool(self.before.get("stream"))))

    def stream(self) -> ParquetStream:
        """The source row group by row group; what is told beside it must be a column of it."""
        from hourglass import ParquetStream

        stream = ParquetStream(Path(self.source).expanduser())
        then = self.before.get("condition") if self.own and self.estimator.condition_ is not None else None
        for option, name in (("condition", self.condition or then), ("labels", self.labels)):
            if name is not None and name not in stream.columns:
                known = ", ".join(stream.columns)
                raise UsageError(f"--{option} {name}: a table read piece by piece needs a column of it; it has {known}")
        return stream

    def inputs(self, data: Data) -> Inputs:
        """The columns the model was fitted on, with the condition it was told then."""
        from hourglass.readers.memory import selected

        modality = self.estimator.modality_
        if data.kind not in modality.reads:
            raise ValueError(f"{self.source} holds {data.kind}, but {self.run} was fitted on {modality.describe()}")
        given = None
        if self.estimator.condition_ is not None:
            given = _condition_again(self.estimator, data, self.condition, self.before.get("condition"), self.own)
        elif self.condition is not None:
            raise UsageError(
                f"--condition {self.condition}: {self.run} was fitted without one; fit with --condition first"
            )
        then = self.before.get("labels")
        there = column_of(data, then or "") is not None
        labels = self.labels or (then if there or (self.own and not self.is_streamed) else None)
        seen, _ = _labels(data, labels)
        kept = _known_columns(self.estimator, data, self.before)
        X = data.X if kept is None else selected(data, kept).X
        return Inputs(X, given, seen, data.names, kept, data)


def to_use(
    estimator: Embedder,
    run: Path,
    source: str | None,
    *,
    part: str | None = None,
    condition: str | None = None,
    labels: str | None = None,
) -> Inputs:
    """Examples for a fitted model, in memory: of a large table a part.

    Without a source the run's own data. A table may hold other columns beside; those are not looked at, which is noted
    unless the run itself did so.
    """
    from hourglass import readers

    use = RunInputs.of(estimator, run, source, part, condition, labels)
    if not use.is_streamed:
        return use.inputs(read(use.source, use.part))
    stream = use.stream()
    if (then := use.before.get("labels")) and use.own and not labels and then not in stream.columns:
        note(f"the labels of {then} are left out: of a table read piece by piece they need to be a column")
    table = stream.spread(SHOWN)
    note(f"{use.source} has {len(stream):,} rows; {len(table):,} of them, from every part of it, are looked at")
    return use.inputs(readers.Data(table, source=use.source))


def apply_in_chunks(
    function: Callable[[Inputs], Any],
    estimator: Embedder,
    run: Path,
    source: str | None,
    out: Path,
    *,
    part: str | None = None,
    condition: str | None = None,
) -> Iterator[tuple[Any, Sequence[str] | None]]:
    """What a function makes of examples as in `to_use`, with their names: large tables piece by piece, else at once.

    Raises UsageError where `out`, that it is written to, is what it is made of.
    """
    import pyarrow as pa

    from hourglass import readers

    use = RunInputs.of(estimator, run, source, part, condition)
    for read_from in filter(None, (use.source, condition)):
        if Path(read_from).exists() and out.exists() and out.samefile(read_from):
            raise UsageError(f"--out {out} is the data themselves, which it would replace; give another name")
    if not use.is_streamed:
        given = use.inputs(read(use.source, use.part))
        yield function(given), given.names
        return
    stream = use.stream()
    with rows_done(len(stream)) as advance:
        for group in range(len(stream.row_groups)):
            for batch in stream.batches(group):
                given = use.inputs(readers.Data(pa.Table.from_batches([batch]), source=use.source))
                yield function(given), None
                advance(batch.num_rows)


def _condition_again(estimator: Embedder, data: Data, condition: str | None, before: str | None, own: bool) -> Any:
    known = [c.name for c in estimator.condition_.table.columns]  # type: ignore[union-attr]
    if condition is None and before is not None:
        there = column_of(data, before) is not None or (before == LABELS and data.labels is not None)
        condition = before if there or own else None
    if condition is None:
        raise UsageError(
            f"the model was fitted with a condition ({', '.join(known)}): say which with --condition COLUMN or FILE"
        )
    table, _ = _beside(data, condition, "--condition")
    if table.num_columns != len(known):
        raise ValueError(f"--condition {condition}: has {table.num_columns} columns; {', '.join(known)} are needed")
    return rename_columns(table, known)


def rename_columns(table: Any, names: Sequence[str]) -> Any:
    """The columns of these names, in their order; where the table calls them otherwise, they go by their place."""
    return table.select(names) if set(table.column_names) == set(names) else table.rename_columns(names)


def _known_columns(estimator: Embedder, data: Data, before: dict[str, Any]) -> list[str | int] | None:
    """The columns the model was fitted on, in their order; None for all there are, of which the model will judge."""
    known = [column.name for column in getattr(estimator.modality_, "columns", ())]
    if data.kind != "tables" or not known:
        return None
    taken_out = [*before.get("drop", ()), *(before[o] for o in ("labels", "condition") if before.get(o))]
    if data.columns is None or estimator.modality_.container == "array":  # type: ignore[attr-defined]
        if data.X.shape[1] == len(known):
            return None
        return _kept(data, [c for c in (column_of(data, name) for name in taken_out) if c is not None])
    missing = [name for name in known if name not in data.columns]
    if missing:
        near = difflib.get_close_matches(missing[0], data.columns, 1)
        hint = f" (is it {near[0]!r}?)" if near else ""
        raise ValueError(f"{data.source} has no column {missing[0]!r}{hint}; the model needs {', '.join(known)}")
    strange = [name for name in data.columns if name not in known and name not in taken_out]
    if strange:
        note(f"columns that the model does not know are not looked at: {', '.join(strange)}")
    return list(known)
