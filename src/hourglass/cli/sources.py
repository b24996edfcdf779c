"""What DATA names: a path or a public data set, in memory or too large for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hourglass.cli.errors import UsageError, note, out_of_memory_says

if TYPE_CHECKING:
    from hourglass.readers import Data

STREAMED = 10**9  # bytes a Parquet table takes in memory; larger ones are read in chunks
MAX_SKIPPED_NAMED = 10


def check_options(
    source: str, split: str | None = None, header: str | None = None, null_words: Sequence[str] | None = None
) -> None:
    """Raises UsageError for options of another kind of source, before anything is read."""
    from hourglass import datasets
    from hourglass.readers.delimited import SUFFIXES

    if split is not None and (Path(source).expanduser().exists() or source not in datasets.names()):
        raise UsageError(f"--split {split} is for public data sets, and {source} is not one (see: hourglass datasets)")
    for option, value in (("--header", header), ("--null-words", null_words)):
        if value is not None and not source.lower().endswith(SUFFIXES):
            raise UsageError(f"{option} is for .csv and .tsv files, and {source} is not one; leave it out")


def read(
    source: str, split: str | None = None, header: str | None = None, null_words: Sequence[str] | None = None
) -> Data:
    """A path or a public data set; files that had to be skipped are noted.

    Raises
    ------
    UsageError : for options that do not suit the source.
    MemoryError : naming the source.
    """
    from hourglass import datasets, readers

    check_options(source, split, header, null_words)
    with out_of_memory_says(f"{source} does not fit into memory"):
        if split is not None:
            return datasets.load(source, split)  # type: ignore[arg-type]
        words = None if null_words is None else [word for text in null_words for word in text.split(",")]
        data = readers.read(source, header=None if header is None else header == "yes", null_words=words)
    for path, reason in data.skipped[:MAX_SKIPPED_NAMED]:
        note(f"skipped {path}: {reason}", at_end=True)
    if (more := len(data.skipped) - MAX_SKIPPED_NAMED) > 0:
        note(f"skipped {more} more files that could not be read", at_end=True)
    return replace(data, skipped=())


def parquet_bytes(source: str) -> int:
    """Bytes that a Parquet file, or the Parquet files in a folder, take in memory; 0 for everything else."""
    from hourglass.readers.stream import table_bytes

    return table_bytes(source)


def is_large(source: str) -> bool:
    """Whether a table is so large that it is read in chunks without being asked to."""
    return parquet_bytes(source) > STREAMED


def known(name: str, names: Iterable[str]) -> str:
    """The nearest of the known names, or all of them, to end a message with; nothing where there are none."""
    names = list(names)
    near = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}" if names else ""
