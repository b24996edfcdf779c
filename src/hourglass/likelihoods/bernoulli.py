"""The Bernoulli likelihood: binary cross-entropy, for two-valued data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from hourglass.likelihoods.likelihood import Distribution, Likelihood, at_least_float32


class _SummedLogProb(Function):
    """sum_d x_d l_d - softplus(l_d), x (..., D) and logits l (..., D) of one shape -> (...).

    softplus is the dear part: ``softplus(l) = (l + |l|) / 2 - ln sigmoid(|l|)``, and a sigmoid of |l| is at least 1/2,
    so up to 2^6 of them can be multiplied before one logarithm is taken of the product (2^-64 is a normal float32).
    A tenth faster than F.binary_cross_entropy_with_logits on (512, 784), forward and backward
    (``python benchmarks/bernoulli_log_prob.py`` prints both). The backward pass is made of differentiable
    operations on the inputs, so second derivatives exist.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, logits: Tensor) -> Tensor:
        logits = at_least_float32(logits)
        size = logits.abs()
        total = (x * logits).sum(-1) if x.dtype != logits.dtype else torch.linalg.vecdot(x, logits)
        total = total - 0.5 * (logits.sum(-1) + size.sum(-1))
        product = size.sigmoid_()
        width, halvings = product.shape[-1], 0
        while width % 2 == 0 and halvings < 6:
            width, halvings = width // 2, halvings + 1
            product = product[..., :width].mul_(product[..., width:])
        return total + product.log().sum(-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, logits = ctx.saved_tensors
        grad = grads[0][..., None]
        for_x = logits * grad if ctx.needs_input_grad[0] else None
        for_logits = (x - torch.sigmoid(at_least_float32(logits))).mul_(grad) if ctx.needs_input_grad[1] else None
        return for_x, None if for_logits is None else for_logits.to(logits.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class BernoulliDistribution(Distribution):
    """Bernoulli(sigmoid(logits)): logits (*K, B, *S)."""

    logits: Tensor

    @property
    def mean(self) -> Tensor:
        """P(x = 1), (*K, B, *S)."""
        return torch.sigmoid(at_least_float32(self.logits))

    def log_prob_of_seen(self, x: Tensor) -> Tensor:
        """x l - softplus(l), per cell."""
        logits = at_least_float32(self.logits)
        return x * logits - F.softplus(logits)

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, x (B, *S) -> (*K, B)."""
        if self.missing:
            return super().log_prob(x)
        x, logits = torch.broadcast_tensors(x, self.logits)
        return _SummedLogProb.apply(x.flatten(-self.n_dims), logits.flatten(-self.n_dims))

    def sample(self) -> Tensor:
        """One draw of zeros and ones, (*K, B, *S)."""
        return torch.bernoulli(self.mean)


class Bernoulli(Likelihood):
    """Independent binary cells, from logits.

    ``ln p(x) = sum_s x_s l_s - softplus(l_s)``. x lies in [0, 1]. For x strictly between 0 and 1 this is the
    cross-entropy of a coin that falls on 1 with probability x (the bound used for grey pictures), no density: compare
    it with nothing but itself.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S: the decoder puts out logits.
    missing : bool
        Skip NaN cells of x.
    """

    def __init__(self, shape: Sequence[int], missing: bool = False) -> None:
        super().__init__(shape, missing=missing)

    def forward(self, parameters: Tensor) -> BernoulliDistribution:
        """parameters (*K, B, *S), the logits."""
        return BernoulliDistribution(logits=parameters, n_dims=self.n_dims, missing=self.missing)

    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"shape": list(self.shape), "missing": self.missing}
