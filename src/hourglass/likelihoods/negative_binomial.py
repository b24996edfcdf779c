"""The negative binomial likelihood: counts that vary more than a Poisson's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hourglass.likelihoods.likelihood import Distribution, Likelihood, at_least_float32

MAX_LOG_MEAN = 40.0  # 2.4e17 counts: samples are drawn as whole numbers of 64 bits
BISECTIONS = 24
MIN_DISPERSION, MAX_DISPERSION = 1e-3, 1e8
LARGE_COUNT = 1e7  # from here on Stirling's formula has all digits of a double


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

        eta = ln mean, rho = ln r: no exponential of eta is taken, so that no decoder output overflows. The terms of
        large counts are large and cancel: they are taken in float64.
        """
        rho, counts = self.log_dispersion.double(), x.double()
        r, difference = rho.exp(), self.log_mean.double() - rho
        gammas = _log_gamma_ratio(counts, r) - torch.lgamma(r)
        cells = gammas - r * F.softplus(difference) - counts * F.softplus(-difference)
        return cells.to(self.log_mean.dtype)

    def sample(self) -> Tensor:
        """One draw of counts, (*K, B, *S): a Poisson whose rate is a gamma of mean exp(log_mean) and shape r."""
        with torch.no_grad():
            shape = self.log_dispersion.double().exp().expand_as(self.log_mean)
            rate = torch.distributions.Gamma(shape, shape / self.mean.double()).sample()
            return torch.poisson(rate).to(self.log_mean.dtype)


def _log_gamma_ratio(x: Tensor, r: Tensor) -> Tensor:
    """ln G(x + r) - ln G(x + 1), for x >= 0 without the cancellation of large counts."""
    large = x > LARGE_COUNT
    small = torch.where(large, 0.0, x)
    exact = torch.lgamma(small + r) - torch.lgamma(small + 1)
    if not bool(large.any()):
        return exact
    # (x + r - 1/2) ln(x + r) - (x + 1/2) ln(x + 1) - (r - 1), in another order
    stirling = (x + 0.5) * torch.log1p((r - 1) / (x + 1)) + (r - 1) * torch.log(x + r) - (r - 1)
    return torch.where(large, stirling, exact)


def _most_probable_dispersion(x: Tensor, mean: Tensor, total: Callable[[Tensor], Tensor]) -> Tensor:
    """r of each feature at the maximum of its likelihood, where the derivative is 0: by bisection of ln r."""
    low = torch.full_like(total(mean), math.log(MIN_DISPERSION))
    high = torch.full_like(low, math.log(MAX_DISPERSION))
    for _ in range(BISECTIONS):
        r = ((low + high) / 2).exp()
        slope = torch.digamma(x + r) - torch.digamma(r) - torch.log1p(mean / r) + (mean - x) / (mean + r)
        rises = total(slope) > 0
        low, high = torch.where(rises, r.log(), low), torch.where(rises, high, r.log())
    return ((low + high) / 2).exp()


class NegativeBinomial(Likelihood):
    """Counts 0, 1, 2, ... with mean exp(eta), and a dispersion r per feature that follows the batches.

    ``p(x) = G(x + r) / (G(r) x!) (r / (r + m))^r (m / (r + m))^x``; variance ``m + m^2 / r``; r -> infinity is the
    Poisson. x holds raw counts. ``eta = centre + scale * decoder output``, so that a decoder starts where the counts
    are, and moves by as much as they vary. ``update_scale`` moves 1 / r towards its optimum: learned by small steps
    from 1, r would not arrive where counts are in the thousands.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S.
    centre, scale : float or sequence of float
        Mean and standard deviation of the logarithm of the counts, one for all or one per feature.
    missing : bool
        Whether x may have missing cells.

    Source: Hilbe, "Negative Binomial Regression" (2011), the NB2 form; for autoencoders of counts Lopez et al. 2018
    (scVI, Nature Methods 15:1053).
    """

    log_dispersion: Tensor  # (S[0], 1, ...)
    _centre: Tensor
    _scale: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        centre: float | Sequence[float] = 0.0,
        scale: float | Sequence[float] = 1.0,
        missing: bool = False,
    ) -> None:
        super().__init__(shape, missing=missing)
        self.centre, self.scale = centre, scale
        for name in ("centre", "scale"):
            values = torch.as_tensor(getattr(self, name), dtype=torch.float32).expand(self.shape[0])
            self.register_buffer(f"_{name}", values.reshape(self.per_feature).clone(), persistent=False)
        self.register_buffer("log_dispersion", torch.zeros(self.per_feature, dtype=torch.float32))

    def forward(self, parameters: Tensor) -> NegativeBinomialDistribution:
        """parameters (*K, B, *S), the logarithm of the mean, standardised."""
        return NegativeBinomialDistribution(
            log_mean=self._centre + self._scale * at_least_float32(parameters),
            log_dispersion=self.log_dispersion.clone(),  # update_scale may move it before this pass is differentiated
            n_dims=self.n_dims,
            missing=self.missing_counts,
        )

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Move 1 / r towards its optimum on this batch, pooled over the cells of a feature.

        In training, where a running average is all that is needed, the optimum is estimated by moments: from
        var = m + m^2 / r, 1 / r = sum ((x - m)^2 - m) / sum m^2. At rate 1 it is that of the likelihood.
        """
        mean, counts = self(parameters).mean.double(), x.double()
        known = ~counts.isnan()
        axes = list(range(mean.ndim))
        del axes[-self.n_dims]

        def total(cells: Tensor) -> Tensor:
            """The sum over the known cells of a feature."""
            return torch.where(known, cells, 0.0).sum(axes).view(self.per_feature)

        before = (-self.log_dispersion.double()).exp()
        estimate = total((counts - mean).square() - mean) / total(mean.square())
        if rate == 1.0:
            estimate = _most_probable_dispersion(counts, mean, total).reciprocal()
        estimate = estimate.clamp(1 / MAX_DISPERSION, 1 / MIN_DISPERSION)
        estimate = torch.where(total(torch.ones_like(mean)) > 0, estimate, before)
        self.log_dispersion.copy_(-torch.lerp(before, estimate, rate).log())

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The log mean of every cell, (*S), half a count added; the dispersion of each feature by moments."""
        n = (~x.isnan()).sum(0)
        mean = (x.nansum(0) + 0.5) / n.clamp(min=1)
        parameters = (mean.log() - self._centre) / self._scale
        self.update_scale(parameters.expand_as(x), x, 1.0)
        return parameters
