"""A progress bar for a training run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from hourglass.training.state import TrainingState


@contextlib.contextmanager
def bar(max_epochs: int) -> Iterator[Callable[[TrainingState], None]]:
    """A `watch` that draws epochs, the held-out objective and the time left, on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("epoch 0", total=max_epochs, figures="")

        def watch(state: TrainingState) -> None:
            now = state.progress
            within = now.batch / max(1, state.steps) if state.steps else 0.0
            figures = f"{now.best:,.2f} nats held out (best, epoch {now.best_epoch})" if now.history else ""
            progress.update(
                task, completed=now.epoch + within, description=f"epoch {now.epoch}/{max_epochs}", figures=figures
            )

        yield watch
