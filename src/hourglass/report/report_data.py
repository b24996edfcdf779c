"""What a report is about: the estimator, some of the data, and what the model makes of them, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hourglass import readers
from hourglass.plots import Groups, group
from hourglass.readers.containers import take

MAX_ROWS_SHOWN = 4000
MIN_ROWS_SHOWN = 64
MAX_CELLS_SHOWN = 20_000_000  # of all examples looked at: large pictures are fewer
MAX_CONDITIONS = 12


@dataclass(frozen=True, eq=False)
class ConditionLevel:
    """One condition: its name in words, and the rows of the data that hold it."""

    name: str
    rows: np.ndarray


@dataclass(frozen=True, eq=False)
class ReportData:
    """`X`, `labels` and `condition` are those of the `rows` (M,) looked at, of `n_rows` given; `codes` (M, L);
    `made` the reconstructions. `given` are the conditions to show, `default_condition` the one where only one fits."""

    estimator: Any
    X: Any
    n_rows: int
    labels: Groups | None
    condition: Any
    codes: np.ndarray
    made: Any
    given: tuple[ConditionLevel, ...] = ()
    default_condition: ConditionLevel | None = None

    @property
    def n_shown(self) -> int:
        return len(self.codes)

    def condition_of(self, given: ConditionLevel | None, n: int) -> Any:
        """That condition for n codes, or None."""
        return None if given is None else take(self.condition, np.full(n, given.rows[0]))

    @property
    def one_condition(self) -> Any:
        """The main condition as exploration takes it, or None."""
        return self.condition_of(self.default_condition, 1)


def report_data(estimator: Any, X: Any, labels: Any = None, condition: Any = None) -> ReportData:
    """Looks at some of X.

    Raises
    ------
    NotFittedError : for an estimator that is not fitted.
    ValueError : where labels or condition are not one for each example, or a condition is forgotten.
    """
    check_is_fitted(estimator, "model_")
    if isinstance(X, (str, Path)):
        data = readers.read(X)
        X, labels = data.X, data.labels if labels is None else labels
    total = None
    if isinstance(X, readers.ParquetStream):
        total = len(X)
        X, labels, condition = _spread(estimator, X, labels, condition)
    if isinstance(X, list):
        X = np.asarray(X)
    n = len(X)
    for name, values in (("labels", labels), ("condition", condition)):
        if values is not None and (not hasattr(values, "__len__") or len(values) != n):
            raise ValueError(f"{name} has {_size(values)}, but X has {n} rows; give one for each example")
    cells = max(1, int(np.prod(estimator.modality_.shape)))
    most = int(np.clip(MAX_CELLS_SHOWN // cells, MIN_ROWS_SHOWN, MAX_ROWS_SHOWN))
    rows = np.arange(n)
    if n > most:
        rows = np.sort(np.random.default_rng(0).choice(n, most, replace=False))
        X = take(X, rows)
        condition = None if condition is None else take(condition, rows)
    grouped = None if labels is None else group(labels)[rows]
    codes = estimator.transform(X, condition=condition)
    made = estimator.inverse_transform(codes, condition=condition)
    given, default_condition = _conditions(estimator, condition, len(rows))
    return ReportData(estimator, X, total or n, grouped, condition, codes, made, given, default_condition)


def _size(values: Any) -> str:
    return f"{len(values):,} entries" if hasattr(values, "__len__") else f"one value, {values!r}"


def _spread(estimator: Any, stream: readers.ParquetStream, labels: Any, condition: Any) -> tuple[Any, Any, Any]:
    """Rows from every part of a stream; labels and condition may be names of its columns."""
    table = stream.spread(MAX_ROWS_SHOWN)
    names = [condition] if isinstance(condition, str) else list(condition or [])
    label = labels if isinstance(labels, str) else None
    found = table.column(label).to_pylist() if label else labels
    return table.select([c.name for c in estimator.modality_.columns]), found, table.select(names) if names else None


def _conditions(estimator: Any, condition: Any, n: int) -> tuple[tuple[ConditionLevel, ...], ConditionLevel | None]:
    """Conditions worth showing: all of them where they are few, else low, middling and high ones."""
    fitted = estimator.condition_
    if fitted is None:
        return (), None
    columns = fitted.table.columns
    values = fitted.rows(condition, n).double().numpy()  # (n, D) in model space

    def named(row: int) -> str:
        parts = []
        for column, value in zip(columns, values[row].tolist(), strict=True):
            if column.categories:
                text = column.categories[round(value)]
                text = text if isinstance(text, str) else f"{text:g}"
            else:
                text = f"{value * column.scale + column.offset:.3g}"
            plain = len(columns) == 1 and column.name == "x0"
            parts.append(text if plain else f"{column.name} {text}")
        return ", ".join(parts)

    levels, level_of, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)

    def of_level(level: int) -> ConditionLevel:
        rows = np.flatnonzero(level_of.ravel() == level)
        return ConditionLevel(named(int(rows[0])), rows)

    if len(levels) <= MAX_CONDITIONS:
        given = tuple(of_level(level) for level in range(len(levels)))
        return given, given[int(counts.argmax())]
    numbers = [i for i, c in enumerate(columns) if not c.categories]
    if not numbers:
        given = tuple(of_level(int(level)) for level in np.argsort(-counts, kind="stable")[:MAX_CONDITIONS])
        return given, given[0]
    order = np.argsort(values[:, numbers[0]], kind="stable")
    given = tuple(of_level(int(level_of.ravel()[order[round(q * (n - 1))]])) for q in (0.1, 0.5, 0.9))
    return given, given[1]
