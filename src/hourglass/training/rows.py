"""Where batches come from: rows in memory, or streamed from files. Both are a function of (seed, epoch, position)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from hourglass.model import Batch

MIN_ROWS = 32


class Source(Protocol):
    """Examples to train on."""

    def __len__(self) -> int:
        """How many examples an epoch has."""

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from batch number `start` on: `steps_per_epoch` of them, less `start`.

        A pure function of (seed, epoch, number), so that a resumed run is bit for bit the uninterrupted one.
        """


def pad_rows(rows: Tensor, least: int = MIN_ROWS) -> Tensor:
    """Rows (B, ...), where they are few repeated to `least` of them.

    The product of a few rows takes another kernel and rounds otherwise; so padded, what is said of a row does not
    depend on how many are with it, to the last bit.
    """
    return rows if len(rows) >= least else rows[torch.arange(least, device=rows.device) % len(rows)]


def _shuffle(n: int, *key: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(key).permutation(n))


def steps_per_epoch(n_rows: int, batch_size: int) -> int:
    """Whole batches only (another remainder is left out each epoch), but at least one."""
    return max(1, n_rows // batch_size)


def _take(values: Tensor, which: Tensor | slice) -> Tensor:
    """Some of the values (N, ...), without a copy of the others."""
    if isinstance(which, Tensor):
        which = which.to(values.device)
        if values.ndim > 1 and values.is_contiguous() and which.dtype != torch.bool:
            if values.ndim == 2:
                return values.index_select(0, which)
            # rows of two dimensions are gathered several times faster; of a strided view, flatten makes a copy
            return values.flatten(1).index_select(0, which).view(len(which), *values.shape[1:])
    return values[which]


@dataclass(frozen=True)
class Rows:
    """Examples in memory.

    `raw` (M, *S) and `encoder_input` (M, *S), another picture of the same things, may be strided views (windows of a
    series): they are never copied as a whole. With an `index` (N,) only those of their rows are examples, in that
    order; `condition` (N, C) has one row for each example.
    """

    raw: Tensor
    condition: Tensor | None = None
    index: Tensor | None = None
    encoder_input: Tensor | None = None

    def __len__(self) -> int:
        return len(self.raw) if self.index is None else len(self.index)

    def batch(self, which: Tensor | slice) -> Batch:
        """Some of the examples."""
        return self._gather(which if self.index is None else _take(self.index, which), which)

    def _gather(self, at: Tensor | slice, which: Tensor | slice) -> Batch:
        """The examples `which`, whose raw rows are `at`."""
        return Batch(
            _take(self.raw, at),
            None if self.condition is None else _take(self.condition, which),
            None if self.encoder_input is None else _take(self.encoder_input, at),
        )

    def __getitem__(self, which: Tensor | slice) -> Rows:
        """Some of the examples, in memory of their own (a slice of plain rows shares it)."""
        part = self.batch(which)
        return Rows(part.raw, part.condition, encoder_input=part.encoder_input)

    def view(self, index: Tensor) -> Rows:
        """Some of the examples, sharing the memory of all."""
        return Rows(
            self.raw,
            None if self.condition is None else self.condition[index],
            index if self.index is None else self.index[index],
            self.encoder_input,
        )

    def to(self, device: torch.device) -> Rows:
        parts = (self.raw, self.condition, self.index, self.encoder_input)
        return Rows(*(t if t is None else t.to(device) for t in parts))  # type: ignore[arg-type]

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Batches of at most `batch_size` and of nearly one size, so that none is left of a single row."""
        size = -(-len(self) // max(1, -(-len(self) // batch_size))) or 1
        for i in range(0, len(self), size):
            yield self.batch(slice(i, i + size))

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        order = _shuffle(len(self), seed, epoch)
        at = order if self.index is None else _take(self.index, order)
        for i in range(start, steps_per_epoch(len(self), batch_size)):
            part = slice(i * batch_size, (i + 1) * batch_size)
            yield self._gather(at[part], order[part])


@dataclass(frozen=True)
class StreamedRows:
    """Rows too many for memory, read in chunks (the row groups of Parquet files).

    Each epoch goes through the chunks in another order and shuffles `buffer` rows at a time, so that memory depends on
    the buffer and not on the number of rows.

    Parameters
    ----------
    n_rows : rows that `read` gives over all chunks.
    n_chunks : number of chunks.
    read : number of a chunk -> iterator of Rows, in a fixed order.
    buffer : rows shuffled together.
    """

    n_rows: int
    n_chunks: int
    read: Callable[[int], Iterator[Rows]]
    buffer: int = 65_536

    def __len__(self) -> int:
        return self.n_rows

    def _buffers(self, order: Tensor) -> Iterator[Rows]:
        waiting: list[Rows] = []
        n = 0
        for chunk in order.tolist():
            for rows in self.read(chunk):
                waiting.append(rows)
                n += len(rows)
                if n >= self.buffer:
                    yield concatenate(waiting)
                    waiting, n = [], 0
        if waiting:
            yield concatenate(waiting)

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        left: Rows | None = None
        number = 0
        last = steps_per_epoch(len(self), batch_size)
        for b, rows in enumerate(self._buffers(_shuffle(self.n_chunks, seed, epoch))):
            rows = rows[_shuffle(len(rows), seed, epoch, b)]
            if left is not None:
                rows = concatenate([left, rows])
            whole = len(rows) // batch_size if len(self) >= batch_size else 1
            for i in range(whole):
                if start <= number < last:
                    yield rows.batch(slice(i * batch_size, (i + 1) * batch_size))
                number += 1
            left = rows[slice(whole * batch_size, None)]


def concatenate(parts: list[Rows]) -> Rows:
    """Rows one after the other; at least one part."""
    if len(parts) == 1:
        return parts[0]
    whole = [p.batch(slice(None)) for p in parts]
    conditions = [p.condition for p in whole if p.condition is not None]
    inputs = [p.encoder_input for p in whole if p.encoder_input is not None]
    return Rows(
        torch.cat([p.raw for p in whole]),
        torch.cat(conditions) if conditions else None,
        encoder_input=torch.cat(inputs) if inputs else None,
    )
