"""A linear map beside a network's own layers, and its start at the principal components of the data.

Few networks find the plane of PCA within minutes from random weights where an example has thousands of numbers. With
a linear map beside each of encoder and decoder, that plane is where training starts, and the layers beside it start
silent: they learn what no linear map can do.

An encoder that begins so has the whitened principal components of the data as its leading features, the largest first,
and keeps their variances (`principal`); a bottleneck makes the first of them the code (`begin_head`), and a decoder
draws the least-squares picture of the code (`regression`). Each step holds whatever the other parts are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hourglass.networks.linear import linear

MAX_EXACT = 1024  # rows or cells; beyond, principal axes are found by random projections
SPARE_AXES, POWER_ITERATIONS = 32, 4  # of random projections; errors of the axes fall with (l_spare / l_n)^(2 * 4 + 1)
MIN_VARIANCE = 1e-6  # of an axis, relative to the largest: below, it holds rounding errors


class LinearPath(nn.Linear):
    """x (B, n_in) -> (B, n_out): (weight * scale) x + bias, with a fixed `scale` per output or per input.

    Adam moves every weight by about the learning rate per step, small weights and large ones alike, and steps that
    agree add up over thousands of inputs: a rate that suits convolutions ruins the axes of PCA in one step. `start`
    gives every row (or column) of `weight` a mean square of one and leaves its size to `scale`, so that a step turns
    each axis by at most the learning rate.

    Source: Yang et al. 2022, arXiv:2203.03466, whose rule for Adam is a rate proportional to 1 / n_in.
    """

    scale: Tensor

    def __init__(self, n_in: int, n_out: int, scale_per: str) -> None:
        super().__init__(n_in, n_out)
        self.summed = 1 if scale_per == "output" else 0  # the axis of `weight` that one scale is of
        # empty before it is filled, so that a model built to be loaded has it without memory, as it has its weights
        self.register_buffer("scale", torch.empty((n_out, 1) if scale_per == "output" else (1, n_in)).fill_(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight * self.scale, self.bias)

    @torch.no_grad()
    def start(self, weight: Tensor, bias: Tensor) -> None:
        """Makes the map weight @ x + bias; a row (or column) of zeros keeps its scale."""
        size = weight.square().mean(self.summed, keepdim=True).sqrt()
        self.scale.copy_(torch.where(size > 0, size, self.scale))
        self.weight.copy_(weight / self.scale)
        self.bias.copy_(bias)


def principal_axes(x: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Rows x (N, D), their mean taken off -> the largest principal axes (K, D) and the variances along them (K,).

    K is n, or less where x has fewer axes along which it varies. Exact up to 1,024 rows or columns; beyond, by random
    projections, accurate to about 1e-4 for the leading axes.

    Source: Halko, Martinsson, Tropp 2011, arXiv:0909.4061, algorithm 5.1 with power iterations.
    """
    N, D = x.shape
    n = min(n, N, D)
    if min(N, D) <= MAX_EXACT:
        axes, singular = _exact_axes(x)
    else:
        _, singular, V = torch.svd_lowrank(x, q=min(n + SPARE_AXES, N, D), niter=POWER_ITERATIONS)
        axes = V.T
    variances = (singular[:n].square() / N).to(x.dtype)
    keep = int((variances > MIN_VARIANCE * variances[:1]).sum())
    return axes[:keep], variances[:keep]


def _exact_axes(x: Tensor) -> tuple[Tensor, Tensor]:
    """All axes and singular values, from the smaller Gram matrix in float64."""
    wide = x.double()
    if len(x) < x.shape[1]:
        values, U = torch.linalg.eigh(wide @ wide.T)
        singular = values.flip(0).clamp_min(0.0).sqrt()
        axes = (U.flip(1).T @ wide) / singular.clamp_min(1e-300)[:, None]
    else:
        values, V = torch.linalg.eigh(wide.T @ wide)
        singular, axes = values.flip(0).clamp_min(0.0).sqrt(), V.flip(1).T
    return axes.to(x.dtype), singular


@dataclass(frozen=True)
class Principal:
    """Of the numbers that an encoder sees: the largest variances along principal axes (K,), and the sum of all n."""

    variances: Tensor
    total: float
    n: int

    @classmethod
    def of(cls, x: Tensor, most: int) -> tuple[Principal, Tensor, Tensor]:
        """From rows x (N, D): also the whitening map to at most that many components, weight (K, D) and bias (K,)."""
        mean = x.mean(0)
        axes, variances = principal_axes(x - mean, most)
        weight = axes / variances.sqrt()[:, None]
        total = float((x - mean).square().sum()) / len(x)
        return cls(variances, total, x.shape[1]), weight, -weight @ mean

    def __len__(self) -> int:
        return len(self.variances)

    def rest(self, k: int) -> Tensor:
        """The mean variance along all axes but the first k, ()."""
        return (self.total - self.variances[:k].sum()).clamp_min(0.0) / max(1, self.n - k)


def regression(z: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """The least-squares map of codes z (N, L) to x (N, D): weight (D, L) and bias (D,)."""
    centre, mean = z.mean(0), x.mean(0)
    standard = (z - centre).double()
    # the pseudo-inverse leaves columns alone that do not vary or repeat others, as the columns of a condition do
    inverse = torch.linalg.pinv(standard.T @ standard, hermitian=True).to(x.dtype)
    weight = (x - mean).T @ (standard.to(x.dtype) @ inverse)
    return weight, mean - weight @ centre


@torch.no_grad()
def begin_head(head: nn.Linear, encode: Any, n_codes: int) -> int:
    """Makes the first outputs of a linear `head` (H -> n_codes or more) the leading principal features of the encoder.

    Returns how many: 0, and the head is left alone, where the encoder does not begin at principal components.
    """
    principal = getattr(encode.encoder, "principal", None)
    n = 0 if principal is None else min(len(principal), n_codes)
    head.weight[:n] = torch.eye(n, head.in_features, dtype=head.weight.dtype, device=head.weight.device)
    head.bias[:n] = 0.0
    return n
