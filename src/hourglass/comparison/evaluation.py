"""What one fitted model does on the held-out rows of a comparison, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hourglass.diagnostics.summary import PCA_ROWS, baseline_of, errors, summarise
from hourglass.estimators import Embedder
from hourglass.estimators.conditions import condition_tensor
from hourglass.modalities.columns import frame_kind
from hourglass.randomness import seeded
from hourglass.training import Rows, threads

BATCH = 1024


def _taken(values: Any, index: np.ndarray) -> Any:
    if values is None:
        return None
    kind = frame_kind(values)
    if kind == "arrow":
        return values.take(index)
    if kind == "pandas" or hasattr(values, "iloc"):
        return values.iloc[index]
    return values[index] if kind == "polars" or hasattr(values, "to_frame") else np.asarray(values)[index]


@dataclass(frozen=True)
class Examples:
    """Examples as the user has them, and their condition."""

    X: Any
    condition: Any = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, index: np.ndarray) -> Examples:
        return Examples(_taken(self.X, index), _taken(self.condition, index))


@torch.no_grad()
def evaluate(estimator: Embedder, train: Examples, judged: Examples) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Figures of the model, and of PCA with as many components (None where PCA has no meaning).

    `distortion` is the relative error (1 says nothing, 0 is exact) with its `standard_error` over the judged rows;
    `rate` the KL to the prior in nats an example, None for deterministic codes.
    """
    raw = estimator.modality_.tensor(judged.X)
    rows = Rows(raw, condition_tensor(estimator.condition_, judged.condition, len(raw)))
    fitted_on = estimator.modality_.tensor(train.take(np.arange(min(PCA_ROWS, len(train)))).X)
    with seeded(estimator.seed_), threads(estimator.n_threads):
        summary = summarise(
            estimator.model_, fitted_on, rows, estimator.modality_.noise_mask(), estimator.n_latent_, held_out=True
        )
    trained = estimator.summary_
    row = {
        "distortion": summary.relative_error,
        "standard_error": _standard_error(estimator, fitted_on, rows),
        "rate": None if math.isnan(summary.kl) else summary.kl,
        "reconstruction": summary.reconstruction,
        "active_units": summary.active_units if summary.active_units >= 0 else None,
        "epochs": trained.epochs,
        "ended": trained.ended,
        "seconds": round(trained.seconds, 3),
    }
    if math.isnan(summary.pca_error):
        return row, None
    pca: dict[str, Any] = dict.fromkeys(row)
    return row, {**pca, "distortion": summary.pca_error}


def _standard_error(estimator: Embedder, fitted_on: torch.Tensor, rows: Rows) -> float:
    """Of the ratio sum e_i / sum t_i of errors e and those of the centre t, over rows i (delta method)."""
    model, numeric = estimator.model_, estimator.modality_.noise_mask()
    centre = baseline_of(model.scaling(fitted_on), numeric)
    e: list[torch.Tensor] = []
    t: list[torch.Tensor] = []
    for batch in rows.batches(BATCH):
        x = model.scaling(batch.raw)
        made = model.reconstruct(x, batch.condition).reconstruction
        for kept, each in zip((e, t), errors(x, made, centre, numeric), strict=True):
            kept.append(each.sum(1))
    own, distances = torch.cat(e), torch.cat(t)
    total = distances.sum()
    if not total > 0:
        return math.nan
    residual = own - own.sum() / total * distances
    return float(residual.std() * math.sqrt(len(own)) / total)
