"""What columns are at the two ends of a model: how raw numbers become those it works on, and what its encoder sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hourglass.modalities.column import Column
from hourglass.modalities.scaling import Standardise, StandardiseTails
from hourglass.networks.table_input import TableInput


def scaling_of(columns: Sequence[Column], n_axes: int = 0) -> Standardise:
    """Raw rows (B, D), or windows with further axes (B, D, *), -> model space."""

    def per_column(values: Sequence[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64).reshape(-1, *[1] * n_axes)

    offset = per_column([0.0 if c.constant else c.offset for c in columns])
    scale = per_column([c.scale for c in columns])
    tails = {i: (*c.tail, c.lowest, c.highest) for i, c in enumerate(columns) if c.tail is not None}
    if not tails:
        return Standardise(offset, scale)
    numbers = [per_column(values) for values in zip(*tails.values(), strict=True)]  # type: ignore[arg-type]
    return StandardiseTails(offset, scale, torch.tensor(list(tails)), *numbers)


def input_of(columns: Sequence[Column]) -> TableInput:
    """What an encoder sees of a row (B, D).

    Constant columns, and masks of columns without missing cells, would be seen through weights that no gradient ever
    reached.
    """
    varying = [i for i, c in enumerate(columns) if not c.constant]
    return TableInput(
        [i for i in varying if columns[i].kind == "numeric"],
        [i for i in varying if columns[i].kind == "binary"],
        [(i, *columns[i].logs) for i in varying if columns[i].kind == "count"],
        [(i, len(columns[i].categories)) for i in varying if columns[i].kind == "category"],
        [i for i in varying if columns[i].missing and columns[i].kind != "category"],
        [i for i, c in enumerate(columns) if c.constant and c.missing and c.offset == c.offset],
        [(i, c.scale / p, c.offset / p % 1.0) for i, c in enumerate(columns) for p in c.cycles],
    )
