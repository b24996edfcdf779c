"""Tables larger than memory: Parquet, one row group and one small batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers.tables import damaged, data_columns, parquet_files, same_schema

BUFFER = 1 << 20  # bytes read ahead per column; without a limit pyarrow reads a whole column of the row group at once


@dataclass(frozen=True)
class RowGroup:
    """Where a stretch of rows lies: the file, the number of the group in it, and how many rows it has."""

    path: Path
    index: int
    rows: int


class ParquetStream:
    """Rows of a Parquet file, or of a folder of Parquet files with one schema, without holding them in memory.

    Parameters
    ----------
    path : str or Path
        A .parquet file or a folder of them (taken in the order of their names).
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

        self.path = Path(path)
        groups: list[RowGroup] = []
        first: tuple[Path, Any] | None = None
        for file in parquet_files(self.path):
            with self._open(file) as opened:
                schema = opened.schema_arrow
                first = first or (file, schema)
                same_schema(*first, file, schema)
                counts = [opened.metadata.row_group(g).num_rows for g in range(opened.metadata.num_row_groups)]
            groups += [RowGroup(file, g, rows) for g, rows in enumerate(counts) if rows]
        if first is None or not groups:
            raise ValueError(f"{self.path}: holds no rows; at least one example is needed")
        schema = first[1].remove_metadata()
        missing = [name for name in columns or () if name not in schema.names]
        if missing:
            raise ValueError(f"columns: {self.path} has no column {missing[0]!r}; it has {', '.join(schema.names)}")
        self.columns = tuple(columns) if columns is not None else tuple(data_columns(schema))
        self.schema = pa.schema([schema.field(name) for name in self.columns])
        self.row_groups = tuple(groups)
        self.rows = sum(group.rows for group in groups)

    def __len__(self) -> int:
        return self.rows

    def batches(self, group: int, rows: int = 65536) -> Iterator[Any]:
        """`pyarrow.RecordBatch`es of at most `rows` rows from one row group, in order.

        Memory stays near one batch plus 1 MiB a column, however long the group is.
        """
        if rows < 1:
            raise ValueError(f"rows={rows}: a batch needs at least one row")
        if not 0 <= group < len(self.row_groups):
            raise IndexError(f"group={group}: {self.path} has {len(self.row_groups)} row groups, numbered from 0")
        place = self.row_groups[group]
        with self._open(place.path) as opened:
            for batch in opened.iter_batches(
                batch_size=rows, row_groups=[place.index], columns=list(self.columns), use_threads=False
            ):
                yield batch.select(list(self.columns))

    def shares(self, rows: int) -> list[int]:
        """How many of `rows` rows every row group stands for, by its length; all of its rows where there are fewer."""
        ends = np.cumsum([group.rows for group in self.row_groups])
        return np.diff(ends * min(rows, self.rows) // self.rows, prepend=0).tolist()

    def spread(self, rows: int) -> Any:
        """A `pyarrow.Table` of at most `rows` rows: the first ones of every row group, by the group's share."""
        import pyarrow as pa

        taken = []
        for g, wanted in enumerate(self.shares(rows)):
            for batch in self.batches(g, min(wanted, 65536)) if wanted else ():
                taken.append(batch.slice(0, wanted))
                wanted -= len(taken[-1])
                if not wanted:
                    break
        return pa.Table.from_batches(taken)

    @staticmethod
    def _open(file: Path) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(file, pre_buffer=False, buffer_size=BUFFER)
        except (pa.ArrowInvalid, OSError) as error:
            raise damaged(file, error) from error
