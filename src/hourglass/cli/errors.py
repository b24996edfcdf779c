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

from cyclopts import UnusedCliTokensError

from hourglass.cli.wording import printable, quoted
from hourglass.out_of_memory import is_out_of_memory
from hourglass.shell_words import in_shell_words

FAILED, USAGE, INTERRUPTED = 1, 2, 130

# DivergedError is a FloatingPointError; model folders and checkpoints raise ValueErrors; a lost network is an OSError
USERS: tuple[type[BaseException], ...] = (ValueError, TypeError, OSError, MemoryError, FloatingPointError, ImportError)

REMEDIES = {
    errno.ENOSPC: "free some space there, or write elsewhere with --out; what was there before is unharmed",
    errno.EDQUOT: "free some of your quota, or write elsewhere with --out; what was there before is unharmed",
    errno.EFBIG: "files of this size cannot be written there: choose another place with --out",
    errno.EACCES: "change its permissions, or choose another place",
    errno.EPERM: "change its permissions, or choose another place",
    errno.EROFS: "it is read-only: choose another place with --out",
    errno.EISDIR: "it is a folder: give the name of a file",
    errno.ENOTDIR: "a part of its path is a file: choose another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "too many files are open: raise the limit with ulimit -n",
}


class UsageError(ValueError):
    """A command line that asks for what there is not, or for two things at odds."""


@contextlib.contextmanager
def out_of_memory_says(what: str) -> Iterator[None]:
    """Where memory gives out inside, the error says what was too large."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error) or "batch_size" in str(error):  # training knows better
            raise
        raise MemoryError(what) from error


@contextlib.contextmanager
def about(source: str) -> Iterator[None]:
    """Errors inside that are of columns name the source that these are of."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if str(error).startswith(("column", "condition")):
            error.add_note(source)
        raise


def code_of(error: BaseException) -> int:
    return USAGE if isinstance(error, UsageError) else FAILED


def sentence(error: BaseException) -> str:
    """The error in one line, in the shell's words, with a remedy where the system gave none."""
    if isinstance(error, BrokenPipeError):
        return ""
    text = in_shell_words(" ".join(str(error).split()))
    if type(error) is UnusedCliTokensError:  # not one that knows the command that was meant
        words = " ".join(map(quoted, error.unused_tokens or ()))
        text = f"nothing is expected where {words} stands; quote texts with blanks, or see --help"
    text = ": ".join([*getattr(error, "__notes__", ()), text])
    if is_out_of_memory(error):
        cause = text.removeprefix("out of memory").lstrip(":. ")
        hint = "; --device cpu has the machine's own memory" if "CUDA" in cause else ""
        return f"out of memory{f': {cause}' if cause else ''}{hint}"
    if isinstance(error, OSError) and error.strerror and error.errno is not None:
        where = f"{error.filename}: " if error.filename else ""
        dangling = isinstance(error.filename, str) and os.path.islink(error.filename)
        if dangling and not os.path.exists(error.filename):
            return f"{where}is a link to something that is not there; remove it, or choose another place"
        remedy = REMEDIES.get(error.errno)
        return f"{where}{error.strerror}{f'; {remedy}' if remedy else ''}"
    if columns := getattr(error, "columns", None):  # that cannot be learned from; the message ends in Python's remedy
        names = " ".join(quoted(str(column)) for column in columns)
        return f"{text.partition('; or leave out')[0]}; or leave out: --drop {names}"
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
        say(text)
    return code


def say(text: str) -> None:
    """One line on stderr."""
    print(f"hourglass: {printable(text)}", file=sys.stderr)


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
    say(f"note: {in_shell_words(text) if len(_noted) <= MAX_NOTES else 'and more of the kind'}")


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
