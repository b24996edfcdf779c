"""The Laplace likelihood, its scale fitted: absolute error, which outliers pull less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hourglass.likelihoods.likelihood import Distribution, Likelihood, at_least_float32
from hourglass.likelihoods.noise_scale import (
    Floor,
    NoiseScale,
    checked_floor,
    checked_scale,
    initial_log_scale,
    scale_floor,
    updated_log_scale,
)


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


def scale_of(variance: NoiseScale) -> NoiseScale:
    """The scale b of the Laplace of that variance, 2 b^2; a fitted one stays to be fitted."""
    return variance if isinstance(variance, str) else math.sqrt(variance / 2)


class Laplace(Likelihood):
    """Double-exponential noise about the decoder's output, with the scale at its optimum.

    ``ln p(x) = -sum_s (|x_s - m_s| / b + ln 2b)``. The buffer ``log_scale`` is moved by ``update_scale`` towards the
    batch mean of ``|x - m|``, where the gradient through b vanishes (see ``noise_scale.py``).

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S: the decoder puts out the location.
    scale : "shared", "feature" or float
        One fitted scale; one per feature (axis 0 of S: columns, channels), fitted; or a fixed one, in model space.
    floor : float or sequence of float
        Least *standard deviation*, sqrt(2) b, of a fitted scale, one for all or one per feature. In any case a fitted
        deviation stays above 1e-3. A fixed scale is taken as given.
    missing : bool
        Skip NaN cells of x.
    """

    log_scale: Tensor
    _least: Tensor

    def __init__(
        self, shape: Sequence[int], scale: NoiseScale = "shared", floor: Floor = 0.0, missing: bool = False
    ) -> None:
        super().__init__(shape, missing=missing)
        self.scale = checked_scale(scale, "scale")
        self.floor = checked_floor(floor, self.scale, self.shape[0])
        self.register_buffer("log_scale", initial_log_scale(self.scale, self.per_feature))
        least = scale_floor(self.floor, self.scale, self.per_feature) / math.sqrt(2)
        self.register_buffer("_least", least, persistent=False)

    def forward(self, parameters: Tensor) -> LaplaceDistribution:
        """parameters (*K, B, *S), the location."""
        return LaplaceDistribution(
            location=at_least_float32(parameters),
            log_scale=self.log_scale.clone(),  # adapt may move the buffer before this pass is differentiated
            n_dims=self.n_dims,
            missing=self.missing,
        )

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Move the scale towards the mean absolute error of this batch."""
        if isinstance(self.scale, str):
            errors = (x - at_least_float32(parameters)).abs_()
            self.log_scale.copy_(
                updated_log_scale(self.log_scale, errors, rate, self._least, self.n_dims, self.missing)
            )

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The median of every cell, (*S); the scale becomes the mean distance of the rows from it."""
        median = x.nanmedian(0).values.nan_to_num(0.0)
        self.update_scale(median.expand_as(x), x, 1.0)
        return median

    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"shape": list(self.shape), "scale": self.scale, "floor": self.floor, "missing": self.missing}
