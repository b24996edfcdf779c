"""Results -> files, each written whole or left as it was: the new one is made next to it and moved into its place."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers.decimals import rounded
from hourglass.readers.memory import as_arrow
from hourglass.readers.pictures import SUFFIXES as PICTURES

PARQUET = (".parquet", ".pq")
TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", *PARQUET)
SUFFIXES = (*TABLES, ".npy", ".npz", ".png")
REMEDIES = {
    errno.ENOSPC: "free some space there, or choose another place",
    errno.EDQUOT: "free some of your quota, or choose another place",
    errno.EACCES: "choose another place, or change its permissions",
    errno.EPERM: "choose another place, or change its permissions",
    errno.EROFS: "choose another place: this one is read-only",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "it is a folder: give the name of a file",
    errno.ENOTDIR: "a part of its path is a file: choose another place",
    errno.EFBIG: "the file system, or ulimit -f, takes no file of this size: choose another place",
}


NUMPY_FULL = "requested and"  # "450000 requested and 49120 written", without a number of the system


class WriteError(OSError):
    """A file that could not be written; the message names it and what to do, `errno` is that of the system."""

    def __init__(self, path: Path, error: OSError) -> None:
        number = errno.ENOSPC if error.errno is None and NUMPY_FULL in str(error) else error.errno
        reason = str(error) if number is None else os.strerror(number)
        kept = "; the file that was there is unharmed" if path.is_file() else ""
        remedy = REMEDIES.get(number or 0, "choose another place")
        super().__init__(f"{path} could not be written: {reason}{kept}; {remedy}")
        self.errno = number


def write(
    path: str | Path,
    values: Any,
    *,
    columns: Sequence[str] | None = None,
    index: Sequence[Any] | None = None,
) -> Path:
    """Write an array or a table; the ending of `path` says how.

    Parameters
    ----------
    path : str or Path
        .csv, .tsv (also .gz) or .parquet for tables; .npy or .npz for arrays of any shape; .png for one picture; a name
        without an ending for a folder of pictures. A file is replaced; a folder must not exist yet, or be empty.
    values : array or frame
        Tables: (N, F), or (N,) for one column. Pictures: (N, C, H, W), (N, H, W) or, for one, (C, H, W) or (H, W).
    columns : sequence of str, optional
        Names for the columns of an array; x0, x1, ... without it.
    index : sequence, optional
        One name per row: the first column, called `name`, of a table; `names` in an .npz; file names of pictures.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ValueError
        If the ending is unknown, the shape does not fit it, or `columns` or `index` has another length.
    OSError
        If it cannot be written there (see `check_writable`), or the disk is full; it names the path and the remedy.

    Notes
    -----
    Texts are written as they are. A spreadsheet takes those that begin with =, +, - or @ for formulas: open tables of
    strangers' texts as plain text there.
    """
    path = check_writable(path)
    name = path.name.lower()
    if index is not None and len(index) != len(values):
        raise ValueError(f"index has {len(index)} names for {len(values)} rows; give one per row")
    if name.endswith(TABLES):
        table = _table(values, columns, index, path)
        with written_whole(path) as temporary:
            _write_tables(iter([table]), temporary, name)
    elif name.endswith((".npy", ".npz")):
        array = np.asarray(values)
        if array.dtype.kind == "O":
            raise ValueError(f"{path}: {array.dtype} values are not plain numbers; write a table as .csv or .parquet")
        with written_whole(path) as temporary, temporary.open("wb") as file:
            if name.endswith(".npy"):
                np.save(file, array, allow_pickle=False)
            else:
                arrays = {"X": array}
                if index is not None:
                    arrays["names"] = np.array(index, dtype=str)
                if columns is not None:
                    arrays["columns"] = np.array(columns, dtype=str)
                np.savez(file, allow_pickle=False, **arrays)
    elif name.endswith(".png"):
        content = _png(_one_picture(np.asarray(values), path), path)
        with written_whole(path) as temporary:
            temporary.write_bytes(content)
    else:
        _write_pictures(path, np.asarray(values), index)
    return path


def write_chunks(
    path: str | Path,
    chunks: Iterable[tuple[Any, Sequence[Any] | None]],
    *,
    columns: Sequence[str] | None = None,
    decimals: Mapping[str, int] | None = None,
) -> int:
    """Write what comes in chunks, each with its `index`, as `write` would write all of it; the number of rows.

    In a table, numbers of the columns that `decimals` names have so many.

    Of a .csv, .tsv or .parquet file no more than a chunk is in memory; for other endings the chunks are put together.
    """
    path = check_writable(path)
    rows = 0
    if path.name.lower().endswith(TABLES):

        def tables() -> Iterator[Any]:
            nonlocal rows
            for values, index in chunks:
                table = rounded(
                    _table(values, columns, index, path),
                    decimals or {},
                    is_text=not path.name.lower().endswith(PARQUET),
                )
                rows += table.num_rows
                yield table

        with written_whole(path) as temporary:
            _write_tables(tables(), temporary, path.name.lower())
        return rows
    parts = list(chunks)
    names = [name for _, index in parts for name in index or ()] or None
    values = parts[0][0] if len(parts) == 1 else np.concatenate([np.asarray(values) for values, _ in parts])
    write(path, values, columns=columns, index=names)
    return len(values)


def check_writable(path: str | Path, endings: Sequence[str] = ()) -> Path:
    """The path, if a file or folder of that name can be written; to be called before the work that it is for.

    `endings` may be written besides those of tables, arrays and pictures.

    Nothing is left behind. Raises ValueError for an ending that cannot be written, and OSError, with the remedy, for a
    folder where a file is wanted or the reverse, a folder with something in it, a link that leads nowhere, and a place
    that cannot be written to.
    """
    path = Path(path).expanduser()
    if path.suffix and not path.name.lower().endswith((*SUFFIXES, *filter(None, endings))):
        raise ValueError(
            f"path={str(path)!r}: cannot write *{path.suffix}; "
            f"use {', '.join(SUFFIXES)}, or no ending for a folder of pictures"
        )
    if path.suffix and path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; give the name of a file")
    if not path.suffix and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path}: exists already, and is a file or not empty; choose another name")
    check_place(path)
    return path


def check_place(path: Path) -> None:
    """Raises OSError if nothing can be made next to `path`, or in the nearest folder above it that exists."""
    if not path.suffix and path.is_symlink() and not path.exists():
        raise FileExistsError(f"{path}: is a link that leads nowhere; remove it, or choose another name")
    place = path.parent
    while not place.exists():
        if place.is_symlink():
            raise FileExistsError(f"{place}: is a link that leads nowhere; remove it, or choose another place")
        place = place.parent
    try:
        handle, trial = tempfile.mkstemp(prefix=".", suffix=".part", dir=place)
        os.close(handle)
        os.unlink(trial)
    except OSError as error:
        raise WriteError(path, error) from error


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """A temporary path next to `path` that takes its place, flushed to the disk, when the block ends without an error.

    Readers of `path` see the old content or the new, never half of either. Errors of writing (a full disk, ...) come as
    OSError that names `path` and the remedy; other errors of the block pass unchanged.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        if isinstance(error, WriteError) or not _is_about(error, temporary):
            raise
        raise WriteError(path, error) from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def _is_about(error: OSError, temporary: Path) -> bool:
    """Whether an error is of writing this file, and not of reading, or downloading, what was to be written."""
    if isinstance(error, ConnectionError | TimeoutError):
        return False
    if error.filename is None:
        return error.errno is not None or NUMPY_FULL in str(error)
    return str(error.filename).startswith(str(temporary.parent)) or str(temporary).startswith(str(error.filename))


