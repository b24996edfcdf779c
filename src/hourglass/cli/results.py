"""What a model computed -> files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli.companions import Inputs, columns_of
from hourglass.cli.errors import UsageError

if TYPE_CHECKING:
    import numpy as np


Chunks = Iterable[tuple[Inputs, Any]]  # some of the data, and what was made of them
Names = Callable[[Inputs], Sequence[str] | None]


def write_columns(
    out: Path, chunks: Chunks, columns: Sequence[str], keep: Sequence[str] | None = None, names: Names | None = None
) -> int:
    """Numbers for every record, (N, len(columns)), into a file by its ending; the number of rows.

    Before them stand the names of the records, where they have some (or what `names` gives), and the columns `keep` of
    the data.
    """
    if keep and out.name.lower().endswith((".npy", ".npz")):
        raise UsageError(f"--keep {' '.join(keep)}: {out.name} has no place for texts; give a .csv or .parquet file")

    def tables() -> Iterator[tuple[Any, Sequence[str] | None]]:
        for given, values in chunks:
            of_rows = given.names if names is None else names(given)
            yield (_kept_beside(given, keep, columns, values) if keep else values), of_rows

    return write_rows(out, tables(), columns=None if keep else columns)


def _kept_beside(given: Inputs, keep: Sequence[str], columns: Sequence[str], values: np.ndarray) -> Any:
    if given.data is None:
        raise UsageError(f"--keep {' '.join(keep)}: the data have no columns")
    table = columns_of(given.data, keep, "--keep")
    if twice := [name for name in columns if name in table.column_names]:
        raise UsageError(f"--keep {twice[0]}: the output has a column of that name already")
    for column, numbers in zip(columns, values.T, strict=True):
        table = table.append_column(column, [numbers])
    return table


def write_rows(
    out: Path, pieces: Iterable[tuple[Any, Sequence[str] | None]], columns: Sequence[str] | None = None
) -> int:
    """Rows with their names into one file, by the ending of `out`, which is checked first; the number of rows."""
    from hourglass import readers

    if out.suffix.lower() == ".png" or not out.suffix:
        raise UsageError(
            f"--out {out}: the output is a table, not images; give a .csv, .tsv, .parquet, .npy or .npz file"
        )
    return readers.write_chunks(out, pieces, columns=columns)


def write_examples(out: Path, pieces: Iterable[tuple[Any, Sequence[str] | None]], modality: Any) -> int:
    """Examples with their names into the file or folder `out`; their number."""
    from hourglass import views

    try:
        views.ending_of(out, modality)
    except ValueError as error:
        raise UsageError(f"--out {error}") from error
    return views.write(out, pieces, modality)
