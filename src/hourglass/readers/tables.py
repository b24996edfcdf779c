"""CSV, TSV and Parquet -> `pyarrow.Table`. An empty cell, NA, nan, null and ? are missing."""

from __future__ import annotations

import csv
import gzip
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hourglass.readers.memory import unique_names

CSV_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")


def read_csv(path: Path, *, names: Sequence[str] | None = None) -> Any:
    """Table of a CSV file (separated by commas, semicolons, tabs or bars) or TSV file, plain or gzipped.

    Beside semicolons, a comma in a column of numbers is the decimal sign.

    The first line names the columns. If every field of it is a number other than the plain count 0, 1, 2, ... that
    pandas writes, the file has no header and the columns are called x0, x1, ...; `names` says so outright. A first
    column without a name that holds another whole number in every row is the index that pandas writes, and left out.

    Raises ValueError for an empty file, a row of another length (with its number), or bytes that are not UTF-8.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    first, *more = _first_lines(path)
    delimiter = "\t" if ".tsv" in path.name.lower() else _delimiter([first, *more])
    fields = next(csv.reader([first], delimiter=delimiter), [])
    if names is None and _headerless(fields):
        names = [f"x{j}" for j in range(len(fields))]
    parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in first)
    convert = arrow_csv.ConvertOptions(
        null_values=[*arrow_csv.ConvertOptions().null_values, "?", " "],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )

    def attempt(source: Any, *, use_threads: bool = True, block_size: int | None = None) -> Any:
        read = arrow_csv.ReadOptions(column_names=names, use_threads=use_threads, block_size=block_size)
        return arrow_csv.read_csv(source, read_options=read, parse_options=parse, convert_options=convert)

    def table_of_all() -> Any:
        try:
            return attempt(path)
        except pa.ArrowInvalid as error:
            if "conversion error" in str(error):  # types were guessed from the first block; now from the whole file
                content = _content(path)
                return attempt(pa.BufferReader(content), block_size=min(len(content) + 1, 2**31 - 1))
            if "parse error" in str(error):  # only the single-threaded reader counts rows
                return attempt(path, use_threads=False)
            raise

    try:
        table = table_of_all()
        if delimiter == ";" and any(_with_decimal_commas(column) for column in table.columns):
            convert.decimal_point = ","
            table = table_of_all()
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
    return unique_names(_without_index(table), str(path))


def _delimiter(lines: Sequence[str]) -> str:
    """What separates the fields: what gives most of them, as many in each line; a comma where nothing does."""
    counts = {d: [len(next(csv.reader([line], delimiter=d), [])) for line in lines] for d in ",;\t|"}
    alike = [d for d, found in counts.items() if len(set(found)) == 1] or list(counts)
    return max(alike, key=lambda d: counts[d][0])


def _with_decimal_commas(column: Any) -> bool:
    """Whether the texts of a column are numbers as they are written where a semicolon separates them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return False
    numbers = pc.match_substring_regex(column, r"^\s*[-+]?[0-9]+(,[0-9]+)?\s*$")
    return bool(pc.all(numbers).as_py()) and bool(pc.any(pc.match_substring(column, ",")).as_py())


def _without_index(table: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if table.num_columns < 2 or table.column_names[0] not in ("", "Unnamed: 0"):
        return table
    numbers = table.column(0)
    if not pa.types.is_integer(numbers.type) or numbers.null_count or pc.count_distinct(numbers).as_py() < len(numbers):
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


def _first_lines(path: Path) -> list[str]:
    """The first line, and the second if there is one; a ValueError if the file is empty, damaged or not UTF-8."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            lines = [file.readline(1 << 24), file.readline(1 << 24)]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the gzip file is damaged or cut short ({error}); write or fetch it again") from error
    if not lines[0]:
        raise ValueError(f"{path}: the file is empty; a header line and at least one row are needed")
    try:
        first = lines[0].decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, "the header") from error
    second = lines[1].decode(errors="replace").rstrip("\r\n")
    return [first, second] if second else [first]


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _headerless(fields: list[str]) -> bool:
    def number(text: str) -> bool:
        try:
            float(text)
        except ValueError:
            return False
        return True

    counted = [str(j) for j in range(len(fields))]
    return len(fields) > 0 and all(number(field) for field in fields) and fields != counted


def _not_utf8(path: Path, where: str) -> ValueError:
    return ValueError(f"{path}: {where} holds bytes that are not UTF-8 text; save the file as UTF-8 and try again")
