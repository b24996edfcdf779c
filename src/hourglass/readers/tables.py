"""CSV, TSV and Parquet -> `pyarrow.Table`. An empty cell, NA, nan, null and ? are missing."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hourglass.readers.memory import unique_names

CSV_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")


def read_csv(path: Path, *, names: Sequence[str] | None = None, texts: bool = False) -> Any:
    """Table of a CSV file (separated by commas, semicolons, tabs or bars) or TSV file, plain or gzipped.

    Beside semicolons, a comma in a column of numbers is the decimal sign.

    The first line names the columns. If every field of it is a number other than the plain count 0, 1, 2, ... that
    pandas writes, the file has no header and the columns are called x0, x1, ...; `names` says so outright. A first
    column of whole numbers without a name is the index that pandas writes, and left out. With `texts` every column is
    what stands in the file, only empty fields being missing, and that index is kept.

    Raises ValueError for an empty file, a row of another length (with its number), or bytes that are not UTF-8.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    head = _head(path)
    delimiter = "\t" if ".tsv" in path.name.lower() else _delimiter(head)
    fields = _first_record(path, head, delimiter)
    if names is None and _headerless(fields, delimiter):
        names = [f"x{j}" for j in range(len(fields))]
    convert = arrow_csv.ConvertOptions(
        null_values=[""] if texts else [*arrow_csv.ConvertOptions().null_values, "?", " "],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        column_types=dict.fromkeys(names or fields, pa.string()) if texts else None,
    )

    def attempt(source: Any, *, quoted: bool = '"' in head, threads: bool = True, block_size: int | None = None) -> Any:
        read = arrow_csv.ReadOptions(column_names=names, use_threads=threads, block_size=block_size)
        parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=quoted)
        return arrow_csv.read_csv(source, read_options=read, parse_options=parse, convert_options=convert)

    try:
        try:
            table = attempt(path)
        except pa.ArrowInvalid as error:
            if "conversion error" in str(error):  # types were guessed from the first block; now from the whole file
                content = _content(path)
                table = attempt(pa.BufferReader(content), block_size=min(len(content) + 1, 2**31 - 1))
            elif "parse error" in str(error):  # only the single-threaded reader counts rows
                table = attempt(path, quoted=True, threads=False)
            else:
                raise
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        reason = str(error).splitlines()[0]
        if isinstance(error, UnicodeDecodeError) or "UTF" in reason:
            raise _not_utf8(path, "the header") from error
        raise ValueError(
            f"{path}: cannot be read as a table: {reason}; every line needs the same number of fields"
        ) from error
    if table.num_rows == 0:
        raise ValueError(f"{path}: holds a header and no rows; at least one example is needed")
    for field in table.schema:
        if pa.types.is_binary(field.type):
            raise _not_utf8(path, f"column {field.name!r}")
    if texts:
        return unique_names(table, str(path))
    sign = "," if delimiter == ";" else "."
    columns = [_as_numbers(column, sign) for column in table.columns]
    table = pa.Table.from_arrays(columns, names=table.column_names)
    return unique_names(_without_index(table), str(path))