def _flush(path: Path) -> None:
    """Ask the system to put this file or folder on the disk; folders cannot be opened on Windows."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _table(values: Any, columns: Sequence[str] | None, index: Sequence[Any] | None, path: Path) -> Any:
    import pyarrow as pa

    if isinstance(values, np.ndarray | list | tuple):
        values = np.asarray(values)
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2:
            raise ValueError(
                f"{path}: a table has two axes, got shape {values.shape}; write .npy, or reshape to (rows, columns)"
            )
    X = as_arrow(values, str(path))
    if columns is not None:
        if len(columns) != X.num_columns:
            raise ValueError(f"columns has {len(columns)} names for {X.num_columns} columns; give one each")
        X = X.rename_columns(list(columns))
    if index is not None:
        first = "name" if "name" not in X.column_names else "row_name"
        X = X.add_column(0, first, pa.array([str(entry) for entry in index]))
    return X


def _write_tables(tables: Iterator[Any], path: Path, name: str) -> None:
    """Tables of the first one's columns, one after the other, into one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv

    first = next(tables)
    if name.endswith(PARQUET):
        with pq.ParquetWriter(path, first.schema) as writer:
            for table in chain([first], tables):
                writer.write_table(table.cast(first.schema))
        return
    options = csv.WriteOptions(delimiter="\t" if ".tsv" in name else ",", quoting_style="needed")
    compression = "gzip" if name.endswith(".gz") else None
    with (
        pa.output_stream(path, compression=compression) as stream,
        csv.CSVWriter(stream, first.schema, write_options=options) as writer,
    ):
        for table in chain([first], tables):
            writer.write_table(table.cast(first.schema))


