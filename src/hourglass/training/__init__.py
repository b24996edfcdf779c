"""The loop, precision, and the state that a checkpoint holds."""

from hourglass.training.loop import DivergedError, Trainer
from hourglass.training.machine import (
    mixed_precision,
    resolve_batch_size,
    resolve_device,
    resolve_precision,
    seeded,
    threads,
)
from hourglass.training.rows import Rows, Source, StreamedRows
from hourglass.training.state import CheckpointError, Settings, TrainingState, read_about

__all__ = [
    "CheckpointError",
    "DivergedError",
    "Rows",
    "Settings",
    "Source",
    "StreamedRows",
    "Trainer",
    "TrainingState",
    "mixed_precision",
    "read_about",
    "resolve_batch_size",
    "resolve_device",
    "resolve_precision",
    "seeded",
    "threads",
]
