"""The likelihood of cells that never change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from hourglass.likelihoods.gaussian import GaussianDistribution
from hourglass.likelihoods.likelihood import Likelihood, at_least_float32


class ConstantCells(Likelihood):
    """Cells that are always 0 in model space: normal noise about 0, whatever the decoder puts out.

    ``ln p(x) = -pi sum_s x_s^2``: a density of 1 at 0, so that a cell that is as ever costs nothing, and one that is
    not is the less likely the further off it lies. With a fitted variance in its place, the cells known exactly would
    drive that variance, and with it the weight of every other cell, without bound; a decoder that had to learn to
    say 0 would spend its first epochs on that.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S, and the parameters change nothing.
    missing : bool
        Skip NaN cells of x.
    """

    def __init__(self, shape: Sequence[int], missing: bool = False) -> None:
        super().__init__(shape, missing=missing)

    def forward(self, parameters: Tensor) -> GaussianDistribution:
        """parameters (*K, B, *S), of which only the shape is taken."""
        location = 0.0 * at_least_float32(parameters)  # part of the graph, with a gradient of zero
        return GaussianDistribution(
            location=location,
            log_variance=location.new_tensor(-math.log(2 * math.pi)),
            n_dims=self.n_dims,
            missing=self.missing,
        )

    def fit_baseline(self, x: Tensor) -> Tensor:
        """Zeros, (*S): the parameters change nothing."""
        return x.new_zeros(self.parameter_shape)

    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"shape": list(self.shape), "missing": self.missing}
