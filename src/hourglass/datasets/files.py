"""Files of public data sets: found where the user keeps data, else downloaded once and checked."""

from __future__ import annotations

import gzip
import hashlib
import os
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

from hourglass.readers.writing import written_whole

BLOCK = 1 << 18


@dataclass(frozen=True)
class File:
    """A file of a public data set.

    Attributes
    ----------
    path : str
        Where it lies below the data folder.
    url : str
        Its public home.
    sha256 : str
        Checksum of what comes from there; of the unpacked content where `unpacked`, which stays the same
        however it was compressed.
    size : int
        Bytes to download.
    unpacked : bool
    also : tuple of str
        Other forms of it that are accepted when found in the data folder.
    """

    path: str
    url: str
    sha256: str
    size: int
    unpacked: bool = False
    also: tuple[str, ...] = ()


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/hourglass`, else `~/.cache/hourglass`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hourglass"


def local_path(file: File) -> Path | None:
    """Path of the file in `$HOURGLASS_DATA` or the cache folder; None if it is in neither."""
    kept = os.environ.get("HOURGLASS_DATA")
    for folder in ([Path(kept).expanduser()] if kept else []) + [cache_folder()]:
        for name in (file.path, *file.also):
            if (folder / name).is_file():
                return folder / name
    return None


def find(file: File) -> Path:
    """Path of the file in `$HOURGLASS_DATA` or the cache folder; if it is in neither, downloaded into the cache.

    Raises ConnectionError if it cannot be downloaded, ValueError if its checksum is another; either leaves nothing.
    """
    found = local_path(file)
    if found is not None:
        return found
    target = cache_folder() / file.path
    _download(file, target)
    return target


def checksum(path: Path, *, unpacked: bool = False) -> str:
    """sha256 of a file, or of what is packed inside a .gz file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with gzip.open(path, "rb") if unpacked else path.open("rb") as content:
        while block := content.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _download(file: File, target: Path) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with written_whole(target) as temporary:
        try:
            with (
                urllib.request.urlopen(file.url, timeout=30) as answer,
                temporary.open("wb") as out,
                Progress(*columns, console=Console(stderr=True), transient=True) as progress,
            ):
                task = progress.add_task(target.name, total=int(answer.headers.get("Content-Length") or file.size))
                while block := answer.read(BLOCK):
                    out.write(block)
                    progress.advance(task, len(block))
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise ConnectionError(
                f"cannot download {file.url} ({getattr(error, 'reason', error)}); download it by hand and "
                f"put it at {target}, or set HOURGLASS_DATA to a folder that holds {file.path} (sha256 {file.sha256}"
                f"{' unpacked' if file.unpacked else ''})"
            ) from error
        try:
            found = checksum(temporary, unpacked=file.unpacked)
        except (OSError, EOFError, zlib.error):
            found = "none, it is not a whole gzip file"
        if found != file.sha256:
            raise ValueError(
                f"{file.url}: the file has another checksum (sha256 {found}) than expected ({file.sha256}); "
                f"it was deleted. Try again, or put the right file at {target}"
            )
