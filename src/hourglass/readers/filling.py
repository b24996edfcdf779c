"""A CSV file with values in its empty cells, and every other cell as it was written."""

from __future__ import annotations

import gzip
import math
import re
import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from hourglass.readers import csv_cells, delimited, text_columns
from hourglass.readers.decimals import MAX_DECIMALS
from hourglass.readers.decoding import open_plain
from hourglass.readers.writing import written_whole

_DECIMALS = re.compile(r"[-+]?\d*(?:[.,](\d*))?")  # of a number without an exponent
Values = Mapping[int, Any]  # row -> the value of a cell; rows are counted from 0


def missing_values(table: Any, filled: Any) -> dict[str, Values]:
    """The cells that are missing in a table and not in another of the same rows: {column: {row: value}}.

    Whole numbers are whole where the column of `table` is.
    """
    import pyarrow as pa

    found: dict[str, Values] = {}
    for name in filled.column_names:
        missing = np.flatnonzero(table.column(name).is_null().to_numpy())
        values = dict(zip(missing.tolist(), filled.column(name).take(missing).to_pylist(), strict=True))
        is_whole = pa.types.is_integer(table.schema.field(name).type)
        found[name] = {
            row: round(value) if is_whole else value
            for row, value in values.items()
            if value is not None and not (isinstance(value, float) and math.isnan(value))
        }
    return found


def fill_csv(source: Path, out: Path, values: Mapping[str, Values], *, header: bool | None = None) -> int:
    """Writes a copy of a CSV file with values in cells that are missing; returns the number of rows.

    Where both files separate their cells alike, all other bytes stay; else all other cells stay the texts they are.
    Values are written as their column is: in quotes, with decimal commas, as True or true.

    Parameters
    ----------
    values : {column: {row: value}}, as `missing_values` gives them.
    header : as it was read with.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is doubtful about the file was said when it was read
        layout = delimited.layout_of(source, header=header)
    with open_plain(source) as file:
        content = file.read()
    delimiter = layout.delimiter.encode()
    styles = _Styles(content, layout)
    changes: dict[int, dict[int, bytes]] = {}
    for name, cells in values.items():
        column = layout.names.index(name)
        for row, value in cells.items():
            text, quoted = styles.text(column, value), styles.quotes(column)
            changes.setdefault(row, {})[column] = csv_cells.cell_of(text, delimiter, quoted)
    wanted = "\t" if ".tsv" in out.name.lower() else "," if ".tsv" in source.name.lower() else layout.delimiter
    with written_whole(out) as temporary, _opened(temporary, out) as file:
        if wanted == layout.delimiter:
            n_columns = len(layout.names)
            return csv_cells.copy_with_changes(content, delimiter, n_columns, layout.lines_above, changes, file)
        return _write_anew(content, layout, changes, wanted.encode(), file)


def _opened(temporary: Path, out: Path) -> IO[bytes]:
    return gzip.open(temporary, "wb") if out.suffix == ".gz" else temporary.open("wb")  # type: ignore[return-value]


def _write_anew(
    content: bytes, layout: delimited.Layout, changes: Mapping[int, Mapping[int, bytes]], delimiter: bytes,
    out: IO[bytes],
) -> int:  # fmt: skip
    """The same texts with something else between them; returns the number of rows."""
    row = -layout.lines_above - 1
    for spans in csv_cells.records(content, layout.delimiter.encode()):
        if row >= -1 and spans[-1][1] == spans[0][0] and len(layout.names) > 1:  # an empty line
            continue
        row += 1
        cells = [content[start:end] for start, end in spans]
        for column, cell in changes.get(row, {}).items():
            cells[column] = cell
        texts = [(csv_cells.text_of(cell), cell.startswith(b'"')) for cell in cells]
        out.write(delimiter.join(csv_cells.cell_of(text, delimiter, quoted) for text, quoted in texts) + b"\n")
    return row + 1


class _Styles:
    """How the cells of each column are written, inferred from the first rows."""

    def __init__(self, content: bytes, layout: delimited.Layout) -> None:
        lines = islice(csv_cells.records(content, layout.delimiter.encode()), layout.lines_above, None)
        rows = [
            [content[start:end] for start, end in cells]
            for cells in islice(lines, delimited.LINES_FOR_HEADER)
            if len(cells) == len(layout.names)
        ]
        self._columns = [[row[j] for row in rows] for j in range(len(layout.names))]
        texts = [[csv_cells.text_of(cell) for cell in column] for column in self._columns]
        self._texts = [[text for text in column if not _is_missing(text)] for column in texts]
        numbers = [text for column in self._texts for text in column if not text.strip("+-0123456789,eE ")]
        self._comma = layout.decimal_commas and any("," in text for text in numbers)

    def quotes(self, column: int) -> bool:
        """Whether its cells are in quotes: all that are not missing, or all if there is no other."""
        cells = self._columns[column]
        known = [cell for cell in cells if not _is_missing(csv_cells.text_of(cell))] or cells
        return bool(known) and all(cell.startswith(b'"') for cell in known)

    def text(self, column: int, value: Any) -> str:
        if isinstance(value, bool):
            first, word = next(iter(self._texts[column]), "true"), str(value)
            return word.upper() if first.isupper() else word if first[:1].isupper() else word.lower()
        if isinstance(value, float):
            text = self._decimal(column, value)
            return text.replace(".", ",") if self._comma else text
        return str(value)

    def _decimal(self, column: int, value: float) -> str:
        """A number with as many decimals as the others of its column, where these are enough."""
        numbers = [_DECIMALS.fullmatch(text.strip()) for text in self._texts[column]]
        if not numbers or not all(numbers):
            return repr(value)
        decimals = max(len(found[1] or "") for found in numbers if found)
        text = f"{value:.{decimals}f}"
        return text if float(text) == value or decimals > MAX_DECIMALS else repr(value)


def _is_missing(text: str) -> bool:
    return not text.strip() or text.strip() in text_columns.NULL_WORDS
