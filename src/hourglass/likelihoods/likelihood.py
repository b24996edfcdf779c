"""What every likelihood is: a module that turns the decoder's parameters into a distribution over x.

Shapes: ``B`` batch, ``S`` the shape of one x, ``*K`` optional leading axes (several samples of the code per x). The
first axis of ``S`` holds the features: the columns of a table, the channels of a picture.

**What is not known.** A *missing* cell of x is NaN, a cell with a value that was not there at fit (*unseen*) is
infinity. In training a missing cell counts 0 nats, and there are no unseen ones. In a score, 0 nats would make a row
the more typical the less is known of it; so after training `fit_unknown` sets what they count. A missing cell counts
what its feature counts on average without a code. An unseen value has at most the probability of the rarest known one,
and at most ``1 / (n + K + 1)``, where n rows had K values.
"""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False, kw_only=True)
class Distribution(ABC):
    """A distribution over x, independent from cell to cell given its parameters.

    A cell is one entry of x. ``n_dims`` is the number of axes of S. ``missing`` (S[0], 1, ...) is what a missing cell
    (NaN) counts, in nats; where it is None, such cells make the result NaN.
    """

    n_dims: int
    missing: Tensor | None = None

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
        """Nats per cell, x (B, *S) -> (*K, B, *S); `missing` where x is NaN."""
        if self.missing is None:
            return self.cell_log_prob_observed(x)
        known = ~torch.isnan(x)
        # 0 lies in the support of every likelihood here; a NaN left in x would turn the gradient of its cell into NaN.
        cells = self.cell_log_prob_observed(torch.where(known, x, 0.0))
        return torch.where(known, cells, self.missing.to(cells.dtype))

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, summed over all of S: x (B, *S) -> (*K, B)."""
        return self.cell_log_prob(x).flatten(-self.n_dims).sum(-1)


class Likelihood(nn.Module, ABC):
    """Maps parameters (*K, B, *parameter_shape), the decoder's output, to a distribution over x.

    The constructor's arguments are kept as attributes of the same names: ``options()`` is read off them.

    Parameters
    ----------
    shape : sequence of int
        S, the shape of one x; at least one axis, features (columns, channels) first.
    parameters_per_cell : int
        How many numbers describe one cell; they lie along the first axis of ``parameter_shape``.
    missing : bool
        Whether x may have missing cells.
    n_values : int or None
        How many values a cell can have, where they are counted: such cells may be unseen.
    """

    shape: tuple[int, ...]
    parameter_shape: tuple[int, ...]
    missing: bool
    log_prob_missing: Tensor  # (S[0], 1, ...) nats
    log_prob_unseen: Tensor  # the same, where values are counted

    def __init__(
        self, shape: Any, parameters_per_cell: int = 1, missing: bool = False, n_values: int | None = None
    ) -> None:
        super().__init__()
        self.shape = tuple(int(n) for n in shape)
        if not self.shape or min(self.shape) < 1:
            raise ValueError(f"shape={shape!r}: give the shape of one x, at least one axis, every length at least 1.")
        self.parameter_shape = (parameters_per_cell * self.shape[0], *self.shape[1:])
        self.missing = bool(missing)
        self.n_values = n_values
        self.register_buffer("log_prob_missing", torch.zeros(self.per_feature, dtype=torch.float32))
        if n_values is not None:
            self.register_buffer("log_prob_unseen", torch.zeros(self.per_feature, dtype=torch.float32))

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

    @property
    def missing_counts(self) -> Tensor | None:
        """What a distribution's `missing` is."""
        return self.log_prob_missing if self.missing else None

    def mask_missing(self) -> None:
        """Bear missing cells from now on: training on complete data needs no masks, the rows to come may."""
        for part in self.modules():
            if isinstance(part, Likelihood):
                part.missing = True

    @torch.no_grad()
    def fit_unknown(self, x: Tensor, n: int) -> None:
        """Set what missing and unseen cells count, from training rows x (M, *S) of n in all; see above."""
        baseline = copy.deepcopy(self)
        baseline.mask_missing()
        baseline.log_prob_missing.zero_()
        parameters = baseline.fit_baseline(x)
        cells = baseline(parameters.expand(len(x), *parameters.shape)).cell_log_prob(x)
        known = ~x.isnan()
        axes = [axis for axis in range(x.ndim) if axis != 1]
        total, count = (each.sum(axes).view(self.per_feature) for each in (cells, known))
        self.log_prob_missing.copy_(total / count.clamp(min=1))
        if self.n_values is not None:
            share = known.flatten(2).any(2) if x.ndim > 2 else known
            rows = share.double().mean(0).view(self.per_feature) * n
            self.log_prob_unseen.copy_(-(rows + self.n_values + 1).log())

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Move fitted buffers (a variance) towards their optimum on this batch: v <- (1 - rate) v + rate v_batch.

        parameters (*K, B, *parameter_shape), x (B, *S), 0 <= rate <= 1. Most likelihoods have none.
        """

    @torch.no_grad()
    def settle_scale(self, parameters: Tensor, x: Tensor) -> None:
        """Set fitted buffers once training is over, to their optimum on these rows, which were not trained on."""
        self.update_scale(parameters, x, 1.0)

    @abstractmethod
    def fit_baseline(self, x: Tensor) -> Tensor:
        """Fit this likelihood to rows x (N, *S) without a code: the best constant decoder output, (*parameter_shape).

        What is fitted besides (a variance, a dispersion) is set in place, to its optimum at that output. NaN cells are
        left out where the likelihood was built with ``missing``.
        """

    def regression_target(self, x: Tensor) -> Tensor | None:
        """Parameters (N, *parameter_shape) for rows x (N, *S): a linear decoder fitted to them by least squares starts
        near its best; None where there are none such."""
        return None

    @property
    def categorical(self) -> Tensor:
        """(*S) bool: the cells whose values are names, one of two or of more, which are right or wrong and not near."""
        return torch.zeros(self.shape, dtype=torch.bool)

    def options(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON has them: ``type(l)(**l.options())`` builds the same module."""
        values = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_options(cls, options: Mapping[str, Any], custom: Mapping[str, type[Likelihood]]) -> Likelihood:
        """Build from ``options()``; ``custom`` holds likelihoods of the caller's own, for one that contains others."""
        return cls(**options)


LIKELIHOODS: dict[str, type[Likelihood]] = {}  # those of this package by name; filled where they are exported


def at_least_float32(parameters: Tensor) -> Tensor:
    """Half-precision parameters as float32: a sum of hundreds of log-probabilities needs its digits."""
    return parameters.to(torch.promote_types(parameters.dtype, torch.float32))
