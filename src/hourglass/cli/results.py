"""What a model computed -> files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hourglass.cli.errors import UsageError


def write_rows(
    out: Path, pieces: Iterable[tuple[Any, Sequence[str] | None]], columns: Sequence[str] | None = None
) -> int:
    """Rows with their names into one file, by the ending of `out`, which is looked at first; the number of rows."""
    from hourglass import readers

    if out.suffix.lower() == ".png" or not out.suffix:
        raise UsageError(f"--out {out}: these are rows, not pictures; give a .csv, .tsv, .parquet, .npy or .npz file")
    return readers.write_pieces(out, pieces, columns=columns)


def write_examples(out: Path, pieces: Iterable[tuple[Any, Sequence[str] | None]], modality: Any) -> int:
    """Examples with their names into the file or folder `out`; their number."""
    from hourglass import views

    try:
        views.ending_of(out, modality)
    except ValueError as error:
        raise UsageError(f"--out {error}") from error
    return views.write(out, pieces, modality)
