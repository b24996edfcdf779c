"""What a fitted model does on rows it was not trained on, in figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from hourglass.diagnostics.codes import active_units
from hourglass.model import Autoencoder
from hourglass.randomness import seeded
from hourglass.training.rows import Rows

PCA_ROWS = 5_000  # enough for two digits of the error
BATCH = 1024


@dataclass(frozen=True)
class Summary:
    """Figures of one fit. Errors are relative to the variance of the data, so that 1 is "says nothing" and 0 is exact.

    Where no cell is `of_numbers`, an error is a cell that comes back as another than it was, relative to those that
    the commonest value of each column gets wrong.

    `n_rows` rows were judged; `held_out` says whether the model was spared them. `code_scale` are the standard
    deviations of the code's dimensions. `kl` is the divergence of the posterior from the recipe's own prior; it is nan,
    `kl_per_dimension` (nats) empty and `active_units` -1 for deterministic codes. `kl_per_dimension` is empty too for
    priors whose divergence does not fall apart into dimensions.
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
    of_numbers: bool = True
    conditional: bool = False  # the decoder is told a condition beside the code


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


def baseline_of(x: Tensor, numeric: Tensor) -> Tensor:
    """What says nothing of rows x (N, *S): the mean of every cell, or where none is `numeric` its commonest value."""
    if bool(numeric.any()):
        return x.nanmean(0).nan_to_num(0.0)
    columns = (column[~column.isnan()] for column in x.flatten(1).T)
    return torch.stack([c.mode().values if len(c) else c.new_zeros(()) for c in columns]).view(x.shape[1:])


def errors(x: Tensor, made: Tensor, centre: Tensor, numeric: Tensor) -> tuple[Tensor, Tensor]:
    """Errors of `made` and of `centre` as x (B, *S), each (B, cells): squared ones of the `numeric` cells.

    Where none is numeric, 1 for a cell that is another. Missing cells have none.
    """
    if not bool(numeric.any()):
        return tuple(((x != y.round()) & ~x.isnan()).flatten(1).double() for y in (made, centre))  # type: ignore[return-value]
    cells = numeric.flatten()
    return tuple((x - y).flatten(1)[:, cells].double().square().nan_to_num(0.0) for y in (made, centre))  # type: ignore[return-value]


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

    Errors are those of the numeric cells, and PCA is given the same; where none is numeric there is no PCA.
    """
    of_numbers = bool(numeric.any())
    fitted_on = model.scaling(train)
    centre = baseline_of(fitted_on, numeric)
    log_probs, codes, divergences, divergences_per_dimension, seen = [], [], [], [], []
    error, total, known = 0.0, 0.0, 0
    for batch in judged.batches(BATCH):
        x, condition = model.scaling(batch.raw), batch.condition
        posterior = model.encode(x, condition)
        output = model.decode(posterior.mode, condition, posterior.shallow, tuple(x.shape[2:]))
        log_probs.append(output.log_prob(x))
        codes.append(posterior.mode.flatten(1))
        prior = model.encode.prior(condition)
        if prior is not None and hasattr(posterior, "log_prob"):
            with seeded(len(codes)):
                z = posterior.sample()
            divergences.append(prior.divergence(posterior, z))
            of_dimensions = prior.divergence_per_dimension(posterior, z)
            if of_dimensions is not None:
                divergences_per_dimension.append(of_dimensions.flatten(1))
        of_model, of_centre = errors(x, output.reconstruction, centre, numeric)
        error, total = error + float(of_model.sum()), total + float(of_centre.sum())
        cells = x[:, numeric] if of_numbers else x.flatten(1)
        known += int(cells.isfinite().sum())
        seen.append(cells.cpu().numpy())
    z = torch.cat(codes)
    per_dimension = torch.cat(divergences_per_dimension).mean(0).tolist() if divergences_per_dimension else []
    pca_error = math.nan
    if of_numbers:
        pca_error = pca_relative_error(fitted_on[:, numeric].cpu().numpy(), np.concatenate(seen), n_latent)
    return Summary(
        n_rows=len(judged),
        n_latent=n_latent,
        reconstruction=-float(torch.cat(log_probs).mean()),
        kl=float(torch.cat(divergences).mean()) if divergences else math.nan,
        relative_error=error / total if total > 0 else math.nan,
        error=error / max(1, known),
        pca_error=pca_error,
        of_numbers=of_numbers,
        kl_per_dimension=per_dimension,
        active_units=int(active_units(z.cpu().numpy()).sum()) if divergences else -1,
        code_scale=z.std(0, correction=0).tolist(),
        **facts,  # type: ignore[arg-type]
    )
