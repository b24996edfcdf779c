"""Tables larger than memory: Parquet, one row group and one small batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers import parquet
from hourglass.readers.decoding import decoding

BUFFER = 1 << 20  # bytes read ahead per column; without a limit pyarrow reads a whole column of the row group at once


def table_bytes(path: str | Path) -> int:
    """What a Parquet file, or a folder of them, takes in memory, about; 0 for everything else.

    8 bytes per cell, or what its pages unpack to, whichever is more: a small file may hold billions of equal cells.
    """
    path = Path(path).expanduser()
    is_table = path.is_dir() or path.suffix.lower() in parquet.SUFFIXES
    try:
        return sum(file.n_bytes for file in parquet.table_files(path)) if is_table else 0
    except (ValueError, OSError):  # reading it says what is wrong
        return 0


@dataclass(frozen=True)
class RowGroup:
    """Where a run of rows lies: the file, the number of the group in it, and how many rows it has."""

    file: parquet.TableFile
    index: int
    rows: int

    @property
    def path(self) -> Path:
        return self.file.path


class ParquetStream:
    """Rows of a Parquet file, or of a folder of Parquet files with one schema, without holding them in memory.

    Parameters
    ----------
    path : str or Path
        A .parquet file or a folder of them, in the order of their paths; folders called `year=2020` give a column
        `year`.
    columns : sequence of str, optional
        Only these columns, in this order.

    Attributes
    ----------
    rows : int
        Number of rows of all files together.
    schema : pyarrow.Schema
        Names and types of the columns handed out.
    row_groups : tuple of RowGroup
        The units of random access, in file order. Shuffle their numbers and read one after the other.
    """

    def __init__(self, path: str | Path, columns: Sequence[str] | None = None) -> None:
        import pyarrow as pa

        self.path = Path(path).expanduser()
        files = parquet.table_files(self.path)
        whole = parquet.schema_of(files)
        self.row_groups = tuple(
            RowGroup(file, g, rows) for file in files for g, rows in enumerate(file.group_rows) if rows
        )
        if not self.row_groups:
            raise ValueError(f"{self.path}: holds no rows; at least one example is needed")
        missing = [name for name in columns or () if name not in whole.names]
        if missing:
            raise ValueError(f"columns: {self.path} has no column {missing[0]!r}; it has {', '.join(whole.names)}")
        if columns is None:
            parquet.warn_of_index(self.path, files)
        self.columns = tuple(columns) if columns is not None else tuple(whole.names)
        self.schema = pa.schema([whole.field(name) for name in self.columns])
        self.rows = sum(group.rows for group in self.row_groups)

    def __len__(self) -> int:
        return self.rows

    def batches(self, group: int, rows: int = 65536) -> Iterator[Any]:
        """`pyarrow.RecordBatch`es of at most `rows` rows from one row group, in order.

        Memory stays near one batch plus 1 MiB per column, however long the group is.
        """
        if rows < 1:
            raise ValueError(f"rows={rows}: a batch needs at least one row")
        if not 0 <= group < len(self.row_groups):
            raise IndexError(f"group={group}: {self.path} has {len(self.row_groups)} row groups, numbered from 0")
        place = self.row_groups[group]
        inside = [name for name in self.columns if name not in place.file.keys]
        with parquet.opened(place.path, pre_buffer=False, buffer_size=BUFFER) as reader:
            parquet.check_pages(place.path, reader.metadata, [place.index])
            with decoding(place.path, "Parquet"):
                batches = reader.iter_batches(
                    batch_size=rows, row_groups=[place.index], columns=inside, use_threads=False
                )
            while True:
                with decoding(place.path, "Parquet"):
                    batch = next(batches, None)
                if batch is None:
                    return
                yield parquet.in_schema(batch, self.schema, place.file)

    def shares(self, rows: int) -> list[int]:
        """How many of `rows` rows every row group stands for, by its length; all of its rows where there are fewer."""
        ends = np.cumsum([group.rows for group in self.row_groups])
        return np.diff(ends * min(rows, self.rows) // self.rows, prepend=0).tolist()

    def spread(self, rows: int) -> Any:
        """A `pyarrow.Table` of at most `rows` rows: the first ones of every row group, by the group's share."""
        import pyarrow as pa

        batches = []
        for g, wanted in enumerate(self.shares(rows)):
            for batch in self.batches(g, min(wanted, 65536)) if wanted else ():
                batches.append(batch.slice(0, wanted))
                wanted -= len(batches[-1])
                if not wanted:
                    break
        return pa.Table.from_batches(batches)
