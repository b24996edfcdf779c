"""Where the cells of a CSV file lie, to the byte; and a copy of the file in which only some of them are changed.

The grammar is Arrow's: a quote counts only as the first character of a cell and is doubled inside; what follows the
closing quote belongs to the cell; lines end with LF, CR LF or CR, of which quoted cells may hold any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO

Span = tuple[int, int]
BOM = b"\xef\xbb\xbf"
QUOTED = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')
END_OF_LINE = re.compile(rb"[\r\n]")


class UnclosedQuoteError(ValueError):
    """A quoted cell that does not end before the file does; `offset` is where it begins."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the quote at byte {offset} is never closed")
        self.offset = offset


def records(content: bytes, delimiter: bytes) -> Iterator[list[Span]]:
    """The cells of one line after the other as (start, end) in `content`, quotes included.

    An empty line has one cell, which is empty. Raises UnclosedQuoteError.
    """
    position = _start(content)
    while position < len(content):
        cells = _cells(content, position, delimiter)
        yield cells
        position = _next_line(content, cells[-1][1])


def text_of(cell: bytes) -> str:
    """What a cell says, without its quotes."""
    match = QUOTED.match(cell)
    if match is not None:
        cell = match[1].replace(b'""', b'"') + cell[match.end() :]
    return cell.decode("utf-8", errors="replace")


def cell_of(text: str, delimiter: bytes, quoted: bool) -> bytes:
    """A cell that says this, in quotes where that is asked for or the text needs them."""
    needed = any(sign in text for sign in (delimiter.decode(), '"', "\n", "\r"))
    return ('"' + text.replace('"', '""') + '"' if quoted or needed else text).encode()


def copy_with_changes(
    content: bytes, delimiter: bytes, n_columns: int, lines_above: int, changes: Mapping[int, Mapping[int, bytes]],
    out: IO[bytes],
) -> int:  # fmt: skip
    """Writes `content` with some cells changed and every other byte as it was; returns the number of rows.

    Parameters
    ----------
    n_columns : cells per row. Empty lines are no rows, unless there is one column only.
    lines_above : lines above row 0: the header, and empty lines before it.
    changes : {row: {column: the new cell, quotes included}}, counted from 0.
    """
    written, row, position = 0, -lines_above - 1, _start(content)
    while position < len(content):
        end = _end_of_line(content, position, delimiter)
        if row < -1 or end > position or n_columns == 1:
            row += 1
            if changed := changes.get(row):
                cells = _cells(content, position, delimiter)
                for column, cell in sorted(changed.items()):
                    start, stop = cells[column]
                    out.write(content[written:start])
                    out.write(cell)
                    written = stop
        position = _next_line(content, end)
    out.write(content[written:])
    return row + 1


def _start(content: bytes) -> int:
    return len(BOM) if content.startswith(BOM) else 0


def _cells(content: bytes, position: int, delimiter: bytes) -> list[Span]:
    """The cells of the line that begins here."""
    pattern = _CELLS.get(delimiter) or _CELLS.setdefault(delimiter, _cell(delimiter))
    cells: list[Span] = []
    while True:
        match = pattern.match(content, position)
        if match is None:
            raise UnclosedQuoteError(position)
        cells.append(match.span())
        position = match.end()
        if content[position : position + 1] != delimiter:
            return cells
        position += 1


def _cell(delimiter: bytes) -> re.Pattern[bytes]:
    rest = b"[^" + re.escape(delimiter) + rb"\r\n]*+"
    return re.compile(QUOTED.pattern + rest + rb'|(?!")' + rest)


_CELLS: dict[bytes, re.Pattern[bytes]] = {}


def _end_of_line(content: bytes, position: int, delimiter: bytes) -> int:
    match = END_OF_LINE.search(content, position)
    end = len(content) if match is None else match.start()
    return end if content.find(b'"', position, end) < 0 else _cells(content, position, delimiter)[-1][1]


def _next_line(content: bytes, end: int) -> int:
    return end + (2 if content[end : end + 2] == b"\r\n" else 1)
