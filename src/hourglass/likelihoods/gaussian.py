"""The Gaussian likelihood, its variance fitted: squared error with the right weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
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
        if self.missing or self.log_variance.ndim:
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


class Gaussian(Likelihood):
    """Normal noise about the decoder's output, with the variance at its optimum (sigma-VAE).

    ``ln p(x) = -sum_s ((x_s - m_s)^2 / v + ln 2 pi v) / 2``. The buffer ``log_variance`` is moved by ``update_scale``
    towards the batch mean of ``(x - m)^2``: with v at its optimum the gradient through v vanishes (envelope theorem,
    see ``noise_scale.py``), hence a buffer instead of a parameter. Leaving v at 1 weighs the error too little against a
    KL in nats, and the code collapses onto the prior.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S: the decoder puts out the mean.
    variance : "shared", "feature" or float
        One fitted variance; one per feature (axis 0 of S: columns, channels), fitted; or a fixed one, in model space.
    floor : float or sequence of float
        Least *standard deviation* of a fitted variance (the resolution of a column), one for all or one per feature. In
        any case a fitted variance stays above 1e-6. A fixed variance is taken as given.
    missing : bool
        Skip NaN cells of x.

    Source: Rybkin et al. 2021, arXiv:2006.13202.
    """

    log_variance: Tensor
    _least: Tensor

    def __init__(
        self, shape: Sequence[int], variance: NoiseScale = "shared", floor: Floor = 0.0, missing: bool = False
    ) -> None:
        super().__init__(shape, missing=missing)
        self.variance = checked_scale(variance, "variance")
        self.floor = checked_floor(floor, self.variance, self.shape[0])
        self.register_buffer("log_variance", initial_log_scale(self.variance, self.per_feature))
        self.register_buffer("_least", scale_floor(self.floor, self.variance, self.per_feature) ** 2, persistent=False)

    def forward(self, parameters: Tensor) -> GaussianDistribution:
        """parameters (*K, B, *S), the mean."""
        return GaussianDistribution(
            location=at_least_float32(parameters),
            log_variance=self.log_variance.clone(),  # adapt may move the buffer before this pass is differentiated
            n_dims=self.n_dims,
            missing=self.missing,
        )

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Move the variance towards the mean squared error of this batch."""
        if isinstance(self.variance, str):
            errors = (x - at_least_float32(parameters)).square_()
            self.log_variance.copy_(
                updated_log_scale(self.log_variance, errors, rate, self._least, self.n_dims, self.missing)
            )

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The mean of every cell, (*S); the variance becomes that of the rows about it."""
        mean = x.nanmean(0).nan_to_num(0.0)
        self.update_scale(mean.expand_as(x), x, 1.0)
        return mean

    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"shape": list(self.shape), "variance": self.variance, "floor": self.floor, "missing": self.missing}
