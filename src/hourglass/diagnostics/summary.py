"""What a fitted model does on rows it was not trained on, in figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from hourglass.diagnostics.baseline import Baseline, pca_unexplained_variance
from hourglass.diagnostics.codes import active_units
from hourglass.diagnostics.measures import RowMeasures, measure
from hourglass.model import Autoencoder
from hourglass.training.rows import Rows

MAX_BASELINE_ROWS = 5_000  # training rows that the baseline and PCA are fitted on: enough for two digits of the error
BASELINE_CELLS = 10**8  # of large pictures fewer rows, but at least 500
TRAINING_ROWS = 1_000  # training rows that are measured beside the others


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures measured on rows, all relative to predicting without a code (see `Baseline`).

    `unexplained_variance` is 1 - R^2 of the numeric cells that vary: 0 is exact, 1 is as good as their means.
    `unexplained_categories` are the categorical cells that come back as another value, relative to those that the most
    frequent value of each column gets wrong. Both are NaN where there are no such cells.

    Nats are per example, of the data in model space, lower is better: densities of numbers may be above 1, and their
    nats negative, so that only differences mean something. `baseline` is what the same likelihood needs without a code.
    """

    n_rows: int  # measured
    n_latent: int
    n_numeric: int  # cells of an example that vary
    n_categorical: int
    n_values: int  # degrees of freedom of an example: a category counts its values less one
    cells: str  # what a cell is called: "column" or "cell"
    unexplained_variance: float
    unexplained_categories: float
    pca_unexplained_variance: float  # with as many components, numeric cells alone; NaN where PCA has no meaning
    unexplained_standard_error: float  # of `unexplained`
    reconstruction: float  # -log p(x | code)
    categorical_reconstruction: float  # of the categorical cells alone
    baseline: float
    categorical_baseline: float
    kl: float  # divergence of the posterior from the recipe's own prior; NaN for deterministic codes
    negative_elbo: float  # NaN for deterministic codes
    kl_per_dimension: list[float] = field(default_factory=list)  # empty where there is no KL, or none per dimension
    active_units: int = -1  # dimensions in use; -1 for deterministic codes
    gain_standard_error: float  # of `gain`
    training_gain: float  # what `baseline - reconstruction` is on training rows
    code_scale: list[float] = field(default_factory=list)  # standard deviation of every dimension
    share_missing: float = 0.0  # of the training rows' cells

    @property
    def unexplained(self) -> float:
        """Of all cells that vary: the mean of both shares, each cell counting alike."""
        parts = [(self.n_numeric, self.unexplained_variance), (self.n_categorical, self.unexplained_categories)]
        known = [(n, share) for n, share in parts if n and not math.isnan(share)]
        return sum(n * share for n, share in known) / sum(n for n, _ in known) if known else math.nan

    @property
    def code_size(self) -> int:
        """Numbers of a code: L, or L times the places of the grid that it lies on."""
        return len(self.code_scale) or self.n_latent

    @property
    def objective(self) -> float:
        """Nats that the recipe is evaluated by: the negative ELBO; of a deterministic code the reconstruction alone."""
        return self.reconstruction if math.isnan(self.negative_elbo) else self.negative_elbo

    @property
    def gain(self) -> float:
        """Nats by which `objective` is below the baseline."""
        return self.baseline - self.objective


@dataclass(frozen=True, kw_only=True)
class FitFacts:
    """How a model came about."""

    held_out: bool = True  # whether the rows measured were held out of training
    n_independent: int = 0  # of the rows measured, that share no cell with one another; 0 where none do
    folds: int = 0  # of a cross-validation, in which all rows were held out in turn; 0 without one
    ended: str = ""  # "max_epochs", "early_stopping" or "interrupted"
    epochs: int = 0
    max_epochs: int = 0
    best_epoch: int = 0
    late_gain: float = math.nan  # nats that the objective fell by in the last quarter of the epochs; NaN after one
    seconds: float = 0.0
    recipe: str = ""
    conditional: bool = False  # encoder and decoder know a condition beside the code
    constant_columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Summary(Figures, FitFacts):
    """Figures of one fit, and how it came about: one flat record, as it is saved."""


