"""One writer in a folder at a time: a lock that falls away with the process, however that ends."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from hourglass.run_files import LOCK, is_leftover
from hourglass.whole_files import make_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_held: dict[Path, tuple[int, int]] = {}  # folder -> the process and the thread that hold it


class FolderInUseError(OSError):
    """Another process, or another thread of this one, writes to the folder."""


@contextlib.contextmanager
def locked(folder: Path, purpose: str, wait: float = 0.0) -> Iterator[None]:
    """Inside, nobody else who asks for the lock writes to the folder; what killed writers left behind is deleted first.

    The folder is made where it is missing, and unmade where nothing was put into it. A thread that holds the lock may
    ask for it again. Where the file system has no locks, there is none.

    Parameters
    ----------
    folder : what is written to.
    purpose : "fit" or "save": what another process is told.
    wait : seconds to wait for another writer.

    Raises
    ------
    FolderInUseError : naming the other process and the folder.
    """
    key, me = folder.resolve(), (os.getpid(), threading.get_ident())
    if _held.get(key) == me:
        yield
        return
    made = make_folder(folder)
    path = folder / LOCK
    try:
        handle = _acquire(path, folder, time.monotonic() + wait)
        try:
            _held[key] = me
            with contextlib.suppress(OSError):  # on a full disk the others are not told who it is
                os.ftruncate(handle, 0)
                os.write(handle, f"{purpose} (process {os.getpid()})".encode())
            for entry in list(os.scandir(folder)):
                if entry.name != LOCK and is_leftover(entry.name):
                    Path(entry.path).unlink(missing_ok=True)
            yield
        finally:
            _held.pop(key, None)
            with contextlib.suppress(OSError):
                path.unlink()  # before it is let go: nobody is to lock a file that has no name
            os.close(handle)
    finally:
        for place in made:
            with contextlib.suppress(OSError):
                place.rmdir()  # succeeds only for an empty one


def _acquire(path: Path, folder: Path, until: float) -> int:
    """A handle on the file, locked."""
    while True:
        # a link in a folder of a stranger's is not followed: what is opened here is written to
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        with contextlib.ExitStack() as unless_ours:
            unless_ours.callback(os.close, handle)
            if not _lock(handle):
                if time.monotonic() >= until:
                    said = os.pread(handle, 100, 0).decode(errors="replace")
                    who = said if re.fullmatch(r"\w+ \(process \d+\)", said) else "process"
                    raise FolderInUseError(f"another {who} is writing to {folder}")
                time.sleep(0.02)
            elif _is_named(handle, path):  # else the one before deleted the file between our opening and locking it
                unless_ours.pop_all()
                return handle


def _is_named(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _lock(handle: int) -> bool:
    """Whether nobody else has it locked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
            raise
    return True
