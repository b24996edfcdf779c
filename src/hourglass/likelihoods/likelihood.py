"""What every likelihood is: a module that turns the decoder's parameters into a distribution over x.

Shapes: ``B`` batch, ``S`` the shape of one x, ``*K`` optional leading axes (several samples of the code per x). The
first axis of ``S`` holds the features: the columns of a table, the channels of a picture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False, kw_only=True)
class Distribution(ABC):
    """A distribution over x, independent from cell to cell given its parameters.

    A cell is one entry of x. ``n_dims`` is the number of axes of S. Where ``missing`` is set, NaN cells of x are
    unknown and contribute nothing; where it is not, they make the result NaN.
    """

    n_dims: int
    missing: bool = False

    @abstractmethod
    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """ln p of each cell, for x (B, *S) without missing cells -> (*K, B, *S)."""

    @property
    @abstractmethod
    def mean(self) -> Tensor:
        """E[x], (*K, B, *S)."""

    @abstractmethod
    def sample(self) -> Tensor:
        """One draw of x, (*K, B, *S), from torch's global generator: the caller seeds."""

    @property
    def reconstruction(self) -> Tensor:
        """The single x to show, (*K, B, *S): the mean; the mode for categories."""
        return self.mean

    def cell_log_prob(self, x: Tensor) -> Tensor:
        """Nats per cell, x (B, *S) -> (*K, B, *S); 0 where x is missing."""
        if not self.missing:
            return self.cell_log_prob_observed(x)
        seen = ~torch.isnan(x)
        # 0 lies in the support of every likelihood here; a NaN left in x would turn the gradient of its cell into NaN.
        cells = self.cell_log_prob_observed(torch.where(seen, x, 0.0))
        return torch.where(seen, cells, 0.0)

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, summed over all of S: x (B, *S) -> (*K, B)."""
        return self.cell_log_prob(x).flatten(-self.n_dims).sum(-1)


class Likelihood(nn.Module, ABC):
    """Maps parameters (*K, B, *parameter_shape), the decoder's output, to a distribution over x.

    Parameters
    ----------
    shape : sequence of int
        S, the shape of one x; at least one axis, features (columns, channels) first.
    parameters_per_cell : int
        How many numbers describe one cell; they lie along the first axis of ``parameter_shape``.
    missing : bool
        Whether NaN cells of x are skipped.
    """

    shape: tuple[int, ...]
    parameter_shape: tuple[int, ...]
    missing: bool

    def __init__(self, shape: Any, parameters_per_cell: int = 1, missing: bool = False) -> None:
        super().__init__()
        self.shape = tuple(int(n) for n in shape)
        if not self.shape or min(self.shape) < 1:
            raise ValueError(f"shape={shape!r}: give the shape of one x, at least one axis, every length at least 1.")
        self.parameter_shape = (parameters_per_cell * self.shape[0], *self.shape[1:])
        self.missing = bool(missing)

    @property
    def n_dims(self) -> int:
        """Number of axes of S."""
        return len(self.shape)

    @property
    def per_feature(self) -> tuple[int, ...]:
        """The shape that holds one number per feature and broadcasts against x: (S[0], 1, ...)."""
        return (self.shape[0], *(1 for _ in self.shape[1:]))

    @abstractmethod
    def forward(self, parameters: Tensor) -> Distribution:
        """The distribution of x, from parameters (*K, B, *parameter_shape)."""

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Move fitted buffers (a variance) towards their optimum on this batch: v <- (1 - rate) v + rate v_batch.

        parameters (*K, B, *parameter_shape), x (B, *S), 0 <= rate <= 1. Most likelihoods have none.
        """

    @abstractmethod
    def fit_baseline(self, x: Tensor) -> Tensor:
        """Fit this likelihood to rows x (N, *S) without a code: the best constant decoder output, (*parameter_shape).

        What is fitted besides (a variance, a dispersion) is set in place, to its optimum at that output. NaN cells are
        left out where the likelihood was built with ``missing``.
        """

    @property
    def categorical(self) -> Tensor:
        """(*S) bool: the cells whose values are names, one of two or of more, which are right or wrong and not near."""
        return torch.zeros(self.shape, dtype=torch.bool)

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON has them: ``type(l)(**l.options())`` builds the same module."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any], parts: Mapping[str, type[Likelihood]]) -> Likelihood:
        """Build from ``options()``; ``custom`` holds likelihoods of the caller's own, for one that contains others."""
        return cls(**options)


def at_least_float32(parameters: Tensor) -> Tensor:
    """Half-precision parameters as float32: a sum of hundreds of log-probabilities needs its digits."""
    return parameters.to(torch.promote_types(parameters.dtype, torch.float32))
