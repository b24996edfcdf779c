"""Files of text, one record a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hourglass.readers.data import Data
from hourglass.readers.decoding import check_fits, decoding, open_plain

IN_MEMORY = 8  # bytes that a byte of a file may take, once it is lines


def read_log(path: Path) -> Data:
    """The lines of a log, which is text and nothing else."""
    return _read(path, "text")


def read_txt(path: Path) -> Data:
    """The lines of a text file, whose kind of data has to be said."""
    return _read(path, "lines")


def _read(path: Path, kind: str) -> Data:
    """Lines that are not blank, and their numbers in the file as names.

    Raises
    ------
    ValueError : for a file without lines, and one that is not text in UTF-8.
    """
    check_fits(path, IN_MEMORY * path.stat().st_size, "its lines take about", "give a part of the file")
    with decoding(path, "gzip"), open_plain(path) as file:
        content = file.read()
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {number}: is not text in UTF-8; convert it first: iconv -f LATIN1 -t UTF-8 {path.name}"
        ) from error
    numbered = [(number, line.rstrip("\r")) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise ValueError(f"{path}: holds no lines of text")
    X = np.array([line for _, line in numbered], dtype=object)
    return Data(X, names=tuple(f"line {number}" for number, _ in numbered), kind=kind, source=str(path))
