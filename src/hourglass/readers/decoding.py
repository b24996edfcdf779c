"""What all readers of files share: a corrupt file is one kind of error, and nothing is decoded that memory cannot hold.

Decoders raise whatever they like on corrupt files (`zlib.error`, `TokenError`, `struct.error`), and a few bytes
can claim, or unpack to, more than any machine holds.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

BLOCK = 1 << 20
UNKNOWN_MEMORY = 16 * 10**9  # bytes taken to be free where the system does not say
# errors of the system that say nothing about the content of a file
OF_THE_SYSTEM = {errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.EIO, errno.EMFILE, errno.ENFILE}

# what Python raises where a decoder did not expect what it read
OF_PYTHON = (TypeError, AttributeError, LookupError, AssertionError, ArithmeticError, NameError)


@contextlib.contextmanager
def decoding(where: str | Path, form: str) -> Iterator[None]:
    """Turns whatever a decoder raises into a ValueError that names the file, its form and the reason.

    Put nothing inside that raises errors of ours. Errors of the system (no such file, no permission) pass unchanged.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OF_THE_SYSTEM:
            raise
        raise corrupt(where, form, error) from error


def corrupt(where: str | Path, form: str, reason: Exception | str) -> ValueError:
    """The error for a file that cannot be decoded."""
    if isinstance(reason, MemoryError):
        return ValueError(f"{where}: {reason_of(reason)}")
    return ValueError(
        f"{where}: is corrupt, or not a whole {form} file ({reason_of(reason)}); write or download it again"
    )


def reason_of(error: Exception | str) -> str:
    """What a decoder says of a file, in one line that a terminal can show; its slips of Python are no reason."""
    if isinstance(error, MemoryError):
        return "claims more than fits into memory: it is corrupt, or too large for this machine"
    if isinstance(error, OF_PYTHON):
        return "its parts do not fit together"
    lines = str(error).strip().splitlines()
    words = lines[0] if lines else type(error).__name__
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in words)


def available_memory() -> int:
    """Bytes that this process may still take, by the system, its control group and its own limit."""
    limits = [_of_the_system(), _of_the_control_group(), _of_the_process()]
    return max(0, min((n for n in limits if n is not None), default=UNKNOWN_MEMORY))


def check_fits(where: str | Path, n_bytes: int, what: str, remedy: str) -> None:
    """Raises ValueError, with the remedy, if `n_bytes` are more than the memory that is free."""
    free = available_memory()
    if n_bytes > free:
        raise ValueError(f"{where}: {what} {_gigabytes(n_bytes)} of memory, and {_gigabytes(free)} are free; {remedy}")


def is_gzip(path: Path) -> bool:
    """Whether a file begins as gzip files do."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_plain(path: Path) -> IO[bytes]:
    """A file open for reading, unpacked on the way if it is a gzip file."""
    return gzip.open(path, "rb") if is_gzip(path) else path.open("rb")  # type: ignore[return-value]


def inflate(packed: bytes, expected: int) -> int:
    """Bytes that zlib data unpack to, counted in bounded memory and no further than one beyond `expected`."""
    stream, n, rest = zlib.decompressobj(), 0, packed
    while rest and not stream.eof and n <= expected:
        n += len(stream.decompress(rest, min(BLOCK, expected + 1 - n)))
        rest = stream.unconsumed_tail
    return n


def _gigabytes(n: int) -> str:
    return f"{n / 1e9:,.1f} GB" if n >= 1e8 else f"{n / 1e6:,.1f} MB"


def _of_the_system() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        import os

        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # Windows
        return None


def _of_the_control_group() -> int | None:
    """What is left of the memory that a container was given (Linux, cgroup 2); cached files can be dropped."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, taken = int((group / "memory.max").read_text()), int((group / "memory.current").read_text())
        counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return limit - taken + int(counts.get("inactive_file", 0))
    except (OSError, ValueError):
        return None


def _of_the_process() -> int | None:
    """What `ulimit -v` leaves."""
    if sys.platform == "win32":
        return None
    import resource

    limit: Any = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return int(limit)
    return int(limit) - pages * resource.getpagesize()
