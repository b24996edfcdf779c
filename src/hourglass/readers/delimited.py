"""CSV and TSV files -> `pyarrow.Table`: read as texts, then every column in the type that all its cells have."""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from hourglass.readers import csv_cells, text_columns
from hourglass.readers.decoding import BLOCK, check_fits, corrupt, decoding, is_gzip, open_plain, reason_of
from hourglass.readers.headers import is_header
from hourglass.readers.memory import unique_names
from hourglass.user_warnings import warn

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
HEAD = 1 << 22  # bytes, at least, from which separator, header and the length of lines are inferred
LINES = 20  # whole lines that these bytes hold at least
LINES_FOR_HEADER, CELLS_FOR_HEADER = 1000, 200_000  # at most; two lines at least
MAX_BLOCK = 2**31 - 1  # bytes that Arrow takes at once
MAX_INFLATION, UNSUSPICIOUS = 200, 10**9  # times its size that a gzip file of a table may unpack to, beyond 1 GB
CHECKED_EVERY = 64 * BLOCK  # bytes after which memory is checked again
MEMORY_PER_CELL = 12  # bytes of a number and of where its text begins; the text itself comes on top


@dataclass(frozen=True)
class Layout:
    """How a delimited file is written.

    Attributes
    ----------
    delimiter : str
    names : tuple of str
        Of all its columns.
    lines_above : int
        Lines above the first row: the header, and empty lines before it.
    longest : int
        Bytes of the longest of the first lines.
    n_bytes, n_quotes : int
        Bytes of the whole file, unpacked, and quotation marks in it.
    """

    delimiter: str
    names: tuple[str, ...]
    lines_above: int
    longest: int
    n_bytes: int
    n_quotes: int

    @property
    def decimal_commas(self) -> bool:
        """Whether 1,5 is a number here."""
        return self.delimiter == ";"


def read_csv(
    path: Path,
    *,
    header: bool | None = None,
    names: Sequence[str] | None = None,
    null_words: Sequence[str] | None = None,
) -> Any:
    """Table of a CSV file (separated by commas, semicolons, tabs or bars) or TSV file, plain or gzipped.

    Between semicolons, a comma in a column of numbers is the decimal sign. An empty cell is missing; in columns of
    numbers, NA, null, nan, ? and the like are missing too. Columns of digits that are codes (00501, or more digits than
    a float keeps) are texts. A first column of whole numbers without a name is the index that pandas writes; it is
    skipped. What could be meant otherwise is said in a warning.

    Parameters
    ----------
    header : whether the first line names the columns; None: inferred (see `headers.is_header`). Without names the
        columns are called x0, x1, ...
    names : names of the columns of a file without a header.
    null_words : words that mean missing in every column, texts too, instead of the usual ones.

    Raises
    ------
    ValueError : for an empty file, a row of another length (with its number), a quote that is never closed, bytes that
        are not UTF-8, or more than fits into memory.
    """
    import pyarrow as pa

    layout = layout_of(path, header=header, names=names)
    columns = read_texts(path, layout, null_words or ()).columns
    words = text_columns.NULL_WORDS if null_words is None else ()
    codes: list[str] = []
    kept: list[str] = []
    kept_words: dict[str, None] = {}
    for j, name in enumerate(layout.names):
        columns[j], code, words_kept = text_columns.typed(columns[j], words, layout.decimal_commas)
        codes += [] if code is None else [f"{name} ({code})"]
        kept += [f"{number:,} cell{'s' * (number > 1)} {word!r} of {name}" for word, number in words_kept]
        kept_words.update(dict.fromkeys(word for word, _ in words_kept))
    if codes:
        warn(f"{path}: {_some(codes)} read as texts: their digits are codes, which numbers would not keep")
    if kept:
        warn(
            f"{path}: {_some(kept)} kept as texts; if they mean missing, give "
            f"readers.read(..., null_words={list(kept_words)})"
        )
    return _without_index(pa.table(columns, names=list(layout.names)), path)


