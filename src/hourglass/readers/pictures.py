"""Folders of pictures -> one array (N, C, H, W), or a list of (C, H, W) arrays where the pictures differ in form.

Values stay in the file's own units (see `pillow` and `tiff`, which decode the files).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers import pillow, tiff
from hourglass.readers.data import Data
from hourglass.readers.decoding import reason_of
from hourglass.readers.folders import files_below
from hourglass.user_warnings import warn

SUFFIXES = tuple(suffix for suffixes in pillow.FORMATS.values() for suffix in suffixes)
MUCH = 1 << 30  # bytes of pictures, beyond which memory that gives out is not the fault of the next file
# pictures that are not read; other files are counted, these are listed
UNREAD_SUFFIXES = (
    ".heic", ".heif", ".jxl", ".svg", ".eps", ".ps", ".ico", ".icns", ".psd", ".xcf", ".dng", ".cr2", ".cr3", ".nef",
    ".arw", ".orf", ".rw2", ".raf", ".raw", ".exr", ".hdr", ".dcm", ".nii", ".fits", ".fit", ".wmf", ".emf", ".dds",
    ".xpm", ".xbm", ".czi", ".nd2", ".lif", ".svs",
)  # fmt: skip


def read(path: Path, files: Sequence[Path] | None = None) -> Data:
    """Pictures of a folder and the folders in it, in the order of their paths (`files`), or of one file.

    A picture's label is the first sub-folder on its path, if there are sub-folders. A TIFF of several pages or an
    animation is several pictures, called `file.tif[0]`, `file.tif[1]`, ... What cannot be decoded is listed in
    `Data.skipped`, as are pictures of kinds that are not read; a warning counts what else was skipped.

    Raises ValueError if no file can be read, or if a picture of floats holds NaN or infinity.
    """
    root = path if path.is_dir() else path.parent
    files = files if files is not None else files_below(path) if path.is_dir() else [path]
    pictures: list[np.ndarray] = []
    names: list[str] = []
    labels: list[str] = []
    skipped: list[tuple[str, str]] = []
    for file in files:
        if path.is_dir() and file.suffix.lower() not in SUFFIXES:
            continue
        relative = file.relative_to(root)
        try:
            pages = decode(file)
        except Exception as error:  # decoders raise whatever they like; one bad file must not stop the rest
            if isinstance(error, MemoryError) and (taken := sum(picture.nbytes for picture in pictures)) > MUCH:
                raise ValueError(
                    f"{path}: out of memory: {len(pictures):,} pictures of {len(files):,} files take "
                    f"{taken / 1e9:,.1f} GB; use fewer or smaller ones"
                ) from error
            skipped.append((str(file), _reason(error)))
            continue
        for number, picture in enumerate(pages):
            name = relative.as_posix() + (f"[{number}]" if len(pages) > 1 else "")
            _check_finite(f"{root / name}", picture)
            pictures.append(picture)
            names.append(name)
            labels.append(relative.parts[0] if len(relative.parts) > 1 else "")
    if not pictures:
        first, reason = skipped[0]
        raise ValueError(f"{path}: none of its {len(skipped)} pictures could be read; the first, {first}: {reason}")
    if path.is_dir():
        skipped += _not_read(path, files)
    return Data(
        _together(pictures, path),
        labels=np.array(labels) if any(labels) else None,
        names=tuple(names),
        kind="images",
        skipped=tuple(skipped),
        source=str(path),
    )


def decode(file: Path) -> list[np.ndarray]:
    """The pictures of one file, each (C, H, W) with C = 1 or 3; its content, not its name, says what it is."""
    return tiff.decode(file) if tiff.is_tiff(file) else pillow.decode(file)


def describe_difference(names: Sequence[str], pictures: Sequence[np.ndarray]) -> str | None:
    """Two of the pictures (C, H, W) that differ in size, channels or depth, in words; None where all are alike."""

    def words(x: np.ndarray) -> str:
        return f"{x.shape[2]} x {x.shape[1]}, {'grey' if x.shape[0] == 1 else 'colour'}, {x.dtype}"

    first = pictures[0]
    for name, other in zip(names, pictures, strict=True):
        if first.shape != other.shape or first.dtype != other.dtype:
            return f"{names[0]} is {words(first)} but {name} is {words(other)}"
    return None


def _together(pictures: list[np.ndarray], path: Path) -> Any:
    """(N, C, H, W) where all are alike, else the list."""
    if any(p.shape != pictures[0].shape or p.dtype != pictures[0].dtype for p in pictures):
        return pictures
    if len(pictures) == 1:
        return pictures[0][None]
    whole = np.empty((len(pictures), *pictures[0].shape), pictures[0].dtype)
    for i in range(len(pictures)):  # each is freed once it is copied
        whole[i], pictures[i] = pictures[i], pictures[i][:0]
    return whole


def _check_finite(name: str, picture: np.ndarray) -> None:
    if picture.dtype.kind == "f" and not np.isfinite(picture).all():
        channel, row, column = np.argwhere(~np.isfinite(picture))[0]
        raise ValueError(
            f"{name}: the pixel in row {row}, column {column} is {picture[channel, row, column]}; pictures must hold "
            "finite numbers: replace such pixels, or remove the file"
        )


def _reason(error: Exception) -> str:
    """What is wrong with the file; Pillow's words for a foreign file would name an object of ours."""
    foreign = "cannot identify image file" in str(error)
    return "not a picture, or one that is corrupt" if foreign else reason_of(error)


def _not_read(folder: Path, files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Pictures of kinds that are not read, with the reason; warns of their number, and of that of all other files."""
    others = [file for file in files if file.suffix.lower() not in SUFFIXES]
    counts = Counter(file.suffix.lower() or "without an ending" for file in others)
    if counts:
        listed = ", ".join(f"{number:,} {suffix}" for suffix, number in counts.most_common(8))
        warn(f"{folder}: skipped {len(others):,} files that are not read as pictures: {listed}")
    for file in others:
        if file.suffix.lower() in UNREAD_SUFFIXES:
            yield str(file), f"{file.suffix} pictures are not read; convert them to PNG or JPEG"
