"""What a model is given along with each record: numbers and categories, as one row of a small table."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hourglass.modalities import Examples, Tables
from hourglass.modalities.columns import is_missing, read_columns
from hourglass.networks.table_input import TableInput
from hourglass.readers import containers
from hourglass.user_warnings import warn

MAX_GROUPS = 200


def _as_table(condition: Any, n: int | None) -> Any:
    """One value for all, one per record, or a table -> a table of n rows."""
    if containers.is_single(condition):
        if n is None:
            raise ValueError(
                f"condition={condition!r} is a single value, which tells the model nothing at fit: give one per "
                "record, or the name of a column of X"
            )
        condition = np.repeat(np.asarray(condition), n)
    table = containers.canonical(condition, "condition")
    if containers.is_frame(table):
        return table
    if table.ndim == 0:
        return _as_table(table.item(), n)
    if table.dtype.kind in "US":
        table = table.astype(object)
    return table[:, None] if table.ndim == 1 else table


@dataclass(frozen=True)
class Condition:
    """A fitted condition: `table` knows its columns, categories one-hot, numbers standardised.

    Whole numbers with up to 50 different values count as categories; other numbers as numbers.
    """

    table: Tables

    @classmethod
    def infer(cls, condition: Any, n: int) -> Condition:
        """The condition of n records.

        Raises
        ------
        ValueError : for a single value, and where it is not one per record.
        """
        rows = _as_table(condition, None)
        if len(rows) != n:
            raise ValueError(f"condition has {len(rows)} rows, but X has {n}; give one for each example")
        return cls.of_table(rows)

    @classmethod
    def of_table(cls, table: Any) -> Condition:
        """The condition in a table, or in an iterator of tables."""
        return cls(Tables(discrete=True).infer(table))

    def _front(self) -> TableInput:
        kinds: dict[str, list[int]] = {"numeric": [], "binary": [], "category": []}
        for i, column in enumerate(self.table.columns):
            kinds[column.kind].append(i)
        categories = [(i, len(self.table.columns[i].categories)) for i in kinds["category"]]
        return TableInput(kinds["numeric"], kinds["binary"], [], categories, [])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(column.name for column in self.table.columns)

    @property
    def width(self) -> int:
        """C."""
        return self._front().width

    def rows(self, condition: Any, n: int) -> Tensor:
        """condition -> (n, D) codes in the condition's model space; raises for a value unseen at fit or missing."""
        if condition is None:
            named = ", ".join(self.names)
            raise ValueError(f"the model was fitted with a condition ({named}): pass condition=, one for each example")
        table = _as_table(condition, n)
        if len(table) != n:
            raise ValueError(f"condition has {len(table)} rows, but {n} are needed; give one for each example")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = self.table.examples(table).rows()
        x = self.table.scaling()(raw)
        if not bool(x.isfinite().all()):
            self._refuse(table, ~x.isfinite())
        for column, values in zip(self.table.columns, raw.T, strict=True):
            if column.lowest is not None and column.highest is not None:
                low, high, margin = column.lowest, column.highest, column.highest - column.lowest
                if bool(((values < low - margin) | (values > high + margin)).any()):
                    warn(
                        f"condition: {column.name!r} lay between {low:g} and {high:g} at fit and is far outside now; "
                        "what the model says there is a guess"
                    )
        return x

    def _refuse(self, table: Any, unusable: Tensor) -> None:
        """Raises ValueError for the first cell that cannot be used; missing ones are counted."""
        row, i = (int(v) for v in unusable.nonzero()[0])
        column = self.table.columns[i]
        value = list(read_columns(table).values())[i][row]
        value = value.item() if hasattr(value, "item") else value
        levels = [f"{c:g}" if isinstance(c, float) else str(c) for c in column.categories]
        known = f"; known values: {', '.join(levels)}" if levels else ""
        if value is None or value != value:
            values = list(read_columns(table).values())[i]
            n = int(is_missing(values).sum())
            raise ValueError(
                f"condition: column {column.name!r} is missing in {n:,} of {len(values):,} rows, the first of them row "
                f"{row}; give them a value, such as 'unknown' among texts, or leave these rows out"
            )
        raise ValueError(f"condition, row {row}: {column.name!r} is {value!r}, which was not there at fit{known}")

    def tensor(self, condition: Any, n: int) -> Tensor:
        """condition -> (n, C) float32."""
        return self._front()(self.rows(condition, n))

    def groups(self, condition: Any, n: int) -> np.ndarray | None:
        """A label for each combination of categories (n,), or None where numbers or too many combinations are in it."""
        if not self.all_groups:
            return None
        codes = self.rows(condition, n).int().numpy()
        return np.array([_label(row) for row in codes.tolist()])

    @property
    def all_groups(self) -> list[str]:
        """The labels of all combinations of categories, whether there are rows of them or not; [] for None."""
        sizes = [len(c.categories) for c in self.table.columns]
        if 0 in sizes or math.prod(sizes) > MAX_GROUPS:
            return []
        return [_label(row) for row in itertools.product(*map(range, sizes))]

    def __len__(self) -> int:
        return len(self.table.columns)


def condition_of_examples(fitted: Condition | None, condition: Any, examples: Examples) -> Tensor | None:
    """The condition of every example (N, C), from that of every record, or row; None for a model without."""
    given = condition_tensor(fitted, condition, count_of(condition, examples))
    return given if given is None or not examples.axes else torch.as_tensor(examples.per_example(given))


def count_of(condition: Any, examples: Examples) -> int:
    """How many values a condition of these data has: one per record, or one per row where records have several."""
    if len(examples.counts) > 1 and not containers.is_single(condition):
        n = len(_as_table(condition, None))
        return n if n in examples.counts else examples.n_records
    return examples.n_records


def _label(codes: Iterable[int]) -> str:
    return ",".join(map(str, codes))


def condition_tensor(fitted: Condition | None, condition: Any, n: int) -> Tensor | None:
    """The condition of n records, or None; raises where one is given to a model without, or forgotten."""
    if fitted is None:
        if condition is not None:
            raise ValueError("condition= is given, but the model was fitted without one; fit with condition= first")
        return None
    return fitted.tensor(condition, n).to(torch.float32)
