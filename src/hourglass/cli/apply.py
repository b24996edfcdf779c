"""A fitted model applied to data: what every command that uses a run has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from hourglass.cli.companions import Inputs
from hourglass.cli.errors import UsageError, about
from hourglass.cli.options import FLATTENED, FileOptions, Split
from hourglass.cli.output import rows_done
from hourglass.cli.reuse import RunInputs


@dataclass(frozen=True)
class On:
    """The run that is used, and what it is used on.

    Parameters
    ----------
    run
        Folder of a fitted model.
    data
        As for `hourglass fit`. By default the data that the model was fitted on.
    condition
        Where the model was fitted with a condition: a column of DATA, a FILE, or "labels". By default what it was
        fitted with.
    split
        The part of a public data set. By default that of the run, or train.
    json
        Print what was written as JSON.
    """

    run: Path
    data: str | None = None
    condition: str | None = field(default=None, kw_only=True)
    split: Split | None = field(default=None, kw_only=True)
    json: bool = field(default=False, kw_only=True)
    how: Annotated[FileOptions, FLATTENED] = field(default=FileOptions(), kw_only=True)

    def inputs(self, estimator: Any, labels: str | None = None) -> RunInputs:
        return RunInputs.of(
            estimator, self.run, self.data, self.split, self.condition, labels, self.how.header, self.how.null_words
        )


def apply_in_chunks(
    on: On, estimator: Any, verb: Callable[[Inputs], Any], out: Path, labels: str | None = None
) -> Iterator[tuple[Inputs, Any]]:
    """The data, in chunks where they are a large table, and what `verb` makes of each chunk, to be written to `out`.

    Raises
    ------
    UsageError : where `out` would overwrite what it is made from.
    OSError : where it cannot be written, before anything is computed.
    """
    from hourglass.readers import check_writable

    use = on.inputs(estimator, labels)
    for read_from in filter(None, (use.source, on.condition)):
        if Path(read_from).exists() and out.exists() and out.samefile(read_from):
            raise UsageError(f"--out {out} would overwrite the input; give another name")
    check_writable(out, estimator.modality_.endings)
    return _applied(use, verb)


def _applied(use: RunInputs, verb: Callable[[Inputs], Any]) -> Iterator[tuple[Inputs, Any]]:
    with rows_done(use.n_streamed) as advance:
        for given in use.chunks():
            with about(use.source):
                made = verb(given)
            yield given, made
            advance(len(given))
