"""What a fitted model does on rows it was not trained on, in figures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from hourglass.diagnostics.codes import active_units
from hourglass.model import Autoencoder
from hourglass.training.rows import Rows

PCA_ROWS = 5_000  # enough for two digits of the error
BATCH = 1024


@dataclass(frozen=True)
class Summary:
    """Figures of one fit. Errors are relative to the variance of the data, so that 1 is "says nothing" and 0 is exact.

    `n_rows` rows were judged; `held_out` says whether the model was spared them. `code_scale` are the standard
    deviations of the code's dimensions; `kl_per_dimension` (nats) and `active_units` are empty / -1 for deterministic
    codes.
    """

    n_rows: int
    held_out: bool
    n_latent: int
    reconstruction: float  # nats per sample
    kl: float  # nats per sample, nan without one
    relative_error: float
    error: float  # mean squared error per cell in model space
    pca_error: float  # relative error of PCA with as many components; nan where PCA has no meaning
    kl_per_dimension: list[float] = field(default_factory=list)
    active_units: int = -1
    code_scale: list[float] = field(default_factory=list)
    constant_columns: list[str] = field(default_factory=list)
    ended: str = ""
    epochs: int = 0
    max_epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0


def pca_relative_error(train: np.ndarray, test: np.ndarray, n_components: int, seed: int = 0) -> float:
    """Relative error on `test` (M, D) of a PCA of `n_components` fitted on `train` (N, D).

    A missing (NaN) cell is given to PCA as its column's mean, and does not count in the error. NaN where PCA has no
    meaning: as many components as columns, or as rows.
    """
    from sklearn.decomposition import PCA

    n_rows, n_columns = train.shape
    if n_components >= min(n_rows, n_columns):
        return float("nan")
    mean = np.nan_to_num(np.nanmean(train, axis=0))
    solver = "covariance_eigh" if n_columns <= 2048 else "randomized"
    pca = PCA(n_components, svd_solver=solver, random_state=seed).fit(_filled(train, mean))
    made = pca.inverse_transform(pca.transform(_filled(test, mean)))
    total = np.nansum(np.square(test - mean), dtype=np.float64)
    return float(np.nansum(np.square(test - made), dtype=np.float64) / total) if total > 0 else float("nan")


def _filled(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    missing = np.isnan(x)
    return np.where(missing, mean, x) if missing.any() else x


@torch.no_grad()
def summarise(
    model: Autoencoder,
    train: Tensor,
    judged: Rows,
    numeric: Tensor,
    n_latent: int,
    **facts: object,
) -> Summary:
    """The figures of raw rows: `train` (N, *S) is what PCA is fitted on, `judged` what is looked at.

    Errors are those of the numeric cells, or of all cells where none is numeric; PCA is given the same cells.
    """
    cells = numeric.flatten() if bool(numeric.any()) else torch.ones_like(numeric).flatten()
    fitted_on = model.scaling(train).flatten(1)[:, cells].cpu().numpy()
    centre = np.nan_to_num(np.nanmean(fitted_on, axis=0))
    log_probs, codes, divergences, seen = [], [], [], []
    squared_error = 0.0
    for raw, condition in judged.in_order(BATCH):
        x = model.scaling(raw)
        posterior = model.encode(x, condition)
        output = model.decode(posterior.mode, condition, posterior.shallow)
        log_probs.append(output.log_prob(x))
        codes.append(posterior.mode.flatten(1))
        if hasattr(posterior, "kl_per_dimension"):
            divergences.append(posterior.kl_per_dimension().flatten(1))
        seen.append(x.flatten(1)[:, cells].cpu().numpy())
        made = output.reconstruction.flatten(1)[:, cells].cpu().numpy()
        squared_error += float(np.nansum(np.square(seen[-1] - made), dtype=np.float64))
    x_seen, z = np.concatenate(seen), torch.cat(codes)
    total = float(np.nansum(np.square(x_seen - centre), dtype=np.float64))
    kl_per_dimension = torch.cat(divergences).mean(0).tolist() if divergences else []
    return Summary(
        n_rows=len(judged),
        n_latent=n_latent,
        reconstruction=-float(torch.cat(log_probs).mean()),
        kl=sum(kl_per_dimension) if kl_per_dimension else float("nan"),
        relative_error=squared_error / total if total > 0 else float("nan"),
        error=squared_error / max(1, int(np.isfinite(x_seen).sum())),
        pca_error=pca_relative_error(fitted_on, x_seen, n_latent),
        kl_per_dimension=kl_per_dimension,
        active_units=int(active_units(z.cpu().numpy()).sum()) if kl_per_dimension else -1,
        code_scale=z.std(0, correction=0).tolist(),
        **facts,  # type: ignore[arg-type]
    )
