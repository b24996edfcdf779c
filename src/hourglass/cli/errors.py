"""What goes wrong, said in one line on stderr, with an exit code; never a traceback for what a user can get wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from hourglass.out_of_memory import is_out_of_memory

FAILED, USAGE, INTERRUPTED = 1, 2, 130

# DivergedError is a FloatingPointError; model folders and checkpoints raise ValueErrors; a lost network is an OSError
USERS: tuple[type[BaseException], ...] = (ValueError, TypeError, OSError, MemoryError, FloatingPointError, ImportError)


class UsageError(ValueError):
    """A command line that asks for what there is not, or for two things at odds."""


def code_of(error: BaseException) -> int:
    return USAGE if isinstance(error, UsageError) else FAILED


def sentence(error: BaseException) -> str:
    """The error in one line, with a remedy where the system gave none."""
    if isinstance(error, BrokenPipeError):
        return ""
    if is_out_of_memory(error):
        _, named, size = str(error).rpartition("try batch_size=")  # training says which
        batch = f"--batch-size {size}" if named else "a smaller --batch-size"
        return f"out of memory: try {batch}, smaller --hidden layers, or --stream for a Parquet table"
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror and error.errno is not None:
        where = f"{error.filename}: " if error.filename else ""
        remedies = {
            errno.ENOSPC: "; free some space, or write elsewhere with --out; what was written before is whole",
            errno.EACCES: "; choose another place with --out, or change its permissions",
            errno.EROFS: "; choose another place with --out",
        }
        return f"{where}{error.strerror}{remedies.get(error.errno, '')}"
    if "No space left on device" in text and "ree some space" not in text:
        return f"{text}; free some space, or write elsewhere with --out; what was written before is whole"
    return text or type(error).__name__


def report(error: BaseException, code: int) -> int:
    """Prints the sentence, or the traceback where HOURGLASS_DEBUG is set, and hands back the exit code."""
    if os.environ.get("HOURGLASS_DEBUG"):
        import traceback

        traceback.print_exception(error)
        return code
    if isinstance(error, BrokenPipeError):  # the reader of a pipe went away; python would complain again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif text := sentence(error):
        print(f"hourglass: {text}", file=sys.stderr)
    return code


MAX_NOTES = 20
_noted: set[str] = set()
_for_the_end: list[str] = []


def note(text: str, at_end: bool = False) -> None:
    """Something worth knowing that stops nothing; a command says it once, and not more than twenty such things.

    What is said `at_end` stands below the results, where it is not scrolled away.
    """
    if at_end:
        _for_the_end.append(text)
        return
    if text in _noted or len(_noted) > MAX_NOTES:
        return
    _noted.add(text)
    print(f"hourglass: note: {text if len(_noted) <= MAX_NOTES else 'and more of the kind'}", file=sys.stderr)


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Warnings meant for users come as notes, without file names and source lines."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **options: Any) -> None:
        if issubclass(category, UserWarning):
            note(" ".join(str(message).split()))

    _noted.clear()
    _for_the_end.clear()
    with warnings.catch_warnings():
        warnings.showwarning = show
        try:
            yield
        finally:
            for text in _for_the_end:
                note(text)


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, by which `kill` and job queues ask for an end, is Ctrl-C: training keeps what it has, files stay whole.

    Python hears signals in its main thread alone; in another nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
