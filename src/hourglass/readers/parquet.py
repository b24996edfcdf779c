"""Parquet files, and folders of them -> `pyarrow.Table`; what is not data in them (pandas' index) is set apart.

Files in folders called `year=2020` are parts of one table, in which `year` is a column, as Hive and Spark write them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from hourglass.readers.data import Data
from hourglass.readers.decoding import check_fits, decoding
from hourglass.readers.folders import files_below
from hourglass.readers.memory import unique_names
from hourglass.user_warnings import warn

SUFFIXES = (".parquet", ".pq")
HIDDEN = (".", "_")  # _metadata, _SUCCESS, _delta_log
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
MAX_DICTIONARY, MAX_PAGE = 1 << 27, 1 << 30  # bytes of one page, unpacked; writers make them of about 1 MB


@dataclass(frozen=True)
class TableFile:
    """One file of a table: the columns that hold data, those that are pandas' index, and what its folders say.

    Attributes
    ----------
    path : Path
    schema : pyarrow.Schema
        Of the data columns.
    index : tuple of str
        Columns of the file that are the index of the pandas frame it was written from.
    keys : dict of str to (str or None)
        {"year": "2020"} of a file in a folder `year=2020`.
    group_rows : tuple of int
        Rows of each row group.
    n_bytes : int
        What the file takes in memory, about.
    """

    path: Path
    schema: Any
    index: tuple[str, ...]
    keys: dict[str, str | None]
    group_rows: tuple[int, ...]
    n_bytes: int


def read(path: Path) -> Data:
    """Table of a Parquet file, or of a folder of Parquet files with the same columns, in the order of their paths.

    Rows are named by the index, where pandas wrote one. Raises ValueError for files that are corrupt, differ in their
    columns, or do not fit into memory.
    """
    import pyarrow as pa

    files = table_files(path)
    schema = schema_of(files)
    check_fits(path, sum(file.n_bytes for file in files), "the table takes", "read it in chunks, with ParquetStream")
    tables, names = [], []
    for file in files:
        names_too = [*file.index] if file.index == files[0].index else []
        with opened(file.path) as reader:
            check_pages(file.path, reader.metadata, range(len(file.group_rows)))
            with decoding(file.path, "Parquet"):
                table = reader.read(columns=[*file.schema.names, *names_too])
        tables.append(in_schema(table, schema, file))
        names.append(table.select(names_too))
    table = pa.concat_tables(tables)
    if table.num_rows == 0:
        raise ValueError(f"{path}: holds no rows; at least one example is needed")
    warn_of_index(path, files)
    return Data(table, names=_row_names(names), source=str(path))


def table_files(path: Path) -> list[TableFile]:
    """The files of a table: the file itself, or all Parquet files below a folder, sorted by path."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if not path.is_dir():
        return [_table_file(path, {})]
    paths = [file for file in files_below(path, HIDDEN) if file.suffix.lower() in SUFFIXES]
    if not paths:
        raise ValueError(f"{path}: the folder holds no .parquet file")
    return [_table_file(file, _keys(file.relative_to(path).parts[:-1])) for file in paths]


def _keys(folders: Sequence[str]) -> dict[str, str | None]:
    pairs = (folder.split("=", 1) for folder in folders if "=" in folder)
    return {unquote(key): None if value == NO_VALUE else unquote(value) for key, value in pairs}


def _table_file(path: Path, keys: dict[str, str | None]) -> TableFile:
    import pyarrow as pa

    with opened(path) as reader, decoding(path, "Parquet"):
        schema, metadata = reader.schema_arrow, reader.metadata
        listed = {name for name in (schema.pandas_metadata or {}).get("index_columns", ()) if isinstance(name, str)}
        groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
        rows = tuple(int(group.num_rows) for group in groups)
        unpacked = sum(int(group.total_byte_size) for group in groups)
    unique_names(schema.empty_table(), str(path))
    listed |= {name for name in schema.names if name.startswith("__index_level_") and name.endswith("__")}
    index = tuple(name for name in schema.names if name in listed)
    if len(index) == len(schema.names):
        index = ()
    data = pa.schema([field.with_nullable(True) for field in schema if field.name not in index])
    keys = {key: value for key, value in keys.items() if key not in schema.names}
    return TableFile(path, data, index, keys, rows, max(8 * sum(rows) * len(data), unpacked))


def schema_of(files: Sequence[TableFile]) -> Any:
    """The columns of all files together, each of the type that holds the values of every file.

    Raises ValueError that names two files whose columns differ in name, or in types without a common one.
    """
    import pyarrow as pa

    first = files[0]
    schema = first.schema
    for file in files[1:]:
        odd = sorted(set(schema.names) ^ set(file.schema.names)) or sorted(set(first.keys) ^ set(file.keys))
        if odd:
            raise ValueError(
                f"{_told_apart(first, file)} have different columns ({odd[0]!r} is in one of them only); make them the "
                "same"
            )
        if not schema.equals(file.schema):
            fields = [_common(field, file.schema.field(field.name), first, file) for field in schema]
            schema = pa.schema(fields)
    for key in first.keys:
        values = [file.keys[key] for file in files]
        schema = schema.append(pa.field(key, pa.int64() if all(map(_is_whole, values)) else pa.string()))
    return schema


