"""The Bernoulli likelihood: binary cross-entropy, for cells of two values or of levels from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hourglass.likelihoods.likelihood import Distribution, Likelihood, at_least_float32


@dataclass(frozen=True, eq=False, kw_only=True)
class BernoulliDistribution(Distribution):
    """Bernoulli(sigmoid(logits)): logits (*K, B, *S)."""

    logits: Tensor
    unseen: Tensor  # (S[0], 1, ...) nats

    @property
    def mean(self) -> Tensor:
        """P(x = 1), (*K, B, *S)."""
        return torch.sigmoid(at_least_float32(self.logits))

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """x l - softplus(l), per cell; an unseen value (infinity) counts no more than the rarer of the two."""
        logits = at_least_float32(self.logits)
        unseen = torch.isinf(x)
        cells = torch.where(unseen, 0.0, x) * logits - F.softplus(logits)
        return torch.where(unseen, torch.minimum(-F.softplus(logits.abs()), self.unseen.to(cells.dtype)), cells)

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, x (B, *S) -> (*K, B)."""
        if self.missing is not None:
            return super().log_prob(x)
        logits = at_least_float32(self.logits).flatten(-self.n_dims)
        x = x.to(logits.dtype).flatten(-self.n_dims)
        return torch.linalg.vecdot(x, logits) - F.softplus(logits).sum(-1)

    def sample(self) -> Tensor:
        """One draw of zeros and ones, (*K, B, *S)."""
        return torch.bernoulli(self.mean)


class Bernoulli(Likelihood):
    """Independent binary cells, from logits.

    ``ln p(x) = sum_s x_s l_s - softplus(l_s)``. x lies in [0, 1]. For x strictly between 0 and 1 this is the
    cross-entropy of a coin that falls on 1 with probability x (the bound used for grey pictures), no density: compare
    it with nothing but itself.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S: the decoder puts out logits.
    missing : bool
        Whether x may have missing cells.
    """

    def __init__(self, shape: Sequence[int], missing: bool = False) -> None:
        super().__init__(shape, missing=missing, n_values=2)

    def forward(self, parameters: Tensor) -> BernoulliDistribution:
        """parameters (*K, B, *S), the logits."""
        return BernoulliDistribution(
            logits=parameters, unseen=self.log_prob_unseen, n_dims=self.n_dims, missing=self.missing_counts
        )

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The logit of every cell's frequency of ones, (*S), half a one and half a zero added.

        Source: Krichevsky and Trofimov 1981, doi:10.1109/TIT.1981.1056331: no value gets the probability zero.
        """
        ones, n = x.nansum(0), (~x.isnan()).sum(0)
        return torch.log(ones + 0.5) - torch.log(n - ones + 0.5)

    def regression_target(self, x: Tensor) -> Tensor | None:
        """b + 4 (x - p), with p the mean of every cell and b its logit: linear logits fitted to it are more likely than
        b for certain, because ln p(x) curves by at most 1/4.

        Source: de Leeuw 2006, doi:10.1016/j.csda.2004.07.010: logistic PCA by majorisation, its first step.
        """
        return None if self.missing else self.fit_baseline(x) + 4.0 * (x - x.mean(0))

    @property
    def categorical(self) -> Tensor:
        """All cells are one of two values."""
        return torch.ones(self.shape, dtype=torch.bool)
