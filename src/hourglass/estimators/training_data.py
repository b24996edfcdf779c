"""What `fit` is given -> examples to train on: kind of data and condition inferred, a part held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hourglass import readers
from hourglass.estimators import data_in
from hourglass.estimators.conditions import Condition, condition_of_examples, condition_tensor, count_of
from hourglass.fingerprint import fingerprint
from hourglass.modalities import Examples, Modality, named_modality
from hourglass.model import Autoencoder
from hourglass.readers import Data, containers
from hourglass.training import Rows, Source, StreamedRows
from hourglass.training.rows import concatenate

MAX_HELD_OUT = 2_500
MIN_TO_HOLD_OUT = 20  # fewer rows are all needed for training
FEW, FOLDS = 300, 5  # so many examples, or fewer, are held out in turns where the length of training is to be found
MIN_RECORDS, FOLDS_OF_RECORDS = 6, 3  # windows are held out by records, and train a model for longer than few rows
SAMPLE_ROWS = 20_000  # of a stream: what is used besides training


@dataclass(frozen=True)
class TrainingData:
    """Examples to train on, and what is known of them.

    Attributes
    ----------
    rows : where batches come from.
    held_out : examples for early stopping and for the figures; None where there are none.
    sample : training examples in memory, all of them where they fit.
    independent : (n,) positions in `sample` of examples that share no cell.
    groups : (len(sample),) labels of their conditions where these are made of categories, else None.
    records : (len(sample),) the record that each is a window of; None where records are examples.
    fingerprint : of the data.
    n_independent : how many independent examples there are to train on: epochs and batches go by it.
    n_independent_held : and how many are held out; 0 where examples are records.
    folds : in how many turns examples are to be held out; 0 for `held_out`, or none.
    folds_trained : then the model of each, with the examples that it learned from, and those that it did not.
    apart : examples that neither training nor early stopping sees; None where a task asks for none.
    cut_held_out, cut_apart : where `held_out` and `apart` were cut; None where records are examples.
    """

    modality: Modality
    condition: Condition | None
    rows: Source
    held_out: Rows | None
    sample: Rows
    independent: np.ndarray
    groups: np.ndarray | None
    fingerprint: str
    n_independent: int
    folds: int = 0
    n_independent_held: int = 0
    apart: Rows | None = None
    records: np.ndarray | None = None
    cut_held_out: Examples | None = None
    cut_apart: Examples | None = None
    folds_trained: tuple[tuple[Autoencoder, Rows, Rows], ...] = ()


NumberApart = Callable[[int], int]  # of so many examples, how many to keep apart


def in_memory(
    X: Any,
    condition: Any,
    modality: Modality,
    held_out_share: float,
    seed: int,
    in_turns: bool = False,
    n_apart: NumberApart | None = None,
) -> TrainingData:
    """Records in memory; `held_out_share` of their examples, at most 2,500, are held out, or few of them `in_turns`.

    Before that, as many are kept apart as `n_apart` says.

    Raises
    ------
    ValueError : for too few examples, and a condition that is not one per record.
    """
    found = modality.infer(X)
    examples = found.examples(X, dense=True)
    n = count_of(condition, examples)
    fitted = None if condition is None else Condition.infer(condition, n)
    beside = condition_of_examples(fitted, condition, examples)
    groups = None if fitted is None else fitted.groups(condition, n)
    if examples.axes:
        groups = None if groups is None else examples.per_example(groups)
    rows = Rows(examples.raw, beside, examples.index)
    digest = fingerprint(examples.store, *([] if beside is None else [beside]))
    most = 0 if n_apart is None else n_apart(len(examples))
    rest, apart = examples.split(most / max(1, len(examples)), most, np.random.default_rng((seed, 4)))
    n = len(rest) if most else len(examples)
    n_free = n if not examples.axes else len(examples.independent())
    enough = not examples.axes or (examples.n_records >= MIN_RECORDS and not most)
    turns = in_turns and held_out_share > 0 and n >= MIN_TO_HOLD_OUT and n_free <= FEW and enough
    fraction = held_out_share if n >= MIN_TO_HOLD_OUT and not turns else 0.0
    # in random order, so that the first of them are as good as any
    used = examples.take(rest) if most else examples
    train, held = used.split(fraction, MAX_HELD_OUT, np.random.default_rng((seed, 1)))
    train, held = (rest[train], rest[held]) if most else (train, held)
    if groups is not None:
        train, held = one_of_each(train, held, groups)
    if len(train) < 2:
        raise ValueError(
            f"validation_fraction={held_out_share:g} holds out {len(held)} of {len(examples)} examples; at least "
            "two are needed to train on"
        )
    kept = rows.view(torch.from_numpy(train))
    independent = np.arange(len(train)) if not examples.axes else examples.take(train).independent()
    return TrainingData(
        modality=found,
        condition=fitted,
        rows=kept,
        held_out=rows[torch.from_numpy(held)] if len(held) else None,
        sample=kept,
        independent=independent,
        groups=None if groups is None else groups[train],
        fingerprint=digest,
        n_independent=len(independent),
        folds=(FOLDS_OF_RECORDS if examples.axes else FOLDS) if turns else 0,
        n_independent_held=(n_free if turns else len(examples.take(held).independent())) if examples.axes else 0,
        apart=rows[torch.from_numpy(apart)] if most else None,
        records=examples.record[train] if examples.axes else None,
        cut_held_out=examples.take(held) if examples.axes else None,
        cut_apart=examples.take(apart) if examples.axes else None,
    )


def one_of_each(train: np.ndarray, held: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One example of every condition is trained on, however rare, so that each can be sampled."""
    lost = sorted(set(groups[held].tolist()) - set(groups[train].tolist()))
    moved = [next(i for i, position in enumerate(held) if groups[position] == group) for group in lost]
    return np.concatenate([train, held[moved]]) if moved else train, np.delete(held, moved)


