"""The likelihood of cells that never change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hourglass.likelihoods.gaussian import GaussianDistribution
from hourglass.likelihoods.likelihood import Likelihood, at_least_float32


@dataclass(frozen=True, eq=False, kw_only=True)
class ConstantDistribution(GaussianDistribution):
    """N(0, 1 / 2 pi), and `unseen` (S[0], 1, ...) nats at infinity."""

    unseen: Tensor

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """-pi x^2, per cell; a value that was not there at fit (infinity) counts as unseen."""
        unseen = torch.isinf(x)
        cells = super().cell_log_prob_observed(torch.where(unseen, 0.0, x))
        return torch.where(unseen, self.unseen.to(cells.dtype), cells)

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, x (B, *S) -> (*K, B)."""
        return self.cell_log_prob(x).flatten(-self.n_dims).sum(-1)


class ConstantCells(Likelihood):
    """Cells that are always 0 in model space, or else unseen, whatever the decoder puts out.

    ``ln p(x) = -pi sum_s x_s^2``: a density of 1 at 0, so that a cell that is as ever counts nothing. One that is not
    is infinity, an unseen value, so that a time stamp of another day does not drown the other columns. With a fitted
    variance in its place, the cells known exactly would drive that variance, and with it the weight of every other
    cell, without bound; a decoder that had to learn to say 0 would spend its first epochs on that.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S, and the parameters change nothing.
    missing : bool
        Whether x may have missing cells.
    """

    def __init__(self, shape: Sequence[int], missing: bool = False) -> None:
        super().__init__(shape, missing=missing, n_values=1)

    def forward(self, parameters: Tensor) -> ConstantDistribution:
        """parameters (*K, B, *S), of which only the shape is taken."""
        location = 0.0 * at_least_float32(parameters)  # part of the graph, with a gradient of zero
        return ConstantDistribution(
            location=location,
            log_variance=location.new_tensor(-math.log(2 * math.pi)),
            unseen=self.log_prob_unseen,
            n_dims=self.n_dims,
            missing=self.missing_counts,
        )

    def fit_baseline(self, x: Tensor) -> Tensor:
        """Zeros, (*S): the parameters change nothing."""
        return x.new_zeros(self.parameter_shape)
