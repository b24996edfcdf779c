"""What lies in a folder and the folders below it."""

from __future__ import annotations

import os
from pathlib import Path

from hourglass.user_warnings import warn


def files_below(folder: Path, hidden: tuple[str, ...] = (".", "__")) -> list[Path]:
    """All files below a folder, sorted by path, but those whose name, or folder's name, begins like a hidden one.

    Linked folders are entered, but each real folder once: those that are not links first. A warning names links to
    folders that were read already.
    """
    entered: set[tuple[int, int]] = set()
    files: list[Path] = []
    again: list[str] = []
    links = [folder]
    for link in links:  # grows on the way
        if _identity(link) in entered:
            again.append(str(link))
            continue
        for place, folders, names in os.walk(link):
            entered.add(_identity(Path(place)))
            folders[:] = [name for name in folders if not name.startswith(hidden)]
            links += [Path(place, name) for name in folders if Path(place, name).is_symlink()]
            files += [Path(place, name) for name in names if not name.startswith(hidden)]
    if again:
        warn(
            f"{folder}: skipped {len(again)} link{'s' * (len(again) > 1)} to folders that are read already: "
            f"{', '.join(again[:3])}{', ...' if len(again) > 3 else ''}"
        )
    return sorted(files)


def _identity(folder: Path) -> tuple[int, int]:
    about = folder.stat()
    return about.st_dev, about.st_ino