class _Streamed:
    """Rows that do not fit into memory, split into features and condition, training and held-out rows.

    `condition` names columns of the stream. Rows are held out at random.
    """

    def __init__(
        self,
        stream: readers.ParquetStream,
        condition: Any,
        modality: Any,
        held_out_share: float,
        seed: int,
        n_apart: NumberApart | None = None,
    ) -> None:
        self.stream, self.seed = stream, seed
        self.names = [condition] if isinstance(condition, str) else list(condition or [])
        self.features = [c for c in stream.columns if c not in self.names]
        if unknown := [c for c in self.names if c not in stream.columns]:
            known = ", ".join(stream.columns)
            raise ValueError(f"condition={unknown[0]!r} is not a column of {stream.path}; it has {known}")
        first = Data(next(self._chunks(self.features)), source=str(stream.path))
        found = named_modality(modality, first)
        self.first = found.accept(first)  # raises for a kind of data that is not read from tables
        self.modality = found.infer(self._chunks(self.features))
        self.condition = Condition.of_table(self._chunks(self.names)) if self.names else None
        n = len(stream)
        self.n_apart = 0 if n_apart is None else n_apart(n)
        self.share = min(held_out_share, MAX_HELD_OUT / n) if n >= MIN_TO_HOLD_OUT else 0.0
        self.share += self.n_apart / n

    def _chunks(self, columns: list[str]) -> Iterator[Any]:
        for group in range(len(self.stream.row_groups)):
            for batch in self.stream.batches(group):
                yield containers.canonical(batch.select(columns))

    def _held_out(self, group: int, number: int, n: int) -> np.ndarray:
        return np.random.default_rng((self.seed, 1, group, number)).random(n) < self.share

    def _rows(self, batch: Any) -> tuple[Rows, np.ndarray | None]:
        """Examples of a batch, and their groups."""
        given = containers.canonical(batch.select(self.names)) if self.names else None
        table = containers.canonical(batch.select(self.features))
        raw = self.modality.examples(table).rows()
        groups = None if self.condition is None else self.condition.groups(given, len(raw))
        return Rows(raw, condition_tensor(self.condition, given, len(raw))), groups

    def _read(self, group: int, held: bool) -> Iterator[Rows]:
        for number, batch in enumerate(self.stream.batches(group)):
            mask = self._held_out(group, number, batch.num_rows)
            yield self._rows(batch)[0][torch.from_numpy(mask if held else ~mask)]

    def _sample(self) -> tuple[Rows, np.ndarray | None]:
        """Training rows from every part of the stream, in random order, and their groups."""
        parts, labels = [], []
        for group, wanted in enumerate(self.stream.shares(SAMPLE_ROWS)):
            for number, batch in enumerate(self.stream.batches(group)) if wanted else ():
                some = np.flatnonzero(~self._held_out(group, number, batch.num_rows))[:wanted]
                rows, groups = self._rows(batch.take(some))
                parts.append(rows)
                labels += [] if groups is None else [groups]
                wanted -= len(some)
                if not wanted:
                    break
        order = torch.from_numpy(np.random.default_rng((self.seed, 2)).permutation(sum(map(len, parts))))
        return concatenate(parts)[order], np.concatenate(labels)[order.numpy()] if labels else None

    def training_data(self) -> TrainingData:
        n_groups = len(self.stream.row_groups)
        parts: list[Rows] = []
        if self.share > 0:
            parts = [rows for group in range(n_groups) for rows in self._read(group, True) if len(rows)]
        held_out = concatenate(parts) if parts else None
        if held_out is not None:
            order = np.random.default_rng((self.seed, 3)).permutation(len(held_out))
            held_out = held_out[torch.from_numpy(order)]
        apart = None if held_out is None or not self.n_apart else held_out[slice(0, self.n_apart)]
        n_held = 0 if held_out is None else len(held_out)
        if held_out is not None and self.n_apart:
            held_out = held_out[slice(self.n_apart, None)] if n_held > self.n_apart else None
        n_rows = len(self.stream) - n_held
        sample, groups = self._sample()
        places = [[str(g.path), g.index, g.rows, g.path.stat().st_size] for g in self.stream.row_groups]
        return TrainingData(
            modality=self.modality,
            condition=self.condition,
            rows=StreamedRows(n_rows, n_groups, lambda group: self._read(group, False)),
            held_out=held_out,
            sample=sample,
            independent=np.arange(len(sample)),
            groups=groups,
            fingerprint=fingerprint(places, sample.raw),
            n_independent=n_rows,
            apart=apart,
        )


def training_data(
    X: Any,
    condition: Any,
    modality: str | Modality | None,
    held_out_share: float,
    seed: int,
    in_turns: bool = False,
    n_apart: NumberApart | None = None,
    for_scores: bool = False,
) -> tuple[TrainingData, Any]:
    """Whatever `fit` is given -> training data, and X in a canonical container (of a stream its first rows).

    `in_turns`: few examples are not held out now, but may be in turns. `n_apart`: of so many examples, how many neither
    training nor early stopping may see. `for_scores`: the kind of data is to suit the scores of a detector.
    """
    if isinstance(X, readers.ParquetStream):  # a table, which is seen alike for everything
        stream = _Streamed(X, condition, modality, held_out_share, seed, n_apart)
        return stream.training_data(), stream.first
    data = data_in.read(X)
    wanted = named_modality(modality, data)
    found, X, condition = data_in.accept(data, wanted.for_scores() if for_scores else wanted, condition)
    return in_memory(X, condition, found, held_out_share, seed, in_turns, n_apart), X


__all__ = ["MAX_HELD_OUT", "MIN_TO_HOLD_OUT", "TrainingData", "training_data"]
