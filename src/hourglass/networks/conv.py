"""Convolutional encoder and decoder of pictures, and of series: sizes below are (H, W) or (T,).

Convolutions work at a quarter of the picture's sides and below: one convolution with a stride of four takes the
picture there, and one transposed convolution gives it back. (At full size a single 3 x 3 layer of 32 channels costs as
much as all others together.) Beside them is one linear map at each end, see `linear_path.py`: the encoder's goes from
the pixels to the features; the decoder's from the code to a picture, which the convolutions see, and to which they add
what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hourglass.networks.linear_path import LinearPath, Principal, regression
from hourglass.networks.mlp import activation as activation_of
from hourglass.networks.residual import CONVOLUTIONS, blocks

# numbers of a picture that linear maps work on: 64 x 64 in colour is 12,288, with which the maps of a code of 64 and of
# 256 features have 4 million weights, twice those of the convolutions, and cost a tenth of their time
MAX_CELLS_FOR_LINEAR = 16_000


def n_halvings(size: int, smallest: int = 4) -> int:
    """How often a side is halved, rounding up, until it is at most `smallest`; at least once."""
    n = 0
    while size > smallest:
        size, n = -(-size // 2), n + 1
    return max(n, 1)


TRANSPOSED: dict[int, Any] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d}  # by the number of axes


class Pyramid:
    """The sizes that a picture (C, H, W) or a series (C, T) passes through.

    `size` without the channels; `stride` of the first convolution; `fine` and `coarse`, the grids behind it and at the
    end; `channels` from fine to coarse.
    """

    def __init__(self, shape: Sequence[int], width: int) -> None:
        self.size = tuple(shape[1:])
        n = n_halvings(max(shape[1:]))
        self.stride = 2 ** min(n, 2)
        self.fine = tuple(-(-side // self.stride) for side in shape[1:])
        self.coarse = tuple(-(-side // 2**n) for side in shape[1:])
        self.channels = [width] + [2 * width] * (n - min(n, 2))

    def padded(self, x: Tensor) -> Tensor:
        """x (B, C, *size) with zeros at the end of every axis, up to multiples of the stride."""
        lacks = [-side % self.stride for side in self.size]
        return F.pad(x, [n for side in reversed(lacks) for n in (0, side)]) if any(lacks) else x

    def laid_out(self, x: Tensor) -> Tensor:
        """x in the order of memory in which convolutions are fast."""
        return x.contiguous(memory_format=torch.channels_last) if len(self.size) == 2 else x


def linear_size(shape: Sequence[int]) -> tuple[int, ...]:
    """The size that linear maps work on: that of the shape (C, *size), halved while it has more than 16,000 cells."""
    channels, *size = shape
    while channels * prod(size) > MAX_CELLS_FOR_LINEAR and max(size) > 1:
        size = [-(-side // 2) for side in size]
    return tuple(size)


def resized(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """x (B, C, *) at another size: means of cells on the way down, linear on the way up."""
    if x.shape[2:] == size:
        return x
    between = "bilinear" if len(size) == 2 else "linear"
    return F.interpolate(x, size, mode="area" if size[0] <= x.shape[2] else between)


class ConvEncoder(nn.Module):
    """x (B, C, *size) -> features (B, H): convolutions down to sides of about 4, then one linear layer.

    Parameters
    ----------
    shape : (C, *size).
    width : channels at the finest grid; twice as many below.
    n_features : H.
    activation : name of the activation.
    fine_blocks, coarse_blocks : residual blocks at the finest grid, and at each one below.
    norm : group norm in the residual blocks.
    """

    grid = ()

    def __init__(
        self,
        shape: Sequence[int],
        width: int = 64,
        n_features: int = 256,
        activation: str = "silu",
        fine_blocks: int = 0,
        coarse_blocks: int = 0,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.pyramid = pyramid = Pyramid(shape, width)
        self.size, self.n_features = linear_size(shape), n_features
        self.principal: Principal | None = None
        stride, n_axes = pyramid.stride, len(pyramid.size)
        convolution = CONVOLUTIONS[n_axes]
        self.first = convolution(shape[0], width, 2 * stride, stride, padding=stride // 2)
        layers = blocks(fine_blocks, width, activation, norm, n_axes)
        for fine, coarse in pairwise(pyramid.channels):
            layers += [activation_of(activation), convolution(fine, coarse, 3, stride=2, padding=1)]
            layers += blocks(coarse_blocks, coarse, activation, norm, n_axes)
        self.layers = nn.Sequential(*layers, activation_of(activation))
        self.out = nn.Linear(pyramid.channels[-1] * prod(pyramid.coarse), n_features)
        self.linear = LinearPath(shape[0] * prod(self.size), n_features, scale_per="output")

    def forward(self, x: Tensor) -> Tensor:
        fine = self.pyramid.laid_out(self.first(self.pyramid.padded(x)))
        return self.out(self.layers(fine).flatten(1)) + self.linear(resized(x, self.size).flatten(1))

    @torch.no_grad()
    def begin(self, encode: Any, x: Tensor, condition: Tensor | None) -> None:
        """Starts the features at the whitened principal components of x, with the convolutions silent."""
        self.principal, axes, offset = Principal.of(resized(x, self.size).flatten(1), self.n_features)
        n = len(self.principal)
        weight, bias = torch.zeros_like(self.linear.weight), torch.zeros_like(self.linear.bias)
        weight[:n], bias[:n] = axes, offset
        self.linear.start(weight, bias)
        self.out.weight[:n] = 0.0
        self.out.bias[:n] = 0.0


class ConvDecoder(nn.Module):
    """code (B, L) -> parameters (B, P, *size): a linear picture of the code, refined by convolutions.

    Sides that are not a multiple of the stride come out larger, and are cropped by `Decode`. Parameters are those of
    `ConvEncoder`, whose mirror image this is.
    """

    def __init__(
        self,
        n_code: int,
        shape: Sequence[int],
        width: int = 64,
        n_features: int = 256,
        activation: str = "silu",
        fine_blocks: int = 1,
        coarse_blocks: int = 0,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.pyramid = pyramid = Pyramid(shape, width)
        self.size = linear_size(shape)
        n_axes = len(pyramid.size)
        stride, coarse = pyramid.stride, (pyramid.channels[-1], *pyramid.coarse)
        self.grow = nn.Sequential(
            nn.Linear(n_code, n_features),
            activation_of(activation),
            nn.Linear(n_features, prod(coarse)),
            nn.Unflatten(1, coarse),
        )
        channels = pyramid.channels[::-1]
        layers = blocks(coarse_blocks, channels[0], activation, norm, n_axes) if len(channels) > 1 else []
        for number, (wide, fine) in enumerate(pairwise(channels)):
            layers += [activation_of(activation), TRANSPOSED[n_axes](wide, fine, 4, stride=2, padding=1)]
            layers += blocks(coarse_blocks, fine, activation, norm, n_axes) if number < len(channels) - 2 else []
        self.layers = nn.Sequential(*layers)
        self.linear = LinearPath(n_code, shape[0] * prod(self.size), scale_per="input")
        self.look = CONVOLUTIONS[n_axes](shape[0], width, 2 * stride, stride, padding=stride // 2)
        self.refine = nn.Sequential(*blocks(fine_blocks, width, activation, norm, n_axes), activation_of(activation))
        self.out = TRANSPOSED[n_axes](width, shape[0], 2 * stride, stride, padding=stride // 2)

    def forward(self, z: Tensor) -> Tensor:
        picture = self.linear(z).unflatten(1, (-1, *self.size))
        grown = self.layers(self.pyramid.laid_out(self.grow(z)))
        picture = self.pyramid.padded(resized(picture, self.pyramid.size))
        inside = (..., *(slice(side) for side in self.pyramid.fine))
        fine = self.look(picture) + grown[inside]
        return picture + self.out(self.refine(self.pyramid.laid_out(fine)))

    @torch.no_grad()
    def begin(self, z: Tensor, parameters: Tensor) -> None:
        """Starts the linear picture at the least-squares map of codes z (N, L) to parameters (N, P, H, W), with the
        convolutions silent."""
        self.linear.start(*regression(z, resized(parameters, self.size).flatten(1)))
        self.out.weight.zero_()
        if self.out.bias is not None:
            self.out.bias.zero_()
