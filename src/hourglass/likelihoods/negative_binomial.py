"""The negative binomial likelihood: counts that vary more than a Poisson's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hourglass.likelihoods.likelihood import Distribution, Likelihood, at_least_float32

MAX_LOG_MEAN = 20.0  # 4.9e8 counts: above it means and samples leave float32's integers long behind

MAX_DISPERSION = 1e4


@dataclass(frozen=True, eq=False, kw_only=True)
class NegativeBinomialDistribution(Distribution):
    """NB with mean exp(log_mean) (*K, B, *S) and variance mean + mean^2 / r, r = exp(log_dispersion) (S[0], 1, ...)."""

    log_mean: Tensor
    log_dispersion: Tensor

    @property
    def mean(self) -> Tensor:
        """E[x], counts, (*K, B, *S)."""
        return self.log_mean.clamp(max=MAX_LOG_MEAN).exp()

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """ln G(x + r) - ln G(r) - ln G(x + 1) - r softplus(eta - rho) - x softplus(rho - eta), per cell.

        eta = ln mean, rho = ln r: no exponential of eta is taken, so that no decoder output overflows. The gammas do
        not depend on the decoder and cancel to a small difference of large numbers: they are taken in float64.
        """
        rho = self.log_dispersion
        r, counts = rho.double().exp(), x.double()
        gammas = torch.lgamma(counts + r) - torch.lgamma(r) - torch.lgamma(counts + 1)
        difference = self.log_mean - rho
        return gammas.to(difference.dtype) - rho.exp() * F.softplus(difference) - x * F.softplus(-difference)

    def sample(self) -> Tensor:
        """One draw of counts, (*K, B, *S): a Poisson whose rate is a gamma of mean exp(log_mean) and shape r."""
        with torch.no_grad():
            shape = self.log_dispersion.exp().expand_as(self.log_mean)
            return torch.poisson(torch.distributions.Gamma(shape, shape / self.mean).sample())


class NegativeBinomial(Likelihood):
    """Counts 0, 1, 2, ... with mean exp(eta), eta the decoder's output, and a learnt dispersion per feature.

    ``p(x) = G(x + r) / (G(r) x!) (r / (r + m))^r (m / (r + m))^x``; variance ``m + m^2 / r``; r -> infinity is the
    Poisson. x holds raw counts. The dispersion is a parameter, ``log_dispersion``, and not a buffer as the variance of
    the Gaussian is: its optimum has no closed form.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S: the decoder puts out the logarithm of the mean.
    missing : bool
        Skip NaN cells of x.

    Source: Hilbe, "Negative Binomial Regression" (2011), the NB2 form; for autoencoders of counts Lopez et al. 2018
    (scVI, Nature Methods 15:1053).
    """

    def __init__(self, shape: Sequence[int], missing: bool = False) -> None:
        super().__init__(shape, missing=missing)
        self.log_dispersion = nn.Parameter(torch.zeros(self.per_feature, dtype=torch.float32))

    def forward(self, parameters: Tensor) -> NegativeBinomialDistribution:
        """parameters (*K, B, *S), the logarithm of the mean."""
        return NegativeBinomialDistribution(
            log_mean=at_least_float32(parameters),
            log_dispersion=self.log_dispersion,
            n_dims=self.n_dims,
            missing=self.missing_counts,
        )

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The log mean of every cell, (*S), half a count added; the dispersion of each feature by moments.

        From var = m + m^2 / r, pooled over the cells of a feature: r = sum m^2 / sum (var - m); where the variance is
        not above the mean, the largest r, which is a Poisson to four digits.
        """
        n = (~x.isnan()).sum(0)
        mean = (x.nansum(0) + 0.5) / n.clamp(min=1)
        excess = (x - mean).square().nanmean(0).nan_to_num(0.0) - mean
        squares, excess = (values.reshape(self.shape[0], -1).sum(1) for values in (mean.square(), excess))
        r = torch.where(excess > squares / MAX_DISPERSION, squares / excess, MAX_DISPERSION)
        self.log_dispersion.copy_(r.log().view(self.per_feature))
        return mean.log()