def _write_pictures(folder: Path, pictures: np.ndarray, index: Sequence[Any] | None) -> None:
    """One PNG per picture, called after `index` or numbered; a folder appears only when all are written."""
    if pictures.ndim not in (3, 4):
        raise ValueError(
            f"{folder}: a folder takes pictures (N, C, H, W) or (N, H, W), got shape {pictures.shape}; "
            "give .csv, .parquet or .npy for a table"
        )
    digits = max(5, len(str(len(pictures))))
    names = [f"{i:0{digits}d}" for i in range(len(pictures))] if index is None else _stems([str(e) for e in index])
    with written_whole(folder) as temporary:
        for name, picture in zip(names, pictures, strict=True):
            file = temporary / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_png(_one_picture(picture, folder), folder))


def _stems(names: Sequence[str]) -> list[str]:
    """Names of files without their picture endings; where two would be one, those that are no PNG keep theirs."""
    stems = [file_stem(name) for name in names]
    counts = Counter(stems)
    stems = [
        stem if counts[stem] == 1 or name == f"{stem}.png" else name for stem, name in zip(stems, names, strict=True)
    ]
    if len(set(stems)) < len(stems):
        twice = next(stem for stem, number in Counter(stems).items() if number > 1)
        raise ValueError(f"index: two pictures would get the same file name, {twice}.png; give each its own")
    return stems


def file_stem(name: str, endings: Sequence[str] = PICTURES) -> str:
    """A record's name as a path inside a folder, without its old ending; it may not lead out of the folder."""
    old = "|".join(suffix[1:] for suffix in endings)
    stem = re.sub(rf"\.({old})(?=$|\[)", "", name, flags=re.IGNORECASE)
    if not stem or Path(stem).is_absolute() or ".." in Path(stem).parts:
        raise ValueError(f"index: {name!r} cannot be a file name inside the folder; use plain names")
    return stem


def _one_picture(picture: np.ndarray, path: Path) -> np.ndarray:
    """(H, W) or (H, W, 3) of uint8 or uint16."""
    if picture.ndim == 4 and len(picture) == 1:
        picture = picture[0]
    if picture.ndim == 3 and picture.shape[0] in (1, 3):
        picture = np.moveaxis(picture, 0, -1)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    if not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[-1] == 3)):
        raise ValueError(f"{path}: a picture is (H, W), (1, H, W) or (3, H, W), got shape {picture.shape}")
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * np.uint8(255)
    if picture.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"{path}: pictures are written from uint8 or uint16, got {picture.dtype}; "
            "round first: np.clip(np.rint(x), 0, 255).astype('uint8')"
        )
    return np.ascontiguousarray(picture)


def _png(picture: np.ndarray, path: Path) -> bytes:
    import io

    from PIL import Image

    if picture.dtype == np.uint16 and picture.ndim == 3:
        raise ValueError(f"{path}: Pillow writes no colour pictures of 16 bits; write .npy, or scale to uint8")
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    return file.getvalue()
