"""What `fit` is given -> rows to train on: modality and condition inferred, a part held out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hourglass import readers
from hourglass.estimators.conditions import Condition, condition_tensor
from hourglass.estimators.names import named_modality
from hourglass.fingerprint import fingerprint
from hourglass.modalities import Modality, Tables
from hourglass.training import Rows, Source, StreamedRows
from hourglass.training.rows import concatenate

MAX_HELD_OUT = 2_500
MIN_TO_HOLD_OUT = 20  # fewer rows are all needed for training
SAMPLE_ROWS = 20_000  # of a stream: what is looked at besides training


@dataclass(frozen=True)
class TrainingData:
    """Rows to train on, and what is known of them.

    `sample` are training rows in memory, all of them where they are; `groups` (len(sample),) labels their conditions
    where these are made of categories.
    """

    modality: Modality
    condition: Condition | None
    rows: Source
    held_out: Rows | None
    sample: Rows
    groups: np.ndarray | None
    fingerprint: str


def in_memory(X: Any, condition: Any, modality: Any, validation_fraction: float, seed: int) -> TrainingData:
    """Arrays and frames; `validation_fraction` of the rows, at most 2,500, are held out."""
    found = named_modality(modality, X).infer(X)
    raw = found.tensor(X)
    fitted = None if condition is None else Condition.infer(condition, len(raw))
    rows = Rows(raw, condition_tensor(fitted, condition, len(raw)))
    digest = fingerprint(rows.raw, *([] if rows.condition is None else [rows.condition]))
    groups = None if fitted is None else fitted.groups(condition, len(raw))
    n = min(MAX_HELD_OUT, round(validation_fraction * len(raw))) if len(raw) >= MIN_TO_HOLD_OUT else 0
    if len(raw) - n < 2:
        raise ValueError(
            f"validation_fraction={validation_fraction:g} holds out {n} of {len(raw)} rows; at least two are "
            "needed to train on"
        )
    # in an order of chance, so that the first rows of them are as good as any
    order = torch.from_numpy(np.random.default_rng((seed, 1)).permutation(len(raw)))
    kept = rows.view(order[n:])
    groups = None if groups is None else groups[order[n:].numpy()]
    return TrainingData(found, fitted, kept, rows[order[:n]] if n else None, kept, groups, digest)


def streamed(
    stream: readers.ParquetStream, condition: Any, modality: Any, validation_fraction: float, seed: int
) -> TrainingData:
    """Rows that do not fit into memory; `condition` names columns of the stream. Rows are held out at random."""
    names = [condition] if isinstance(condition, str) else list(condition or [])
    features = [c for c in stream.columns if c not in names]
    unknown = [c for c in names if c not in stream.columns]
    if unknown:
        known = ", ".join(stream.columns)
        raise ValueError(f"condition={unknown[0]!r} is no column of {stream.path}; it has {known}")

    def chunks(columns: list[str]) -> Iterator[Any]:
        for group in range(len(stream.row_groups)):
            for batch in stream.batches(group):
                yield _arrow(batch.select(columns))

    found = named_modality(modality, next(chunks(features)))
    if not isinstance(found, Tables):
        raise ValueError(f"a stream of Parquet rows is a table; modality={modality!r} is not for tables")
    table = found.infer(chunks(features))
    fitted = Condition(Tables(discrete=True).infer(chunks(names))) if names else None
    share = min(validation_fraction, MAX_HELD_OUT / len(stream)) if len(stream) >= MIN_TO_HOLD_OUT else 0.0

    def held_out_mask(group: int, number: int, n: int) -> np.ndarray:
        return np.random.default_rng((seed, 1, group, number)).random(n) < share

    def read(group: int, held: bool) -> Iterator[Rows]:
        for number, batch in enumerate(stream.batches(group)):
            mask = held_out_mask(group, number, batch.num_rows)
            given = _arrow(batch.select(names)) if names else None
            rows = Rows(table.tensor(_arrow(batch.select(features))), condition_tensor(fitted, given, batch.num_rows))
            yield rows[torch.from_numpy(mask if held else ~mask)]

    def looked_at() -> tuple[Rows, np.ndarray | None]:
        """Training rows from every part of the stream, in an order of chance, and their groups."""
        taken, told = [], []
        for group, wanted in enumerate(stream.shares(SAMPLE_ROWS)):
            for number, batch in enumerate(stream.batches(group)) if wanted else ():
                mask = ~held_out_mask(group, number, batch.num_rows)
                some = np.flatnonzero(mask)[:wanted]
                part = _arrow(batch.take(some))
                given = part.select(names) if names else None
                taken.append(Rows(table.tensor(part.select(features)), condition_tensor(fitted, given, len(some))))
                if fitted is not None and (labels := fitted.groups(given, len(some))) is not None:
                    told.append(labels)
                wanted -= len(some)
                if not wanted:
                    break
        order = torch.from_numpy(np.random.default_rng((seed, 2)).permutation(sum(map(len, taken))))
        return concatenate(taken)[order], np.concatenate(told)[order.numpy()] if told else None

    n_groups = len(stream.row_groups)
    parts = [rows for group in range(n_groups) for rows in read(group, True) if len(rows)] if share > 0 else []
    held_out = concatenate(parts) if parts else None
    if held_out is not None:
        held_out = held_out[torch.from_numpy(np.random.default_rng((seed, 3)).permutation(len(held_out)))]
    n_rows = len(stream) - (0 if held_out is None else len(held_out))
    sample, groups = looked_at()
    return TrainingData(
        modality=table,
        condition=fitted,
        rows=StreamedRows(n_rows, n_groups, lambda group: read(group, False)),
        held_out=held_out,
        sample=sample,
        groups=groups,
        fingerprint=fingerprint(
            [[str(g.path), g.index, g.rows, g.path.stat().st_size] for g in stream.row_groups], sample.raw
        ),
    )


def _arrow(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])
