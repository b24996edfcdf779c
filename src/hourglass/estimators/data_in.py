"""The one door for data: whatever a user names or hands in -> a kind of data, and X in a canonical container."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hourglass import readers
from hourglass.modalities import Modality, named_modality
from hourglass.readers import Data, containers
from hourglass.readers.memory import from_memory
from hourglass.user_warnings import warn

MAX_SKIPPED_NAMED = 5


def read(source: Any) -> Data:
    """A path, the name of a data set, or something in memory, as `Data`; files that were skipped are warned of.

    Raises
    ------
    TypeError : for a ParquetStream, whose rows come batch by batch.
    """
    if isinstance(source, readers.ParquetStream):
        raise TypeError("X is a ParquetStream, which is for fit: here give its batches, from X.batches(group), in turn")
    data = readers.read(source) if isinstance(source, str | Path) else from_memory(source)
    if data.skipped:
        listed = "; ".join(f"{path}: {reason}" for path, reason in data.skipped[:MAX_SKIPPED_NAMED])
        warn(f"{data.source}: skipped {len(data.skipped)} files that could not be read: {listed}")
    return data


def accept(source: Any, modality: str | Modality | None, condition: Any = None) -> tuple[Modality, Any, Any]:
    """The kind of data, by value, in words, or by the look of the data; X as it takes it; the condition.

    A condition may be named by columns of a frame, which are taken out of X.
    """
    data = read(source)
    found = named_modality(modality, data)
    X, condition = split_off(data.X, condition)
    return found, found.accept(data if X is data.X else replace(data, X=X)), condition


def split_off(X: Any, condition: Any) -> tuple[Any, Any]:
    """Condition named by columns of a frame -> X without these columns, and the columns; else as they are."""
    names = [condition] if isinstance(condition, str) else condition
    columns = containers.column_names(X)
    if columns is None or not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
        return X, condition
    if not names or not all(name in columns for name in names):
        return X, condition
    rest = [name for name in columns if name not in names]
    if not rest:
        raise ValueError(f"condition={condition!r} names every column of X; leave at least one to learn from")
    return containers.select(X, rest), containers.select(X, list(names))
