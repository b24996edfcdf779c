"""What one fitted model does on the held-out rows of a comparison, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hourglass.diagnostics.summary import BASELINE_ROWS, summarise
from hourglass.estimators import Embedder
from hourglass.estimators.conditions import condition_tensor
from hourglass.randomness import seeded
from hourglass.readers import containers
from hourglass.training import Rows, threads


@dataclass(frozen=True)
class Examples:
    """Examples as the user has them, and their condition."""

    X: Any
    condition: Any = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, index: np.ndarray) -> Examples:
        return Examples(containers.take(self.X, index), containers.take(self.condition, index))


@torch.no_grad()
def evaluate(estimator: Embedder, train: Examples, judged: Examples) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Figures of the model, and of PCA with as many components (None where PCA has no meaning).

    `distortion` is the unexplained share of all cells (1 says nothing, 0 is exact) with its `standard_error` over the
    judged rows; `rate` the KL to the prior in nats per example, None for deterministic codes.
    """
    with seeded(estimator.seed_), threads(estimator.n_threads):
        figures = summarise(
            estimator.model_, _rows(estimator, train.take(np.arange(min(BASELINE_ROWS, len(train))))),
            _rows(estimator, judged), estimator.modality_.noise_mask(), estimator.n_latent_,
        )  # fmt: skip
    trained = estimator.summary_
    row = {
        "distortion": figures.unexplained,
        "standard_error": figures.unexplained_standard_error,
        "rate": None if math.isnan(figures.kl) else figures.kl,
        "reconstruction": figures.reconstruction,
        "active_units": figures.active_units if figures.active_units >= 0 else None,
        "epochs": trained.epochs,
        "ended": trained.ended,
        "seconds": round(trained.seconds, 3),
    }
    if math.isnan(figures.pca_unexplained_variance):
        return row, None
    pca: dict[str, Any] = dict.fromkeys(row)
    return row, {**pca, "distortion": figures.pca_unexplained_variance}


def _rows(estimator: Embedder, examples: Examples) -> Rows:
    raw = estimator.modality_.examples(examples.X).rows()
    return Rows(raw, condition_tensor(estimator.condition_, examples.condition, len(raw)))
