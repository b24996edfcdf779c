"""What can be predicted without a code, fitted on training rows: what every figure of a model is compared with."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor

from hourglass.likelihoods import Likelihood


class Baseline:
    """Constant predictions in model space: one distribution, and one value per cell, for all examples.

    A model that has collapsed, or learnt nothing, is as good as this; whatever the kind of data.

    Parameters
    ----------
    likelihood : the model's. A copy of it is fitted per cell with no code: means, frequencies, and its own variance.
    x : (N, *S) training rows in model space.
    noise_mask : (*S) bool, the cells that the modality calls numeric.

    Attributes
    ----------
    numeric, categorical : (*S) bool, the cells that vary in x and are compared by squared error, and as right or wrong.
    weight : (*S), what the squared error of a cell is multiplied by: 1 in standardised cells, 1 / variance in counts.
    values : (*S), the mean of every numeric cell, the most frequent value of every categorical one.
    n_values : the degrees of freedom of an example: 1 per numeric cell, one less than its values per categorical cell.
    """

    @torch.no_grad()
    def __init__(self, likelihood: Likelihood, x: Tensor, noise_mask: Tensor) -> None:
        self._likelihood = copy.deepcopy(likelihood)
        self._likelihood.mask_missing()
        self._parameters = self._likelihood.fit_baseline(x)
        varies = x.nan_to_num(-math.inf).amax(0) > x.nan_to_num(math.inf).amin(0)
        by_name = likelihood.categorical & ~noise_mask
        self.numeric, self.categorical = ~by_name & (varies | noise_mask), by_name & varies
        self.values, self.n_values = x.nanmean(0).nan_to_num(0.0), int(self.numeric.sum())
        self.weight = torch.ones_like(self.values)
        counts = self.numeric & ~noise_mask
        self.weight[counts] = 1 / (x[:, counts] - self.values[counts]).square().nanmean(0)
        for place in self.categorical.nonzero().tolist():
            cell = x[(slice(None), *place)]
            levels, counts = cell[~cell.isnan()].unique(return_counts=True)
            self.values[tuple(place)] = levels[counts.argmax()]
            self.n_values += len(levels) - 1

    def cell_log_prob(self, x: Tensor) -> Tensor:
        """Nats per cell of rows x (B, *S): (B, *S), 0 where a cell is missing."""
        return self._likelihood(self._parameters.expand(len(x), *self._parameters.shape)).cell_log_prob(x)


def pca_unexplained_variance(train: np.ndarray, test: np.ndarray, n_components: int, seed: int = 0) -> float:
    """Unexplained variance on `test` (M, D) of a PCA of `n_components` fitted on `train` (N, D).

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
    projected = pca.inverse_transform(pca.transform(_filled(test, mean)))
    total = np.nansum(np.square(test - mean), dtype=np.float64)
    return float(np.nansum(np.square(test - projected), dtype=np.float64) / total) if total > 0 else float("nan")


def _filled(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    missing = np.isnan(x)
    return np.where(missing, mean, x) if missing.any() else x
