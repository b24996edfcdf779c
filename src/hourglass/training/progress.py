"""Progress on stderr: a bar where somebody looks at a terminal, a line now and then in a log or a notebook."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from hourglass.training.state import TrainingState

SECONDS_PER_LINE = 10.0  # where there is no bar
LONG = 60.0  # seconds from which on the time that a fit will take is worth a line


class Display(Protocol):
    """Shows how much is done. The last text stands at the end."""

    def update(self, done: float, total: float, text: str) -> None: ...

    def line(self, text: str) -> None:
        """A line that stays."""


@contextlib.contextmanager
def display() -> Iterator[Display]:
    """A bar on a terminal, else plain lines."""
    if not (sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
        lines = _Lines()
        yield lines
        lines.end()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, markup=False, highlight=False)) as progress:
        yield _Bar(progress)


class _Bar:
    def __init__(self, progress: Any) -> None:
        self.progress, self.task = progress, progress.add_task("", total=None)

    def update(self, done: float, total: float, text: str) -> None:
        self.progress.update(self.task, completed=done, total=total, description=text)

    def line(self, text: str) -> None:
        self.progress.console.print(text)


class _Lines:
    """A line every ten seconds, and the last one."""

    def __init__(self) -> None:
        self.begun = self.shown = time.monotonic()
        self.begun_at: float | None = None  # what was done when the clock started
        self.text = ""

    def update(self, done: float, total: float, text: str) -> None:
        now = time.monotonic()
        if self.begun_at is None:
            self.begun, self.begun_at = now, done
        self.text = text
        if now - self.shown >= SECONDS_PER_LINE:
            self.line(text + time_left(now - self.begun, done - self.begun_at, total - done))

    def line(self, text: str) -> None:
        self.shown, self.text = time.monotonic(), ""
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.text:
            self.line(self.text)


def time_left(seconds: float, done: float, rest: float) -> str:
    """How long the rest takes at the rate so far; "" where that cannot be known."""
    return f"; {duration(seconds * rest / done)} left" if done > 0 and rest > 0 else ""


def duration(seconds: float) -> str:
    """A time that a person reads."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


@contextlib.contextmanager
def of_fit(fewer: str = "max_epochs=") -> Iterator[Callable[[TrainingState], None]]:
    """A `watch` that shows epochs, the held-out objective and the time left.

    Trainings of cross-validation are counted. After the first epoch of a long fit it says how long all of them may
    take, and that `fewer` sets less.
    """
    with display() as shown:
        opened = began = time.monotonic()
        at_begin, estimated, ended = -1.0, False, False

        def watch(state: TrainingState) -> None:
            nonlocal began, at_begin, estimated, ended
            now, (part, parts) = state.progress, state.part
            epochs = state.settings.last_epoch or state.settings.max_epochs
            done = now.epoch + (now.batch / state.steps if state.steps else 0.0)
            best = f", {now.best:,.2f} nats held out (best, epoch {now.best_epoch})" if now.best_epoch else ""
            text = f"epoch {now.epoch}/{epochs}{best}"
            if part < parts:
                share = 1.0 if now.ended else done / epochs
                shown.update(part - 1 + share, parts, f"cross-validation, training {part}/{parts - 1}: {text}")
                return
            if at_begin < 0:
                began, at_begin = time.monotonic(), done
            if now.ended:
                ended = True
                shown.update(parts, parts, text)
                shown.line(f"{text}; now measuring the model and fitting the density of its codes")
                return
            shown.update(part - 1 + done / epochs, parts, text)
            seconds = time.monotonic() - began
            if not estimated and now.epoch >= 1 and done - at_begin >= 1:
                estimated = True
                if (whole := seconds / (done - at_begin) * (epochs - at_begin)) > LONG:
                    shown.line(f"{epochs} epochs take about {duration(whole)} at this rate; {fewer} sets fewer")

        yield watch
        if ended:
            shown.line(f"done in {duration(time.monotonic() - opened)}")
