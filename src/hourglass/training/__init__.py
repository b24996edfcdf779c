"""The loop, precision, and the state that a checkpoint holds."""

from hourglass.model import Batch
from hourglass.training.loop import DivergedError, Trainer
from hourglass.training.machine import (
    mixed_precision,
    resolve_batch_size,
    resolve_device,
    resolve_epochs,
    resolve_precision,
    rows_per_pass,
    threads,
)
from hourglass.training.rows import Rows, Source, StreamedRows, pad_rows
from hourglass.training.state import CheckpointError, Critic, EpochRecord, Settings, TrainingState, read_about

__all__ = [
    "Batch",
    "CheckpointError",
    "Critic",
    "DivergedError",
    "EpochRecord",
    "Rows",
    "Settings",
    "Source",
    "StreamedRows",
    "Trainer",
    "TrainingState",
    "mixed_precision",
    "pad_rows",
    "read_about",
    "resolve_batch_size",
    "resolve_device",
    "resolve_epochs",
    "resolve_precision",
    "rows_per_pass",
    "threads",
]
