"""What a report is about: the estimator, some of the data, and what the model makes of them, computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from hourglass import readers
from hourglass.estimators import data_in, passes
from hourglass.estimators.conditions import condition_tensor
from hourglass.modalities import Examples
from hourglass.plots import Groups, group
from hourglass.readers import Data, containers
from hourglass.training import Rows, threads
from hourglass.views import tables, view_of

MAX_EXAMPLES = 4000
MIN_EXAMPLES = 64
MAX_CELLS = 20_000_000  # of all examples shown: large pictures are fewer
MAX_CONDITIONS = 12


@dataclass(frozen=True, eq=False)
class ConditionLevel:
    """One condition: its name in words, and the examples (positions) that have it."""

    name: str
    rows: np.ndarray


@dataclass(frozen=True, eq=False)
class ReportData:
    """Some examples, and what the model makes of them.

    Attributes
    ----------
    estimator : fitted.
    raw : (M, *S) the examples shown, in raw units.
    examples : the same, as the user handed them in, or as the estimator would hand them out.
    condition : of these examples, in the container it was given in; None without one.
    codes : (M, L), or all numbers of codes on a grid, (M, L * G).
    restored : the reconstructions in raw units, (M, *S).
    names : (M,) of the examples: those of the records, or their places, such as "row 62".
    cut : where each of the examples was cut from.
    labels : of the examples, or None.
    labels_in_model : whether the model may know them: as a column of the data, or along with a condition.
    n_given : how many examples there are in the data.
    source : the path or the data set; "" for data in memory.
    is_cut : whether examples are windows of records.
    accepted : what was handed in, as the kind of data takes it, from which examples were cut.
    given_condition, given_labels : as they were handed in, one for each record or row; None without.
    levels, default_condition : the conditions to show, and the one where only one fits.
    """

    estimator: Any
    raw: Tensor
    examples: Any
    condition: Any
    codes: np.ndarray
    restored: Tensor
    names: tuple[str, ...]
    cut: Examples
    labels: Groups | None
    labels_in_model: bool
    n_given: int
    source: str = ""
    is_cut: bool = False
    accepted: Any = None
    given_condition: Any = None
    given_labels: Any = None
    levels: tuple[ConditionLevel, ...] = ()
    default_condition: ConditionLevel | None = None

    @property
    def n_shown(self) -> int:
        return len(self.codes)

    @cached_property
    def independent(self) -> np.ndarray:
        """Positions of examples that share no cell with one another."""
        return self.cut.independent()

    @property
    def noun(self) -> str:
        """One example in words."""
        return str(self.estimator.modality_.noun)

    @property
    def grid(self) -> tuple[int, ...]:
        """G, the grid that the codes of the model lie on; () for one code per example."""
        return tuple(self.estimator.model_.sizes.grid)

    @cached_property
    def is_bypassed(self) -> bool:
        """Whether features go past the code, so that codes alone cannot be decoded."""
        e = self.estimator
        with torch.no_grad(), threads(e.n_threads):
            given = condition_tensor(e.condition_, self.condition_of(self.default_condition, 1), 1)
            return bool(e.model_.encode(e.model_.scaling(self.raw[:1]), given).shallow)

    @cached_property
    def view(self) -> Any:
        """Examples as the estimator gives them -> their form; None for a kind of data that has no view."""
        return view_of(self.estimator.modality_)

    @cached_property
    def originals(self) -> Any:
        """The form of the examples."""
        return self.view(self.examples)

    @cached_property
    def reconstructions(self) -> Any:
        """The form of their reconstructions."""
        return self.view(self.estimator.modality_.restore(self.restored))

    @cached_property
    def scores(self) -> np.ndarray:
        """How typical each example is, (M,) nats, as `score_samples` has it."""
        return self._passed(passes.evidence, 1, 0)

    @cached_property
    def cell_scores(self) -> np.ndarray:
        """log p of every cell given the code, (M, *S) nats; NaN where it is missing."""
        cells = self._passed(passes.cell_log_prob)
        return np.where(np.isnan(self.raw.double().numpy()), np.nan, cells)

    @cached_property
    def rows(self) -> Rows:
        """The examples as models take them."""
        return Rows(self.raw, condition_tensor(self.estimator.condition_, self.condition, self.n_shown))

    def _passed(self, function: Any, *arguments: Any) -> np.ndarray:
        e, rows = self.estimator, self.rows
        with threads(e.n_threads):
            return np.asarray(function(e.model_, rows.raw, rows.condition, *arguments, e.device).double().numpy())

    def condition_of(self, level: ConditionLevel | None, n: int) -> Any:
        """That condition for n codes, or None."""
        return None if level is None else containers.take(self.condition, np.full(n, level.rows[0]))

    @property
    def one_condition(self) -> Any:
        """The main condition as exploration takes it, or None."""
        return self.condition_of(self.default_condition, 1)

    @property
    def of_condition(self) -> str:
        """A sentence that names the main condition, or nothing."""
        return f" Condition: {self.default_condition.name}." if self.default_condition else ""

    def chosen(self, n: int) -> np.ndarray:
        """Positions of n examples chosen at random, the classes in turn where there are labels."""
        order = np.random.default_rng(0).permutation(self.independent)
        if self.labels is None or self.labels.codes is None:
            return order[:n]
        codes = self.labels.codes[order]
        turn = np.zeros(len(order), dtype=int)
        for code in np.unique(codes):
            turn[codes == code] = np.arange((codes == code).sum())
        return order[np.lexsort((codes, turn))][:n]

    def lowest(self, scores: np.ndarray, n: int) -> np.ndarray:
        """Positions of the n examples with the lowest scores (M,), of those that share no cell."""
        return self.independent[np.argsort(scores[self.independent], kind="stable")[:n]]


def report_data(
    estimator: Any,
    X: Any,
    labels: Any = None,
    condition: Any = None,
    names: Any = None,
    n_given: int | None = None,
) -> ReportData:
    """What a page shows of X; see `write`.

    Raises
    ------
    NotFittedError : for an estimator that is not fitted.
    ValueError : where labels, condition or names are not one for each record, or a condition is forgotten.
    """
    check_is_fitted(estimator, "model_")
    modality = estimator.modality_
    n_given = len(X) if isinstance(X, readers.ParquetStream) else n_given
    labels_in_model = isinstance(labels, str) and labels in modality.learned_names
    data, labels, condition = _read(estimator, X, labels, condition)
    table, condition = data_in.split_off(data.X, condition)
    X = modality.accept(replace(data, X=table))
    every = modality.examples(X)
    for name, values in (("labels", labels), ("condition", condition), ("names", names)):
        if values is not None and (not hasattr(values, "__len__") or len(values) not in every.counts):
            raise ValueError(f"{name} has {_size(values)}, but X has {every.n_records} rows; give one for each example")
    rows = np.arange(len(every))
    most = int(np.clip(MAX_CELLS // max(1, int(np.prod(modality.shape))), MIN_EXAMPLES, MAX_EXAMPLES))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))
    examples = every.take(rows)
    raw, given = examples.rows(), None if condition is None else examples.per_example(condition)
    with threads(estimator.n_threads):
        tensor = condition_tensor(estimator.condition_, given, len(raw))
        codes = passes.encode(estimator.model_, raw, tensor, estimator.device)
        restored = passes.reconstruct(estimator.model_, raw, tensor, estimator.device)
    names = data.names if names is None else names
    records = [f"{modality.noun} {i}" for i in range(every.n_records)] if names is None else names
    levels, default_condition = _conditions(estimator, given, len(rows))
    return ReportData(
        estimator=estimator,
        raw=raw,
        # of what was not cut nothing is lost: neither a category that is new, nor the value of a constant column
        examples=modality.restore(raw) if every.axes else containers.take(X, rows),
        condition=given,
        codes=codes.flatten(1).numpy(),
        restored=restored,
        names=tuple(examples.names(records)),
        cut=examples,
        labels=None if labels is None else group(labels)[examples.per_example(np.arange(len(labels)))],
        labels_in_model=condition is not None or labels_in_model,
        n_given=n_given or len(every),
        source=data.source,
        is_cut=bool(every.axes),
        accepted=X,
        given_condition=condition,
        given_labels=labels,
        levels=levels,
        default_condition=default_condition,
    )


def _size(values: Any) -> str:
    return f"{len(values):,} entries" if hasattr(values, "__len__") else f"one value, {values!r}"


def _read(estimator: Any, X: Any, labels: Any, condition: Any) -> tuple[Data, Any, Any]:
    """X as data, with labels and condition; either may be the name of a column of X."""
    named = isinstance(X, str | Path | readers.ParquetStream | Data)  # else its source is but the name of a type
    if isinstance(X, readers.ParquetStream):
        X = Data(X.spread(MAX_EXAMPLES), source=str(X.path))
    data = data_in.read(X)
    source = Path(data.source).name if named else ""
    if labels is None:
        labels = data.labels if data.labels is None or data.labels.ndim == 1 else data.labels[:, 0]
    table, columns = data.X, data.columns
    if columns is not None:
        names = [condition] if isinstance(condition, str) else condition
        if estimator.condition_ is not None and isinstance(names, list) and set(names) <= set(columns):
            condition = containers.select(table, names)
        if isinstance(labels, str) and labels in columns:
            labels = containers.to_arrow(containers.select(table, [labels])).column(0).to_pylist()
        known = list(estimator.modality_.learned_names)
        if known and set(known) < set(columns):
            table = containers.select(table, known)
    return Data(table, labels, data.names, data.kind, source=source), labels, condition


def _conditions(estimator: Any, condition: Any, n: int) -> tuple[tuple[ConditionLevel, ...], ConditionLevel | None]:
    """Conditions worth showing: all of them where they are few, else low, middling and high ones."""
    fitted = estimator.condition_
    if fitted is None:
        return (), None
    table = fitted.table
    raw = table.scaling().inverse(fitted.rows(condition, n))  # (n, D)
    values = raw.double().numpy()
    named = len(table.columns) > 1 or table.container != "array"
    levels, first, level_of, counts = np.unique(
        values, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    cells = tables.view(table, table.restore(raw[first]))

    def of_level(level: int) -> ConditionLevel:
        texts = cells.texts(level)
        if named:
            texts = [f"{column.name} {text}" for column, text in zip(table.columns, texts, strict=True)]
        return ConditionLevel(", ".join(texts), np.flatnonzero(level_of.ravel() == level))

    if len(levels) <= MAX_CONDITIONS:
        few = tuple(of_level(level) for level in range(len(levels)))
        return few, few[int(counts.argmax())]
    numbers = [i for i, c in enumerate(table.columns) if not c.categories]
    if not numbers:
        common = tuple(of_level(int(level)) for level in np.argsort(-counts, kind="stable")[:MAX_CONDITIONS])
        return common, common[0]
    order = np.argsort(values[:, numbers[0]], kind="stable")
    spread = tuple(of_level(int(level_of.ravel()[order[round(q * (n - 1))]])) for q in (0.1, 0.5, 0.9))
    return spread, spread[1]