def late_gain(history: Sequence[Mapping[str, Any]]) -> float:
    """Nats by which the best objective of a history lies below that at three quarters of its epochs."""
    objectives = [epoch["objective"] for epoch in history]
    return objectives[max(0, 3 * len(objectives) // 4 - 1)] - min(objectives) if len(objectives) > 1 else math.nan


def summarise(model: Autoencoder, train: Rows, test: Rows, noise_mask: Tensor, n_latent: int) -> Figures:
    """Figures of `model` on the raw rows `test`, with baselines fitted on the raw rows `train`."""
    some = slice(0, min(MAX_BASELINE_ROWS, max(500, BASELINE_CELLS // noise_mask.numel())))
    x = model.scaling(train[some].raw)
    baseline = Baseline(model.decode.likelihood, x, noise_mask)
    m = measure(model, test, baseline)
    on_training = measure(model, train[slice(0, TRAINING_ROWS)], baseline)
    numeric, categorical = baseline.numeric, baseline.categorical
    n_numeric, n_categorical = int(numeric.sum()), int(categorical.sum())
    known = x[:, numeric | categorical]
    variational = m.kl is not None
    pca = math.nan
    if n_numeric:
        weight = baseline.weight[numeric].sqrt()
        x_train, x_test = ((rows[:, numeric] * weight).cpu().numpy() for rows in (x, model.scaling(test[some].raw)))
        pca = pca_unexplained_variance(x_train, x_test, n_latent)
    return Figures(
        n_rows=len(test),
        n_latent=n_latent,
        n_numeric=n_numeric,
        n_categorical=n_categorical,
        n_values=baseline.n_values,
        cells="column" if x.ndim == 2 else "cell",
        unexplained_variance=_share(m.squares, m.baseline_squares),
        unexplained_categories=_share(m.wrong, m.baseline_wrong),
        pca_unexplained_variance=pca,
        unexplained_standard_error=_standard_error_of_unexplained(m, n_numeric, n_categorical),
        reconstruction=float(m.nats.mean()),
        categorical_reconstruction=float(m.categorical_nats.mean()) if n_categorical else math.nan,
        baseline=float(m.baseline_nats.mean()),
        categorical_baseline=float(m.baseline_categorical_nats.mean()) if n_categorical else math.nan,
        kl=math.nan if m.kl is None else float(m.kl.mean()),
        negative_elbo=float(m.objective.mean()) if variational else math.nan,
        kl_per_dimension=[] if m.kl_per_dimension is None else m.kl_per_dimension.mean(0).tolist(),
        active_units=int(active_units(m.codes.cpu().numpy()).sum()) if variational else -1,
        gain_standard_error=_standard_error(m.baseline_nats - m.objective),
        training_gain=float(on_training.gain.mean()),
        code_scale=m.codes.std(0, correction=0).tolist(),
        share_missing=float(known.isnan().float().mean()) if known.numel() else 0.0,
    )


def _share(errors: Tensor, of_baseline: Tensor) -> float:
    total = float(of_baseline.sum())
    return float(errors.sum()) / total if total > 0 else math.nan


def _standard_error(values: Tensor) -> float:
    return float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def _standard_error_of_unexplained(m: RowMeasures, n_numeric: int, n_categorical: int) -> float:
    """Of the weighted mean of the ratios sum e_i / sum b_i, errors e and b of the baseline in row i (delta method)."""
    parts = [(n_numeric, m.squares, m.baseline_squares), (n_categorical, m.wrong, m.baseline_wrong)]
    parts = [(n, e, b) for n, e, b in parts if n and b.sum() > 0]
    if not parts:
        return math.nan
    residuals = [n * (e - e.sum() / b.sum() * b) / b.mean() for n, e, b in parts]
    return _standard_error(torch.stack(residuals).sum(0) / sum(n for n, _, _ in parts))
