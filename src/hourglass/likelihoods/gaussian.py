"""The Gaussian likelihood, its variance fitted: squared error with the right weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from hourglass.likelihoods.likelihood import Distribution, at_least_float32
from hourglass.likelihoods.location_scale import LocationScale


@dataclass(frozen=True, eq=False, kw_only=True)
class GaussianDistribution(Distribution):
    """N(location, exp(log_variance)): location (*K, B, *S), log_variance () or (S[0], 1, ...)."""

    location: Tensor
    log_variance: Tensor

    @property
    def mean(self) -> Tensor:
        """E[x], (*K, B, *S)."""
        return self.location

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """-((x - m)^2 / v + ln 2 pi v) / 2, per cell."""
        squared = (x - self.location).square()
        return -0.5 * (squared * torch.exp(-self.log_variance) + self.log_variance + math.log(2 * math.pi))

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, x (B, *S) -> (*K, B)."""
        if self.missing is not None or self.log_variance.ndim:
            return super().log_prob(x)
        # One variance: the sum of squares comes first, from one fused pass forward and one back (the hot path).
        x, location = at_least_float32(x), self.location
        if x.shape != location.shape:
            x, location = torch.broadcast_tensors(x, location)
        cells = math.prod(x.shape[-self.n_dims :])
        squared = F.mse_loss(location, x, reduction="none").sum(tuple(range(-self.n_dims, 0)))
        constant = -0.5 * cells * (self.log_variance + math.log(2 * math.pi))
        return squared * (-0.5 * torch.exp(-self.log_variance)) + constant

    def sample(self) -> Tensor:
        """One draw, (*K, B, *S)."""
        return self.location + torch.exp(0.5 * self.log_variance) * torch.randn_like(self.location)


class Gaussian(LocationScale):
    """Normal noise about the decoder's output, with the variance at its optimum (sigma-VAE).

    ``ln p(x) = -sum_s ((x_s - m_s)^2 / v + ln 2 pi v) / 2``, v the batch mean of ``(x - m)^2``. Leaving v at 1 weighs
    the error too little against a KL in nats, and the code collapses onto the prior.

    Parameters are those of `LocationScale`.
    """

    power: ClassVar[int] = 2
    deviation_of_scale: ClassVar[float] = 1.0

    @property
    def log_variance(self) -> Tensor:
        """ln v, () or (S[0], 1, ...)."""
        return 2 * self.log_scale

    def forward(self, parameters: Tensor) -> GaussianDistribution:
        """parameters (*K, B, *S), the mean."""
        return GaussianDistribution(
            location=at_least_float32(parameters),
            log_variance=self.log_variance,
            n_dims=self.n_dims,
            missing=self.missing_counts,
        )

    @staticmethod
    def errors(difference: Tensor) -> Tensor:
        return difference.square_()

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The mean of every cell, (*S); the variance becomes that of the rows about it."""
        mean = x.nanmean(0).nan_to_num(0.0)
        self.settle_scale(mean.expand_as(x), x)
        return mean
