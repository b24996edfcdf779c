"""What a fitted model does on rows it was not trained on, in figures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from hourglass.diagnostics.codes import active_units
from hourglass.model import Autoencoder

MOST_ROWS = 5_000  # enough for every figure here to two digits
PCA_ROWS = 10_000


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


def _relative(x: np.ndarray, reconstruction: np.ndarray, centre: np.ndarray) -> tuple[float, float]:
    """(sum of squared errors / sum of squares about `centre`, mean squared error), NaN cells left out."""
    error = np.nansum(np.square(x - reconstruction))
    total = np.nansum(np.square(x - centre))
    return float(error / total) if total > 0 else float("nan"), float(error / max(1, np.isfinite(x).sum()))


def pca_relative_error(train: np.ndarray, test: np.ndarray, n_components: int, seed: int = 0) -> float:
    """Relative error on `test` (M, D) of a PCA of `n_components` fitted on `train` (N, D); 0 where it is exact."""
    from sklearn.decomposition import PCA

    most = min(train.shape)
    if n_components >= most:
        return 0.0 if most == train.shape[1] else float("nan")
    pca = PCA(n_components, svd_solver="randomized" if train.shape[1] > 500 else "auto", random_state=seed).fit(train)
    return _relative(test, pca.inverse_transform(pca.transform(test)), pca.mean_)[0]


@torch.no_grad()
def summarise(
    model: Autoencoder,
    train: tuple[Tensor, Tensor | None],
    judged: tuple[Tensor, Tensor | None],
    numeric: Tensor,
    n_latent: int,
    **facts: object,
) -> Summary:
    """The figures, from raw rows (N, *S) and their condition: `train` for what PCA is fitted on, `judged` to look at.

    Errors are those of the numeric cells, or of all cells where none is numeric; PCA is given the same cells.
    """
    raw, condition = (t if t is None else t[:MOST_ROWS] for t in judged)
    assert raw is not None
    x = model.scaling(raw)
    posterior = model.encode(x, condition)
    output = model.decode(posterior.mode, condition, posterior.shallow)
    cells = numeric.flatten() if bool(numeric.any()) else torch.ones_like(numeric).flatten()
    seen = x.flatten(1)[:, cells].double().cpu().numpy()
    made = output.reconstruction.flatten(1)[:, cells].double().cpu().numpy()
    fitted_on = model.scaling(train[0][:PCA_ROWS]).flatten(1)[:, cells].double().cpu().numpy()
    centre = np.nan_to_num(np.nanmean(fitted_on, axis=0)) if len(fitted_on) else np.zeros(seen.shape[1])
    relative, error = _relative(seen, made, centre)
    z = posterior.mode.flatten(1)
    kl_per_dimension: list[float] = []
    active, kl = -1, float("nan")
    if hasattr(posterior, "kl_per_dimension"):
        per_dimension = posterior.kl_per_dimension().flatten(1).mean(0)
        kl_per_dimension, kl = per_dimension.tolist(), float(per_dimension.sum())
        active = int(active_units(z.cpu().numpy()).sum())
    return Summary(
        n_rows=len(x),
        n_latent=n_latent,
        reconstruction=-float(output.log_prob(x).mean()),
        kl=kl,
        relative_error=relative,
        error=error,
        pca_error=_pca_with_missing(fitted_on, seen, n_latent),
        kl_per_dimension=kl_per_dimension,
        active_units=active,
        code_scale=z.std(0, correction=0).tolist(),
        **facts,  # type: ignore[arg-type]
    )


def _pca_with_missing(train: np.ndarray, test: np.ndarray, n_components: int) -> float:
    """PCA wants every cell: missing ones get the column's mean, and do not count in the error."""
    if len(train) < 2:
        return float("nan")
    mean = np.nan_to_num(np.nanmean(train, axis=0))
    filled = np.where(np.isnan(train), mean, train)
    if np.isfinite(test).all():
        return pca_relative_error(filled, test, n_components)
    from sklearn.decomposition import PCA

    if n_components >= min(train.shape):
        return float("nan")
    pca = PCA(n_components).fit(filled)
    return _relative(test, pca.inverse_transform(pca.transform(np.where(np.isnan(test), mean, test))), mean)[0]
