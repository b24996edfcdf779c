"""The Laplace likelihood, its scale fitted: absolute error, which outliers pull less."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hourglass.likelihoods.likelihood import Distribution, at_least_float32
from hourglass.likelihoods.location_scale import LocationScale


@dataclass(frozen=True, eq=False, kw_only=True)
class LaplaceDistribution(Distribution):
    """Laplace(location, exp(log_scale)): location (*K, B, *S), log_scale () or (S[0], 1, ...)."""

    location: Tensor
    log_scale: Tensor

    @property
    def mean(self) -> Tensor:
        """E[x], which is the median too, (*K, B, *S)."""
        return self.location

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """-|x - m| / b - ln 2b, per cell."""
        return -(x - self.location).abs() * torch.exp(-self.log_scale) - self.log_scale - math.log(2.0)

    def sample(self) -> Tensor:
        """One draw, (*K, B, *S): an exponential of random sign."""
        sign = torch.randint_like(self.location, 2) * 2 - 1
        return self.location + torch.exp(self.log_scale) * sign * torch.empty_like(self.location).exponential_()


class Laplace(LocationScale):
    """Double-exponential noise about the decoder's output, with the scale at its optimum.

    ``ln p(x) = -sum_s (|x_s - m_s| / b + ln 2b)``, b the batch mean of ``|x - m|``. The variance is ``2 b^2``.

    Parameters are those of `LocationScale`.
    """

    power: ClassVar[int] = 1
    deviation_of_scale: ClassVar[float] = math.sqrt(2)

    def forward(self, parameters: Tensor) -> LaplaceDistribution:
        """parameters (*K, B, *S), the location."""
        return LaplaceDistribution(
            location=at_least_float32(parameters),
            log_scale=self.log_scale.clone(),  # update_scale may move the buffer before this pass is differentiated
            n_dims=self.n_dims,
            missing=self.missing_counts,
        )

    @staticmethod
    def errors(difference: Tensor) -> Tensor:
        return difference.abs_()

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The median of every cell, (*S); the scale becomes the mean distance of the rows from it."""
        median = x.nanmedian(0).values.nan_to_num(0.0)
        self.settle_scale(median.expand_as(x), x)
        return median