def read_texts(path: Path, layout: Layout, null_words: Sequence[str] = ()) -> Any:
    """Table of the texts that stand in the file; empty cells, and those that hold a null word, are missing."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    places = [str(j) for j in range(len(layout.names))]
    convert = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(places, pa.string()),
        null_values=["", *null_words],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    parse = arrow_csv.ParseOptions(
        delimiter=layout.delimiter, newlines_in_values=layout.n_quotes > 0, ignore_empty_lines=len(places) > 1
    )

    def attempt(block_size: int, threads: bool = True) -> Any:
        options = arrow_csv.ReadOptions(
            column_names=places, skip_rows_after_names=layout.lines_above, use_threads=threads, block_size=block_size
        )
        with pa.input_stream(path, compression="gzip" if is_gzip(path) else None) as file:
            return arrow_csv.read_csv(file, read_options=options, parse_options=parse, convert_options=convert)

    whole = min(layout.n_bytes + 1, MAX_BLOCK)
    block_size = min(max(BLOCK, 4 * layout.longest), whole)
    try:
        try:
            table = attempt(block_size)
        except pa.ArrowInvalid as error:
            if "parse error" in str(error):  # only the single-threaded reader counts rows
                table = attempt(block_size, threads=False)
            elif "UTF" in str(error) or block_size == whole:
                raise
            else:  # a line longer than the first ones
                table = attempt(whole)
    except (pa.ArrowException, OSError) as error:
        _check_quotes(path, layout)
        reason = reason_of(error)
        if "UTF" in reason:
            place = re.search(r"column #(\d+)", reason)
            raise _not_utf8(path, f"column {layout.names[int(place[1])]!r}" if place else "a cell") from error
        raise ValueError(
            f"{path}: cannot be read as a table: {reason}; every line needs the same number of fields"
        ) from error
    _check_quotes(path, layout)
    if table.num_rows == 0:
        raise ValueError(f"{path}: holds a header and no rows; at least one example is needed")
    return unique_names(table.rename_columns(list(layout.names)), str(path))


def layout_of(path: Path, *, header: bool | None = None, names: Sequence[str] | None = None) -> Layout:
    """How the file is written, inferred from its first lines; a warning says how a doubtful first line was taken."""
    survey = _survey(path)
    head, lines = _first_lines(path, survey)
    top = next((number for number, cells in enumerate(lines) if cells[-1][1] > cells[0][0]), None)
    if top is None:
        raise ValueError(f"{path}: the file is empty; a header line and at least one row are needed")
    longest = max(cells[-1][1] - cells[0][0] for cells in lines[top : top + LINES])
    rows = [[csv_cells.text_of(head[start:end]) for start, end in cells] for cells in lines[top:]]
    if any("\ufffd" in field for field in rows[0]):
        raise _not_utf8(path, "the header")
    if names is None and header is None:
        header = _judged(path, rows, survey.delimiter)
    if names is None:
        names = rows[0] if header else [f"x{j}" for j in range(len(rows[0]))]
    return Layout(survey.delimiter, tuple(names), top + bool(header), longest, survey.n_bytes, survey.n_quotes)


def _judged(path: Path, rows: list[list[str]], delimiter: str) -> bool:
    below = [row for row in rows[1:] if len(row) == len(rows[0])]
    verdict = is_header(rows[0], below, decimal_commas=delimiter == ";", null_words=text_columns.NULL_WORDS)
    if verdict.ambiguous:
        line = _some([field if len(field) < 20 else f"{field[:17]}..." for field in rows[0]])
        taken = "the names of its columns" if verdict.is_header else "data, under the names x0, x1, ..."
        warn(
            f"{path}: the first line ({line}) is taken as {taken}; if that is wrong, give "
            f"readers.read(..., header={not verdict.is_header})"
        )
    return verdict.is_header


class _Survey(NamedTuple):
    head: bytes
    delimiter: str
    n_bytes: int
    n_quotes: int


def _survey(path: Path) -> _Survey:
    """The first lines of a file and what they are separated by, its size when unpacked, and its quotation marks.

    Raises ValueError if it is empty, corrupt or too large for memory.
    """
    packed, size = is_gzip(path), path.stat().st_size
    if path.suffix == ".gz" and size and not packed:
        raise corrupt(path, "gzip", "it does not begin as gzip files do")
    head, delimiter = bytearray(), ""
    n_bytes = n_quotes = n_lines = n_cells = 0
    with open_plain(path) as file:
        while True:
            with decoding(path, "gzip" if packed else "text"):
                block = file.read(BLOCK)
            n_bytes += len(block)
            n_lines += block.count(b"\n") or block.count(b"\r")
            n_quotes += block.count(b'"')
            if delimiter:
                n_cells += block.count(delimiter.encode())
            else:
                head += block
                if not block or (len(head) >= HEAD and n_lines >= LINES):
                    delimiter = _delimiter(path, bytes(head))
                    n_cells = head.count(delimiter.encode())
            if packed and n_bytes > max(UNSUSPICIOUS, MAX_INFLATION * size):
                raise ValueError(
                    f"{path}: unpacks to more than {MAX_INFLATION} times its size, which no ordinary table does; if it "
                    "is one, unpack it first"
                )
            if not block or n_bytes % CHECKED_EVERY < len(block):
                needed = n_bytes + (n_cells + n_lines) * MEMORY_PER_CELL
                check_fits(path, needed, "the table takes", "convert it to Parquet, which is read in chunks")
            if not block:
                return _Survey(bytes(head), delimiter, n_bytes, n_quotes)


def _first_lines(path: Path, survey: _Survey) -> tuple[bytes, list[list[csv_cells.Span]]]:
    """Bytes from the beginning of a file, and the cells of the first lines, which are whole."""
    head = survey.head
    while True:
        lines: list[list[csv_cells.Span]] = []
        n_cells = 0
        with contextlib.suppress(csv_cells.UnclosedQuoteError):
            for cells in csv_cells.records(head, survey.delimiter.encode()):
                lines.append(cells)
                n_cells += len(cells)
                if len(lines) == LINES_FOR_HEADER or (n_cells > CELLS_FOR_HEADER and len(lines) > 2):
                    break
        if len(head) == survey.n_bytes:
            if not lines:
                _check_quotes(path, survey)
            return head, lines
        if lines and lines[-1][-1][1] == len(head):  # it may go on
            lines.pop()
        if lines:
            return head, lines
        head = _content(path)


def _delimiter(path: Path, head: bytes) -> str:
    """What separates the fields: what stands in the first two lines equally often, anything rather than a comma.

    A comma may be a decimal sign or punctuation. Where nothing fits, what the first line has most of, so that reading
    on tells which row is odd.
    """
    if ".tsv" in path.name.lower():
        return "\t"
    first, *more = islice(_lines_without_quoted(head), 2) if head.strip(b"\r\n") else [b""]
    present = [sign for sign in ";\t|," if sign.encode() in first]
    counts = {sign: first.count(sign.encode()) for sign in present}
    alike = [sign for sign in present if all(line.count(sign.encode()) == counts[sign] for line in more)]
    return alike[0] if alike else max(reversed(present), key=counts.__getitem__, default=",")


def _lines_without_quoted(head: bytes) -> Iterator[bytes]:
    """The lines that are not empty, with one letter for what stands in quotes in them."""
    line = b""
    for match in re.finditer(rb'"[^"]*"|[\r\n]|[^"\r\n]+|"', head):
        if match[0] not in (b"\r", b"\n"):
            line += b"q" if match[0].startswith(b'"') else match[0]
        elif line:
            yield line
            line = b""
    if line:
        yield line


def _check_quotes(path: Path, layout: Layout | _Survey) -> None:
    """Raises ValueError, with the line, if a quoted cell does not end before the file does."""
    if layout.n_quotes % 2 == 0:
        return
    content = _content(path)
    try:
        deque(csv_cells.records(content, layout.delimiter.encode()), maxlen=0)
    except csv_cells.UnclosedQuoteError as error:
        line = content.count(b"\n", 0, error.offset) + 1
        raise ValueError(
            f"{path}: the quote that opens in line {line} is never closed, so that the rest of the file would be one "
            "cell; close it, or double the quotes that are part of a text"
        ) from error


def _content(path: Path) -> bytes:
    with open_plain(path) as file, decoding(path, "gzip"):
        return file.read()


def _without_index(table: Any, path: Path) -> Any:
    import pyarrow as pa

    if table.num_columns < 2 or table.column_names[0] not in ("", "Unnamed: 0"):
        return table
    numbers = table.column(0)
    if not pa.types.is_integer(numbers.type) or numbers.null_count:
        return table
    warn(f"{path}: the first column, which has no name and numbers the rows, is skipped")
    return table.remove_column(0)


def _some(words: Sequence[str], most: int = 5) -> str:
    return ", ".join(words[:most]) + (f", ... ({len(words):,} in all)" if len(words) > most else "")


def _not_utf8(path: Path, where: str) -> ValueError:
    return ValueError(f"{path}: {where} holds bytes that are not UTF-8 text; save the file as UTF-8 and try again")
