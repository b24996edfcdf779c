"""A run used again: the data it is used on, with the columns, the condition and the labels of the fit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli import runs
from hourglass.cli.companions import LABELS, Inputs, column_of, labels_of, read_companion, remaining, rename_columns
from hourglass.cli.errors import UsageError, note
from hourglass.cli.sources import check_options, is_large, known, read

if TYPE_CHECKING:
    from hourglass.estimators import AutoencoderEstimator
    from hourglass.readers import Data, ParquetStream


@dataclass(frozen=True)
class RunInputs:
    """What a fitted model is to be used on: DATA, and what was given along with it.

    Attributes
    ----------
    before : the arguments that the run was started with.
    is_training_data : whether DATA is what the run was fitted on.
    """

    estimator: AutoencoderEstimator
    run: Path
    source: str
    split: str | None
    condition: str | None
    labels: str | None
    header: str | None
    null_words: Sequence[str] | None
    before: dict[str, Any]
    is_training_data: bool

    @classmethod
    def of(
        cls,
        estimator: AutoencoderEstimator,
        run: Path,
        source: str | None,
        split: str | None = None,
        condition: str | None = None,
        labels: str | None = None,
        header: str | None = None,
        null_words: Sequence[str] | None = None,
    ) -> RunInputs:
        """Without a source, the data that the run was fitted on; CSV files are read as those of the fit were."""
        from hourglass.readers.delimited import SUFFIXES

        before = runs.arguments_of(estimator.origin_, run)
        if source is None:
            if "data" not in before:
                raise UsageError(f"{run} does not say what it was fitted on; name the DATA")
            source, split = before["data"], split or before.get("split")
            if _lies_elsewhere(source, run):
                note(f"{run} was fitted on {source}, which is read now")
        is_training_data = runs.absolute_if_path(source) == before.get("data")
        check_options(source, split, header, null_words)
        if source.lower().endswith(SUFFIXES):
            header = header or (before.get("header") if is_training_data else None)
            null_words = before.get("null_words") if null_words is None else null_words
        return cls(estimator, run, source, split, condition, labels, header, null_words, before, is_training_data)

    @property
    def is_streamed(self) -> bool:
        begun_so = self.is_training_data and bool(self.before.get("stream"))
        return self.split is None and (is_large(self.source) or begun_so)

    def stream(self) -> ParquetStream:
        """The source row group by row group; condition and labels must be columns of it."""
        from hourglass import ParquetStream

        stream = ParquetStream(Path(self.source).expanduser())
        conditional = self.is_training_data and self.estimator.condition_ is not None
        then = self.before.get("condition") if conditional else None
        for option, name in (("condition", self.condition or then), ("labels", self.labels)):
            if name is not None and name not in stream.columns:
                raise UsageError(
                    f"--{option} {name}: a table read in chunks needs a column of it{known(name, stream.columns)}"
                )
        return stream

    @property
    def n_streamed(self) -> int:
        """Rows of a table read in chunks; 0 for what is read at once."""
        return len(self.stream()) if self.is_streamed else 0

    def chunks(self) -> Iterator[Inputs]:
        """The examples, those of a large table in chunks."""
        import pyarrow as pa

        from hourglass import readers

        if not self.is_streamed:
            yield self.inputs(self._read())
            return
        stream = self.stream()
        for group in range(len(stream.row_groups)):
            for batch in stream.batches(group):
                yield self.inputs(readers.Data(pa.Table.from_batches([batch]), source=self.source))

    def some(self) -> Inputs:
        """The examples; of a large table some rows from every part of it."""
        from hourglass import readers
        from hourglass.report import MAX_EXAMPLES

        if not self.is_streamed:
            return self.inputs(self._read())
        stream = self.stream()
        then = self.before.get("labels")
        if then and self.is_training_data and not self.labels and then not in stream.columns:
            note(f"the labels of {then} are left out: those of a table read in chunks must be a column of it")
        table = stream.spread(MAX_EXAMPLES)
        note(f"{self.source} has {len(stream):,} rows; {len(table):,} of them, from every part of it, are used")
        return self.inputs(readers.Data(table, source=self.source))

    def _read(self) -> Data:
        return read(self.source, self.split, self.header, self.null_words)

    def inputs(self, data: Data) -> Inputs:
        """The columns the model was fitted on, with the condition it was given then."""
        from hourglass.readers.memory import selected

        modality = self.estimator.modality_
        if data.kind not in modality.reads:
            raise ValueError(f"{self.source} holds {data.kind}, but {self.run} was fitted on {modality.describe()}")
        condition = None
        if self.estimator.condition_ is not None:
            condition = self._condition(data)
        elif self.condition is not None:
            raise UsageError(
                f"--condition {self.condition}: {self.run} was fitted without one; fit with --condition first"
            )
        then = self.before.get("labels")
        there = column_of(data, then or "") is not None
        labels = self.labels or (then if there or (self.is_training_data and not self.is_streamed) else None)
        kept = self._columns(data)
        X = modality.accept(data if kept is None else selected(data, kept))
        header = None if self.header is None else self.header == "yes"
        return Inputs(X, condition, labels_of(data, labels)[0], data.names, kept, data, header)

    def _condition(self, data: Data) -> Any:
        names = [c.name for c in self.estimator.condition_.table.columns]  # type: ignore[union-attr]
        condition, before = self.condition, self.before.get("condition")
        if condition is None and before is not None:
            there = column_of(data, before) is not None or (before == LABELS and data.labels is not None)
            condition = before if there or self.is_training_data else None
        if condition is None:
            raise UsageError(
                f"the model was fitted with a condition ({', '.join(names)}): pass --condition COLUMN or FILE"
            )
        table, _ = read_companion(data, condition, "--condition")
        if table.num_columns != len(names):
            raise ValueError(f"--condition {condition}: has {table.num_columns} columns; {', '.join(names)} are needed")
        return rename_columns(table, names)

    def _columns(self, data: Data) -> list[str | int] | None:
        """The columns the model was fitted on, in their order; None for all, which the model itself will check."""
        from hourglass.readers import containers

        names = self.estimator.modality_.learned_names
        at_fit = [str(name) for name in getattr(self.estimator, "feature_names_in_", names)]  # left-out ones too
        n_columns = containers.n_columns(data.X)
        if n_columns is None:
            return None
        before = self.before
        taken_out = [*(before.get("drop") or ()), *(before[o] for o in ("labels", "condition") if before.get(o))]
        if not names:  # the model itself knows which it needs
            there = [column for name in taken_out if (column := column_of(data, name)) is not None]
            return remaining(data, there) if there else None
        nameless = all(re.fullmatch(r"x\d+", name) for name in names)  # fitted on an array: columns go by their place
        if data.columns is None or (nameless and not set(names) <= set(data.columns)):
            if n_columns == len(names):
                return None
            return remaining(data, [c for c in (column_of(data, name) for name in taken_out) if c is not None])
        if missing := [name for name in names if name not in data.columns]:
            near = difflib.get_close_matches(missing[0], data.columns, 1)
            hint = f" (is it {near[0]!r}?)" if near else ""
            raise ValueError(f"{data.source} has no column {missing[0]!r}{hint}; the model needs {', '.join(names)}")
        if unknown := [name for name in data.columns if name not in at_fit and name not in taken_out]:
            note(f"columns that the model does not know are not used: {', '.join(unknown)}")
        return [name for name in at_fit if name in data.columns]


def _lies_elsewhere(source: str, run: Path) -> bool:
    """Whether a path lies outside of the run's folder and of the current one."""
    path = Path(source).expanduser()
    if not path.exists():
        return False
    homes = (Path.cwd().resolve(), run.expanduser().resolve())
    return not any(path.resolve().is_relative_to(home) for home in homes)
