"""One door for all data: what the user names -> `Data`."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hourglass.readers import (
    arrays,
    delimited,
    idx,
    music,
    parquet,
    pictures,
    recordings,
    series,
    text_lines,
    tile_maps,
    tiled,
)
from hourglass.readers.data import Data
from hourglass.readers.folders import files_below
from hourglass.readers.memory import from_memory, selected


def read(
    source: Any,
    *,
    columns: Sequence[str | int] | None = None,
    header: bool | None = None,
    null_words: Sequence[str] | None = None,
) -> Data:
    """Read examples from a path, a folder, a named data set, or something already in memory.

    Parameters
    ----------
    source : str, Path, or array-like
        - .csv, .tsv (also .gz): a header line and one row per example; .parquet, or a folder of them;
        - .npy, .npz: (N, F) a table, (N, H, W), (N, C, H, W) or (N, H, W, C) pictures; scipy's sparse .npz;
        - idx files such as MNIST's `train-images-idx3-ubyte.gz`;
        - a folder of pictures (PNG, JPEG, TIFF, WebP, BMP, GIF, ...), whose sub-folders are labels; or one picture;
        - .log, .txt (also .gz): a line of text per example;
        - the name of a public data set (see `hourglass.datasets.names`), where no such path exists;
        - an array or tensor, a pandas or polars frame, a pyarrow table, or a dict of columns.
    columns : sequence of str or int, optional
        Only these columns of a table, in this order: names, or positions for arrays.
    header : bool, optional
        Whether the first line of a CSV file names its columns; by default inferred, with a warning where it is in
        doubt. Without a header the columns are called x0, x1, ...
    null_words : sequence of str, optional
        Words that mean missing in all columns of a CSV file. By default an empty cell is missing, and in columns of
        numbers also NA, NULL, nan, ? and the like; in columns of texts those are texts, which a warning counts.

    Returns
    -------
    Data
        `X` is an array (N, F) or a `pyarrow.Table` for tables, an array for pictures, its axes as they came
        ((N, C, H, W) from picture files, or a list of (C, H, W) where they differ in form).

    Raises
    ------
    FileNotFoundError
        If a string is neither a path nor a data set; it names the nearest of both.
    ValueError, TypeError
        If the content cannot be read; it names the file, what was found and the remedy.

    Examples
    --------
    >>> import numpy as np
    >>> read(np.zeros((5, 3))).kind
    'tables'
    >>> read(np.zeros((5, 28, 28))).X.shape
    (5, 28, 28)
    >>> read({"height": [1.7, 1.8], "weight": [60, 80]}, columns=["weight"]).columns
    ('weight',)
    """
    if not isinstance(source, str | Path):
        return from_memory(source, columns=columns)
    path = Path(source).expanduser()
    if path.exists():
        return selected(_from_folder(path) if path.is_dir() else _from_file(path, header, null_words), columns)

    from hourglass import datasets

    if isinstance(source, str) and source in datasets.names():
        return selected(datasets.load(source), columns)
    raise FileNotFoundError(_nothing_called(str(source), path, list(datasets.names())))


# what reads files of an ending; a reader of your own is a line here
READERS: dict[tuple[str, ...], Callable[[Path], Data]] = {
    parquet.SUFFIXES: parquet.read,
    (".npy", ".npz"): arrays.read,
    pictures.SUFFIXES: pictures.read,
    (".log", ".log.gz"): text_lines.read_log,
    (".txt", ".txt.gz"): tile_maps.read_txt,
    tiled.SUFFIXES: tile_maps.read,
    series.SOUND: series.read_sound,
    recordings.SUFFIXES: series.read_recording,
    music.MIDI: music.read,
    (".json",): music.read_json,
}


def _from_file(path: Path, header: bool | None, null_words: Sequence[str] | None) -> Data:
    name = path.name.lower()
    if name.endswith(delimited.SUFFIXES):
        return Data(delimited.read_csv(path, header=header, null_words=null_words), source=str(path))
    for suffixes, reader in READERS.items():
        if name.endswith(suffixes):
            return reader(path)
    if idx.FILE_NAME.search(name):
        return idx.read(path)
    raise ValueError(
        f"{path}: files called *{path.suffix or path.name} are not read; give .csv, .tsv, .parquet, .npy, .npz, an idx "
        "file, .log or .txt, or a folder of .png, .jpg or .tif pictures"
    )


def _from_folder(path: Path) -> Data:
    files = files_below(path)
    kinds = Counter(file.suffix.lower() for file in files)
    has_tables = any(kinds[suffix] for suffix in parquet.SUFFIXES)
    has_pictures = any(kinds[suffix] for suffix in pictures.SUFFIXES)
    if has_tables and has_pictures:
        raise ValueError(f"{path}: the folder holds both .parquet files and pictures; give a folder with one of them")
    if has_tables:
        return parquet.read(path)
    if has_pictures:
        return pictures.read(path, files)
    if any(kinds[suffix] for suffix in music.MIDI):
        return music.read(path, files)
    if series.are_among(files, kinds) and not tile_maps.is_map(
        next(f for f in files if f.suffix.lower() in series.ALL)
    ):
        return series.read(path, files)
    if any(kinds[suffix] for suffix in tile_maps.IN_FOLDERS):
        return tile_maps.read(path, files)
    found = ", ".join(f"{number:,} {suffix or 'without an ending'}" for suffix, number in kinds.most_common(5))
    others = f"; it holds other files ({found}): give one of them" if found else ""
    raise ValueError(f"{path}: the folder holds no pictures (.png, .jpg, .tif, ...) and no .parquet files{others}")


def _nothing_called(name: str, path: Path, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    message = f"{name}: there is no such file or folder, and no data set of that name"
    if near:
        return f"{message}; did you mean the data set {near[0]!r}?"
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(path.name, siblings, n=1)
    if nearest:
        return f"{message}; did you mean {path.parent / nearest[0]}?"
    return f"{message} (there are {', '.join(known)})"
