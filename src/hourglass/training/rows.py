"""Where batches come from: rows in memory, or streamed from files. Both are a function of (seed, epoch, position)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor | None]  # raw (B, *S), condition (B, C)


class Source(Protocol):
    def __len__(self) -> int: ...

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from batch number `start` on, the same whenever they are asked for."""


def _shuffle(n: int, *key: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(key).permutation(n))


def steps_per_epoch(n_rows: int, batch_size: int) -> int:
    """Whole batches only (another remainder is left out each epoch), but at least one."""
    return max(1, n_rows // batch_size)


@dataclass(frozen=True)
class Rows:
    """Rows in memory: raw (N, *S), condition (N, C) or None.

    With an `index` (M,) only those rows, in that order, without a copy of the data.
    """

    raw: Tensor
    condition: Tensor | None = None
    index: Tensor | None = None

    def __len__(self) -> int:
        return len(self.raw) if self.index is None else len(self.index)

    def __getitem__(self, which: Tensor | slice) -> Rows:
        """Some of the rows, in memory of their own (a slice of plain rows shares it)."""
        if self.index is not None:
            which = self.index[which]
        return Rows(self.raw[which], None if self.condition is None else self.condition[which])

    def view(self, index: Tensor) -> Rows:
        """Some of the rows, sharing the memory of all."""
        return Rows(self.raw, self.condition, index if self.index is None else self.index[index])

    def to(self, device: torch.device) -> Rows:
        return Rows(*(t if t is None else t.to(device) for t in (self.raw, self.condition, self.index)))  # type: ignore[arg-type]

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Parts of at most `batch_size` rows and of nearly one size, so that none is left of a single row."""
        size = -(-len(self) // max(1, -(-len(self) // batch_size))) or 1
        for i in range(0, len(self), size):
            part = self[i : i + size]
            yield part.raw, part.condition

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        order = _shuffle(len(self), seed, epoch)
        if self.index is not None:
            order = self.index[order.to(self.index.device)]
        flat = self.raw.flatten(1)  # rows of two dimensions are gathered several times faster
        for i in range(start, steps_per_epoch(len(self), batch_size)):
            which = order[i * batch_size : (i + 1) * batch_size].to(self.raw.device)
            rows = flat.index_select(0, which).view(-1, *self.raw.shape[1:])
            yield rows, None if self.condition is None else self.condition[which]


@dataclass(frozen=True)
class StreamedRows:
    """Rows too many for memory, read piece by piece (the row groups of Parquet files).

    Each epoch goes through the pieces in another order and shuffles rows inside a window of `window` rows, so that
    memory depends on the window and not on the number of rows.

    Parameters
    ----------
    n_rows : rows that `read` gives over all pieces.
    n_pieces : number of pieces.
    read : piece number -> iterator of Rows, in a fixed order.
    window : rows shuffled together.
    """

    n_rows: int
    n_pieces: int
    read: Callable[[int], Iterator[Rows]]
    window: int = 65_536

    def __len__(self) -> int:
        return self.n_rows

    def _windows(self, order: Tensor) -> Iterator[Rows]:
        held: list[Rows] = []
        n = 0
        for piece in order.tolist():
            for rows in self.read(piece):
                held.append(rows)
                n += len(rows)
                if n >= self.window:
                    yield concatenate(held)
                    held, n = [], 0
        if held:
            yield concatenate(held)

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        left: Rows | None = None
        number = 0
        last = steps_per_epoch(len(self), batch_size)
        for w, window in enumerate(self._windows(_shuffle(self.n_pieces, seed, epoch))):
            window = window[_shuffle(len(window), seed, epoch, w)]
            if left is not None:
                window = concatenate([left, window])
            whole = len(window) // batch_size if len(self) >= batch_size else 1
            for i in range(whole):
                if start <= number < last:
                    part = window[slice(i * batch_size, (i + 1) * batch_size)]
                    yield part.raw, part.condition
                number += 1
            left = window[slice(whole * batch_size, None)]


def concatenate(parts: list[Rows]) -> Rows:
    """Rows one after the other; at least one part."""
    if len(parts) == 1:
        return parts[0]
    conditions = [p.condition for p in parts if p.condition is not None]
    return Rows(torch.cat([p.raw for p in parts]), torch.cat(conditions) if conditions else None)
