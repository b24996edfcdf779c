"""What a model is told beside the example: numbers and categories, as one row of a small table."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hourglass.modalities import Tables
from hourglass.modalities.columns import frame_kind, read_columns
from hourglass.networks.table_input import TableInput

MAX_GROUPS = 200


def _as_table(condition: Any, n: int | None) -> Any:
    """One value for all, one per example, or a table -> a table of n rows."""
    if frame_kind(condition) != "array":
        return condition.collect() if hasattr(condition, "collect") else condition
    if hasattr(condition, "to_frame"):  # a pandas or polars Series
        return condition.to_frame()
    values = np.asarray(condition.detach().cpu() if isinstance(condition, Tensor) else condition)
    if values.ndim == 0:
        if n is None:
            raise ValueError(f"condition={condition!r} is a single value; give one for each example")
        values = np.repeat(values, n)
    if values.dtype.kind in "US":
        values = values.astype(object)
    return values[:, None] if values.ndim == 1 else values


@dataclass(frozen=True)
class Condition:
    """A fitted condition: `table` knows its columns, categories one-hot, numbers standardised.

    Whole numbers with up to 50 different values count as categories; other numbers as numbers.
    """

    table: Tables

    @classmethod
    def infer(cls, condition: Any, n: int) -> Condition:
        rows = _as_table(condition, n)
        if len(rows) != n:
            raise ValueError(f"condition has {len(rows)} rows, but X has {n}; give one for each example")
        return cls(Tables(discrete=True).infer(rows))

    def _front(self) -> TableInput:
        kinds: dict[str, list[int]] = {"numeric": [], "binary": [], "count": [], "category": []}
        for i, column in enumerate(self.table.columns):
            kinds[column.kind].append(i)
        categories = [(i, len(self.table.columns[i].categories)) for i in kinds["category"]]
        return TableInput(kinds["numeric"], kinds["binary"], kinds["count"], categories, [])

    @property
    def width(self) -> int:
        """C."""
        return self._front().width

    def rows(self, condition: Any, n: int) -> Tensor:
        """condition -> (n, D) codes in the condition's model space; raises for a value unseen at fit or missing."""
        if condition is None:
            named = ", ".join(c.name for c in self.table.columns)
            raise ValueError(f"the model was fitted with a condition ({named}): pass condition=, one for each example")
        table = _as_table(condition, n)
        if len(table) != n:
            raise ValueError(f"condition has {len(table)} rows, but {n} are needed; give one for each example")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = self.table.tensor(table)
        x = self.table.scaling()(raw)
        if bool(x.isnan().any()):
            row, i = (int(v) for v in x.isnan().nonzero()[0])
            column = self.table.columns[i]
            value = list(read_columns(table).values())[i][row]
            known = f"; known are {', '.join(map(str, column.categories))}" if column.categories else ""
            what = "is missing" if value is None or value != value else f"is {value!r}, which was not there at fit"
            raise ValueError(f"condition, row {row}: {column.name!r} {what}{known}")
        for column, values in zip(self.table.columns, raw.T, strict=True):
            if column.lowest is not None and column.highest is not None:
                low, high, margin = column.lowest, column.highest, column.highest - column.lowest
                if bool(((values < low - margin) | (values > high + margin)).any()):
                    warnings.warn(
                        f"condition: {column.name!r} lay between {low:g} and {high:g} at fit and is far outside now; "
                        "what the model says there is a guess",
                        stacklevel=3,
                    )
        return x

    def tensor(self, condition: Any, n: int) -> Tensor:
        """condition -> (n, C) float32."""
        return self._front()(self.rows(condition, n))

    def groups(self, condition: Any, n: int) -> np.ndarray | None:
        """A label for each combination of categories (n,), or None where numbers or too many combinations are in it."""
        if any(not c.categories for c in self.table.columns):
            return None
        if int(np.prod([len(c.categories) for c in self.table.columns])) > MAX_GROUPS:
            return None
        codes = self.rows(condition, n).int().numpy()
        return np.array([",".join(map(str, row)) for row in codes.tolist()])

    def __len__(self) -> int:
        return len(self.table.columns)


def condition_tensor(fitted: Condition | None, condition: Any, n: int) -> Tensor | None:
    """The condition of n examples, or None; raises where one is given to a model without, or forgotten."""
    if fitted is None:
        if condition is not None:
            raise ValueError("condition= is given, but the model was fitted without one; fit with condition= first")
        return None
    return fitted.tensor(condition, n).to(torch.float32)