def _head(path: Path) -> str:
    """The first 4 MB of a file as text; a ValueError if it is empty or damaged."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(1 << 22)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the gzip file is damaged or cut short ({error}); write or fetch it again") from error
    if not content:
        raise ValueError(f"{path}: the file is empty; a header line and at least one row are needed")
    return content.decode("utf-8-sig", errors="replace")


def _delimiter(head: str) -> str:
    """What separates the fields: what stands in the first two lines equally often, anything rather than a comma.

    A comma may be a decimal sign or punctuation. Where nothing fits, what the first line has most of, so that reading
    on tells which row is odd.
    """
    first, *more = re.sub(r'"[^"]*"', "", head).splitlines()[:2] or [""]
    there = [d for d in ";\t|," if d in first]
    alike = [d for d in there if all(line.count(d) == first.count(d) for line in more)]
    return alike[0] if alike else max(reversed(there), key=first.count, default=",")


def _first_record(path: Path, head: str, delimiter: str) -> list[str]:
    """The fields of the first line, which may hold line breaks in quotes."""
    try:
        fields = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise ValueError(f"{path}: the first line cannot be read as a table: {error}") from error
    if any("\ufffd" in field for field in fields):
        raise _not_utf8(path, "the header")
    return fields


def _as_numbers(column: Any, sign: str) -> Any:
    """Texts that are all of them numbers, with `sign` before their decimals, or empty, as numbers; else the column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return column
    pattern = rf"^\s*([-+]?([0-9]+([{sign}][0-9]*)?|[{sign}][0-9]+)([eE][-+]?[0-9]+)?)?\s*$"
    for some in (column.slice(0, 100), column):  # most texts show in their first rows that they are none
        if not pc.all(pc.match_substring_regex(some, pattern)).as_py():
            return column
    trimmed = pc.replace_substring(pc.utf8_trim_whitespace(column), sign, ".")
    numbers = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    return numbers.cast(pa.float64()) if numbers.null_count < len(numbers) else column


def _without_index(table: Any) -> Any:
    import pyarrow as pa

    if table.num_columns < 2 or table.column_names[0] not in ("", "Unnamed: 0"):
        return table
    numbers = table.column(0)
    if not pa.types.is_integer(numbers.type) or numbers.null_count:
        return table
    warnings.warn("the first column has no name and numbers the rows; it is left out", stacklevel=3)
    return table.remove_column(0)


def read_parquet(path: Path) -> Any:
    """Table of a Parquet file, or of a folder of Parquet files with the same columns, in the order of their names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables: list[Any] = []
    files = parquet_files(path)
    for file in files:
        try:
            with pq.ParquetFile(file) as opened:
                tables.append(opened.read(columns=data_columns(opened.schema_arrow)))
        except (pa.ArrowInvalid, OSError) as error:
            raise damaged(file, error) from error
        same_schema(files[0], tables[0].schema, file, tables[-1].schema)
    table = pa.concat_tables([part.replace_schema_metadata() for part in tables])
    if table.num_rows == 0:
        raise ValueError(f"{path}: holds no rows; at least one example is needed")
    return unique_names(table, str(path))


def parquet_files(path: Path) -> list[Path]:
    """The file itself, or the Parquet files directly inside a folder, sorted by name."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in PARQUET_SUFFIXES and not file.name.startswith("."))
    if not files:
        raise ValueError(f"{path}: the folder holds no .parquet file")
    return files


def data_columns(schema: Any) -> list[str]:
    """Names of the columns that hold data: all but the row numbers that pandas leaves after a split."""
    return [name for name in schema.names if not (name.startswith("__index_level_") and name.endswith("__"))]


def same_schema(first: Path, schema: Any, second: Path, other: Any) -> None:
    """Raise a ValueError that names both files if their columns differ in name, order or type."""
    if schema.equals(other):
        return
    if schema.names != other.names:
        odd = sorted(set(schema.names) ^ set(other.names)) or ["the order of columns"]
        raise ValueError(f"{first.name} and {second.name} have different columns ({odd[0]}); make them the same")
    field = next(field for field in schema if field.type != other.field(field.name).type)
    raise ValueError(
        f"{first.name} and {second.name} disagree on column {field.name!r}: {field.type} and "
        f"{other.field(field.name).type}; write both with the same type"
    )


def damaged(path: Path, error: Exception) -> ValueError:
    """The error for a file that is no Parquet file, or not a whole one."""
    return ValueError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]}); write or fetch it again")


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _headerless(fields: list[str], delimiter: str) -> bool:
    def number(text: str) -> bool:
        try:
            float(text.replace(",", ".") if delimiter == ";" else text)
        except ValueError:
            return False
        return True

    counted = [str(j) for j in range(len(fields))]
    return len(fields) > 0 and all(number(field) for field in fields) and fields != counted


def _not_utf8(path: Path, where: str) -> ValueError:
    return ValueError(f"{path}: {where} holds bytes that are not UTF-8 text; save the file as UTF-8 and try again")