def _is_whole(text: str | None) -> bool:
    return text is None or (text.lstrip("-").isdecimal() and str(int(text)) == text)


def _common(field: Any, other: Any, first: TableFile, second: TableFile) -> Any:
    """A field of the type that holds the values of both."""
    import pyarrow as pa

    kinds = [field.type, other.type]
    if kinds[0] != kinds[1]:
        kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
    try:
        schemas = [pa.schema([pa.field(field.name, kind)]) for kind in kinds]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(
            f"{_told_apart(first, second)} disagree on column {field.name!r}: {field.type} and {other.type}; write "
            "both with the same type"
        ) from error


def _told_apart(first: TableFile, second: TableFile) -> str:
    if first.path.name != second.path.name:
        return f"{first.path.name} and {second.path.name}"
    return f"{first.path} and {second.path}"


def in_schema(table: Any, schema: Any, file: TableFile) -> Any:
    """Rows of a file (Table or RecordBatch) with the columns of the schema, in its order and types."""
    import pyarrow as pa

    columns = []
    for field in schema:
        if field.name in file.keys:
            value = file.keys[field.name]
            known = int(value) if value is not None and pa.types.is_integer(field.type) else value
            columns.append(pa.repeat(pa.scalar(known, field.type), table.num_rows))
        else:
            column = table.column(field.name)
            with decoding(file.path, "Parquet"):
                columns.append(column if column.type == field.type else column.cast(field.type))
    return type(table).from_arrays(columns, schema=schema)


@contextmanager
def opened(path: Path, **options: Any) -> Iterator[Any]:
    """A pyarrow.parquet.ParquetFile."""
    import pyarrow.parquet as pq

    with decoding(path, "Parquet"):
        reader = pq.ParquetFile(path, **options)
    with reader:
        yield reader


def check_pages(path: Path, metadata: Any, groups: Sequence[int]) -> None:
    """Raises ValueError if the dictionary or the first page of a column unpacks to more than such pages do.

    Readers hold a whole page, and a dictionary as long as they read its column; 13 kB can unpack to 400 MB.
    """
    with path.open("rb") as file:
        for g in groups:
            for c in range(metadata.num_columns):
                chunk = metadata.row_group(g).column(c)
                places = [(chunk.data_page_offset, MAX_PAGE)]
                if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
                    places.append((chunk.dictionary_page_offset, MAX_DICTIONARY))
                for offset, most in places:
                    file.seek(max(0, offset))
                    size = _page_size(file.read(16))
                    if size > most:
                        raise ValueError(
                            f"{path}: column {chunk.path_in_schema!r} holds a page that unpacks to {size / 1e6:,.0f} "
                            f"MB, and at most {most / 1e6:,.0f} are read; write it again with smaller pages"
                        )


def _page_size(header: bytes) -> int:
    """Bytes of a page when unpacked, the second field of its header; 0 if this is no header.

    Source: Apache Parquet format, parquet.thrift, PageHeader; Thrift's compact protocol (zigzag varints).
    """
    position, value = 0, 0
    for _ in range(2):  # type, uncompressed_page_size: both i32
        if header[position : position + 1] != b"\x15":
            return 0
        position, value, shift = position + 1, 0, 0
        while position < len(header):
            byte = header[position]
            value |= (byte & 0x7F) << shift
            position, shift = position + 1, shift + 7
            if byte < 0x80:
                break
    return value >> 1


def warn_of_index(path: Path, files: Sequence[TableFile]) -> None:
    names = [name for name in files[0].index if not name.startswith("__index_level_")]
    if names:
        warn(f"{path}: {', '.join(names)} is the index that pandas wrote: it names the rows and is not a column")


def index_of(path: Path) -> Any:
    """The columns of the index that pandas wrote, with its metadata; None where there is none."""
    import pyarrow as pa

    if not path.is_dir() and path.suffix.lower() not in SUFFIXES:
        return None
    files = table_files(path)
    if not files[0].index or any(file.index != files[0].index for file in files):
        return None
    tables = []
    for file in files:
        with opened(file.path) as reader, decoding(file.path, "Parquet"):
            tables.append(reader.read(columns=list(file.index)))
    return pa.concat_tables(tables, promote_options="permissive")


def _row_names(tables: list[Any]) -> tuple[str, ...] | None:
    """What the index says of every row; of several columns, separated by commas."""
    if not all(table.num_columns for table in tables):
        return None
    rows = (zip(*(column.to_pylist() for column in table.columns), strict=True) for table in tables)
    return tuple(", ".join(map(str, values)) for file in rows for values in file)
