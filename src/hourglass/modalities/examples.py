"""Where every example was cut from what was handed in, and the way back.

A *record* is what the user has one of: a row, a picture, a series, a level. An *example* is what the model sees: a row,
a picture, a window. A *cell* is one number of it. Where a record is an example, nothing here does anything.

Shapes: ``N`` examples, ``R`` records, ``S`` the shape of one example, ``A`` the number of axes of S that were cut,
``W`` the sizes of a window along them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hourglass.modalities.column import Column
from hourglass.modalities.time_axis import Layout
from hourglass.readers import containers

MAX_OVERSHOOT = 1.5  # times the wanted share that whole records may make up; beyond, blocks are cut out of records
MIN_BESIDE = 4  # windows that a record holds beside a held-out block in its middle


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples, and where each was cut.

    Attributes
    ----------
    raw : (M, *S) in raw units; may be a strided view of `store`, so that windows cost no memory.
    store : the data themselves: what is fingerprinted and kept.
    record : (N,) the record each example comes from.
    start : (N, A) where in the record it begins, along the cut axes; negative where it begins before the record.
    extents : (R, A) the size of each record along the cut axes.
    axes : which axes of S are cut, A of them.
    index : (N,) rows of `raw` that are examples; None for all of them.
    layout : where in the records the rows of a series lie; None where records have no rows.
    middle : (N,) the row handed in that lies in the middle of each window; None where there is no layout.
    levels : (N, C) what was subtracted from the channels of each window, and is added again where windows are put
        together; None where nothing was.
    record_names : (R,) what the data call their records; None where they do not.
    channels : (C,) the columns that the channels of a series are; () where there is no layout.
    """

    raw: Tensor
    store: Tensor
    record: np.ndarray
    start: np.ndarray
    extents: np.ndarray
    axes: tuple[int, ...] = ()
    index: Tensor | None = None
    layout: Layout | None = None
    middle: np.ndarray | None = None
    levels: Tensor | None = None
    record_names: tuple[str, ...] | None = None
    channels: tuple[Column, ...] = ()

    @classmethod
    def whole(cls, raw: Tensor) -> Examples:
        """Records that are examples: raw (N, *S)."""
        n = len(raw)
        return cls(raw, raw, np.arange(n), np.zeros((n, 0), dtype=np.int64), np.zeros((n, 0), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.record)

    @property
    def n_records(self) -> int:
        return len(self.extents)

    @property
    def window(self) -> tuple[int, ...]:
        """W, (A,)."""
        return tuple(self.raw.shape[1 + axis] for axis in self.axes)

    def rows(self) -> Tensor:
        """Raw examples in their order, (N, *S); a copy where there is an index."""
        return self.raw if self.index is None else self.raw[self.index]

    def take(self, which: np.ndarray) -> Examples:
        """Some of the examples, (n,) positions; the records stay as they are."""
        which = np.asarray(which)
        chosen = torch.from_numpy(which.astype(np.int64))
        index = chosen if self.index is None else self.index[chosen]
        middle = None if self.middle is None else self.middle[which]
        levels = None if self.levels is None else self.levels[chosen]
        return replace(
            self, record=self.record[which], start=self.start[which], index=index, middle=middle, levels=levels
        )

    def centred(self, channels: Tensor) -> Examples:
        """A copy in which every window (C, T) has a mean of 0 in these channels, (C,) bool."""
        windows = self.rows().clone()
        levels = torch.where(channels, windows.nanmean(2).nan_to_num(0.0), 0.0)
        windows -= levels[:, :, None]
        return replace(self, raw=windows, store=windows, index=None, levels=levels)

    def in_place(self, raw: Tensor) -> Tensor:
        """Raw windows (N, C, T) as the model has them -> with their levels."""
        return raw if self.levels is None else raw + self.levels[:, :, None].to(raw)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many values may come along with the data: one per record, or one per row of these."""
        return (self.n_records,) if self.layout is None else (self.n_records, len(self.layout))

    def per_example(self, values: Any) -> Any:
        """One value per record (R, ...) or per row, any container -> one per example (N, ...).

        A window takes the value of the row in its middle.
        """
        if self.middle is not None and len(values) == self.counts[-1] != self.n_records:
            return containers.take(values, self.middle)
        return containers.take(values, self.record)

    def per_instant(self, values: Sequence[np.ndarray], pool: Callable[[np.ndarray], Any]) -> np.ndarray:
        """One value per place of every record, R arrays (*extent) -> one per example, `pool`ed over its window."""
        pooled = []
        for record, start in zip(self.record, self.start, strict=True):
            window = tuple(slice(max(0, s), s + w) for s, w in zip(start, self.window, strict=True))
            pooled.append(pool(np.asarray(values[record])[window]))
        return np.asarray(pooled)

    def mean_per_record(self, values: np.ndarray) -> np.ndarray:
        """One value per example (N, ...) -> one per record, the mean of its examples, (R, ...) of the same type."""
        if not self.axes:
            return values
        totals = np.zeros((self.n_records, *values.shape[1:]))
        np.add.at(totals, self.record, values)
        counts = np.bincount(self.record, minlength=self.n_records)
        return (totals / counts.reshape(-1, *[1] * (values.ndim - 1))).astype(values.dtype)

    def independent(self) -> np.ndarray:
        """Positions of examples that share no cell with one another, (n,): all of them where records are examples."""
        if not self.axes:
            return np.arange(len(self))
        chosen = np.zeros(len(self), dtype=bool)
        for record in np.unique(self.record):
            members = np.flatnonzero(self.record == record)
            fits = np.ones(len(members), dtype=bool)
            for axis, width in enumerate(self.window):
                starts = self.start[members, axis]
                fits &= np.isin(starts, _apart(np.unique(starts), width))
            chosen[members[fits]] = True
        return np.flatnonzero(chosen)

    def split(self, fraction: float, most: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Positions to train on and to hold out, (n,) and (m,): no held-out example shares a cell with a training one.

        m is about `fraction` of the examples and at most `most`. Where records are examples, they are chosen at random.
        Where windows were cut, whole records are held out if there are several, else one block of each record, and the
        windows across the edge of a block are used for neither.
        """
        wanted = min(most, round(fraction * len(self)))
        if not self.axes:
            order = rng.permutation(len(self))
            return order[wanted:], order[:wanted]
        if not wanted:
            return np.arange(len(self)), np.arange(0)
        return self._split_by_records(wanted, rng) or self._split_by_blocks(wanted / len(self), rng)

    def _split_by_records(self, wanted: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
        counts = np.bincount(self.record, minlength=self.n_records)
        held: list[int] = []
        for record in rng.permutation(self.n_records).tolist():
            total = counts[held].sum() + counts[record]
            if len(held) < self.n_records - 1 and counts[record] and total <= max(MAX_OVERSHOOT * wanted, 1):
                held.append(record)
            if counts[held].sum() >= wanted:
                break
        if counts[held].sum() < wanted / 2:
            return None
        mask = np.isin(self.record, held)
        return np.flatnonzero(~mask), np.flatnonzero(mask)

    def _split_by_blocks(self, fraction: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        train, held = np.zeros(len(self), dtype=bool), np.zeros(len(self), dtype=bool)
        for record in np.unique(self.record):
            mine = self.record == record
            extent = self.extents[record]
            axis = int(np.argmax(extent / np.array(self.window)))
            width, length = self.window[axis], int(extent[axis])
            block = max(width, round(fraction * length))
            if length < block + width:  # too short to be used for both
                train |= mine
                continue
            # at an end half of the time, where fewer windows are lost, and always where little is left beside it
            at_end = rng.random() < 0.5 or length < block + MIN_BESIDE * width
            first = int(rng.choice([0, length - block]) if at_end else rng.integers(length - block + 1))
            start = self.start[:, axis]
            held |= mine & (start >= first) & (start + width <= first + block)
            train |= mine & ((start + width <= first) | (start >= first + block))
        return np.flatnonzero(train), np.flatnonzero(held)

    def stitch(self, cells: np.ndarray) -> list[np.ndarray]:
        """Numbers of every example put together to records: means where windows overlap, NaN where there was none.

        Parameters
        ----------
        cells : (N, *S), in the order of the examples.

        Returns
        -------
        R arrays, of the shape S with the cut axes as long as the record.
        """
        cells = np.asarray(cells)
        if not self.axes:
            return list(cells)
        total, count = self._add_up(cells.astype(np.float64, copy=False))
        with np.errstate(invalid="ignore"):
            return self._to_records(total / count, cells.shape[1:])

    def stitch_votes(self, codes: np.ndarray, n_classes: int) -> list[np.ndarray]:
        """Classes of every example put together to records: the most frequent one where windows overlap, else -1.

        Parameters
        ----------
        codes : (N, *S), places of classes from 0, NaN or negative for none.
        """
        codes = np.asarray(codes)
        if not self.axes:
            return list(np.where(codes >= 0, np.nan_to_num(codes, nan=-1.0), -1).astype(np.int64))
        best, most = None, None
        for k in range(n_classes):
            votes, _ = self._add_up((codes == k).astype(np.float64))
            if best is None or most is None:
                best, most = np.where(votes > 0, k, -1), votes
            else:
                better = votes > most
                best, most = np.where(better, k, best), np.where(better, votes, most)
        assert best is not None
        return [record.astype(np.int64) for record in self._to_records(best.astype(np.float64), codes.shape[1:])]

    def merged(self, cells: np.ndarray) -> np.ndarray:
        """Raw windows (N, C, W) -> rows (T, C), record after record: means of numbers, votes on categories."""
        rows = self.per_row(cells)
        for i, column in enumerate(self.channels):
            if column.is_categorical:
                votes = self.stitch_votes(cells[:, i : i + 1], len(column.categories))
                rows[:, i] = self._in_rows(votes)[:, 0]
        return rows

    def covering(self, rows: np.ndarray) -> np.ndarray:
        """Positions of the windows that cover any of some rows, (n,) places record after record."""
        layout = self.layout
        assert layout is not None
        found = np.zeros(len(self), dtype=bool)
        for r in np.unique(layout.record[rows]):
            wanted = np.zeros(int(layout.lengths[r]) + 1)
            wanted[1 + layout.place[rows[layout.record[rows] == r]]] = 1
            before, mine = np.cumsum(wanted), np.flatnonzero(self.record == r)
            first = self.start[mine, 0]
            last = np.minimum(first + self.window[0], layout.lengths[r])
            found[mine] = before[last] > before[np.maximum(first, 0)]
        return np.flatnonzero(found)

    def per_row(self, cells: np.ndarray) -> np.ndarray:
        """Numbers of windows (N, K, W) -> rows (T, K), record after record: means of the windows over a row."""
        return self._in_rows(self.stitch(cells))

    def _in_rows(self, records: Sequence[np.ndarray]) -> np.ndarray:
        """Records (K, L) of the places on their time axes -> rows (T, K)."""
        layout = self.layout
        assert layout is not None
        return np.concatenate([record.T[layout.place[layout.record == r]] for r, record in enumerate(records)])

    def _add_up(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums over all windows at every place of all records, (places, rest), and how many windows there were."""
        places = [prod(extent) for extent in self.extents.tolist()]
        first = np.concatenate([[0], np.cumsum(places)[:-1]]).astype(np.int64)
        moved = np.moveaxis(cells, [1 + axis for axis in self.axes], range(1, 1 + len(self.axes)))
        moved = moved.reshape(len(cells), *self.window, -1)  # (N, *W, rest)
        total = np.zeros((sum(places), moved.shape[-1]))
        count = np.zeros_like(total)
        extents = self.extents[self.record]
        for offset in product(*(range(width) for width in self.window)):
            place = self.start + np.array(offset)  # (N, A)
            inside = ((place >= 0) & (place < extents)).all(axis=1)
            flat = first[self.record[inside]] + _ravel(place[inside], extents[inside])
            values = moved[(inside, *offset)]
            known = ~np.isnan(values)
            np.add.at(total, flat, np.where(known, values, 0.0))
            np.add.at(count, flat, known)
        return total, count

    def _to_records(self, flat: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
        rest = [n for axis, n in enumerate(shape) if axis not in self.axes]
        records, done = [], 0
        for extent in self.extents.tolist():
            part = flat[done : done + prod(extent)].reshape(*extent, *rest)
            records.append(np.moveaxis(part, range(len(self.axes)), self.axes))
            done += prod(extent)
        return records

    def names(self, records: Sequence[str] | None) -> list[str]:
        """A name for every example: the record's, and "@start" after it where the record was cut."""
        records = self.record_names if records is None else records
        named = [str(i) for i in range(self.n_records)] if records is None else [str(name) for name in records]
        if not self.axes:
            return [named[record] for record in self.record.tolist()]
        starts = (",".join(map(str, start)) for start in self.start.tolist())
        return [f"{named[record]}@{start}" for record, start in zip(self.record.tolist(), starts, strict=True)]

    def row_names(self, records: Sequence[str] | None) -> list[str] | None:
        """A name for every row of several series, "record@instant"; None for a single one, and without rows."""
        if self.layout is None or self.n_records == 1:
            return None
        records = self.record_names if records is None else records
        named = np.array([str(i) for i in range(self.n_records)] if records is None else list(map(str, records)))
        pairs = zip(named[self.layout.record].tolist(), self.layout.place.tolist(), strict=True)
        return list(self.layout.as_handed_in(np.array([f"{record}@{place}" for record, place in pairs])).tolist())

    def chunks(self, size: int) -> Iterator[Tensor]:
        """Raw examples in their order, at most `size` at a time."""
        for i in range(0, len(self), size):
            yield self.raw[i : i + size] if self.index is None else self.raw[self.index[i : i + size]]


def split_records(X: Any, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """((X, records) to train on, (X, records) to test on) of records that are examples, chosen at random."""
    order = rng.permutation(len(X))
    held = max(2, min(most, round(fraction * len(X))))
    return tuple((containers.take(X, rows), rows) for rows in (order[held:], order[:held]))  # type: ignore[return-value]


def _apart(starts: np.ndarray, width: int) -> np.ndarray:
    """Of starts in ascending order as many as are at least `width` apart, from the first one on."""
    chosen: list[int] = []
    for start in starts.tolist():
        if not chosen or start >= chosen[-1] + width:
            chosen.append(start)
    return np.array(chosen, dtype=np.int64)


def _ravel(places: np.ndarray, extents: np.ndarray) -> np.ndarray:
    """Places (n, A) in grids of the sizes (n, A), as numbers (n,)."""
    flat = np.zeros(len(places), dtype=np.int64)
    for axis in range(places.shape[1]):
        flat = flat * extents[:, axis] + places[:, axis]
    return flat
