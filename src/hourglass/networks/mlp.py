"""Fully connected encoders and decoders.

With `shortcut`, each has one linear map beside its hidden layers, and starts at PCA (`linear_path.py`). Tables of some
hundred rows, whose structure is mostly linear, would else be learned worse than by PCA.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from hourglass.networks.linear import Linear
from hourglass.networks.linear_path import LinearPath, Principal, regression

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "silu": nn.SiLU,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation(name: str) -> nn.Module:
    """The activation of that name; raises ValueError naming those there are."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation={name!r} is unknown; choose one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


class Residual(nn.Sequential):
    """x + f(x). Source: He et al. 2016, arXiv:1512.03385."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def hidden_layers(n_in: int, hidden: Sequence[int], name: str = "silu") -> nn.Sequential:
    """Linear layers of the given widths, each followed by the activation; empty for no widths.

    A hidden layer as wide as the one before is added to it instead of replacing it, so that deeper networks learn as
    readily as shallow ones.
    """
    layers: list[nn.Module] = []
    for i, width in enumerate(hidden):
        layer = (Linear(n_in, width), activation(name))
        layers += [Residual(*layer)] if i and width == n_in else layer
        n_in = width
    return nn.Sequential(*layers)


class MLPEncoder(nn.Module):
    """x (B, *S) -> features (B, H).

    With a shortcut the first features are linear in x. With no hidden layers the features are x itself, flattened, so
    that a bottleneck's linear head makes the whole encoder one layer. Where `missing` is set, NaN cells count as 0,
    the mean.
    """

    grid = ()

    def __init__(
        self,
        shape: Sequence[int],
        hidden: Sequence[int] = (512, 512),
        activation: str = "silu",
        missing: bool = False,
        shortcut: bool = False,
    ) -> None:
        super().__init__()
        self.missing = missing
        self.principal: Principal | None = None
        n_in = prod(shape)
        self.layers = hidden_layers(n_in, hidden, activation)
        self.straight = LinearPath(n_in, min(n_in, hidden[-1]), "output") if shortcut and hidden else None
        beside = 0 if self.straight is None else self.straight.out_features
        self.n_features = beside + (hidden[-1] if hidden else n_in)  # H

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        if self.missing:
            x = x.nan_to_num(0.0)
        features = self.layers(x)
        return features if self.straight is None else torch.cat([self.straight(x), features], 1)

    @torch.no_grad()
    def begin(self, encode: Any, x: Tensor, condition: Tensor | None) -> None:
        """Starts the features that are linear in x (N, *S) at its whitened principal components."""
        if self.straight is not None:
            cells = x.flatten(1).nan_to_num(0.0) if self.missing else x.flatten(1)
            self.principal, axes, offset = Principal.of(cells, self.straight.out_features)
            weight, bias = torch.zeros_like(self.straight.weight), torch.zeros_like(self.straight.bias)
            weight[: len(axes)], bias[: len(axes)] = axes, offset
            self.straight.start(weight, bias)


class MLPDecoder(nn.Module):
    """code (B, L) -> parameters (B, *P)."""

    def __init__(
        self,
        n_code: int,
        shape: Sequence[int],
        hidden: Sequence[int] = (512, 512),
        activation: str = "silu",
        shortcut: bool = False,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)  # P
        self.layers = hidden_layers(n_code, hidden, activation)
        self.out = Linear(hidden[-1] if hidden else n_code, prod(shape))
        self.straight = LinearPath(n_code, prod(shape), "input") if shortcut and hidden else None

    def forward(self, z: Tensor) -> Tensor:
        parameters = self.out(self.layers(z))
        return (parameters if self.straight is None else parameters + self.straight(z)).view(-1, *self.shape)

    @torch.no_grad()
    def begin(self, z: Tensor, parameters: Tensor) -> None:
        """Starts at the least-squares map of codes z (N, L) to parameters (N, *P), with the hidden layers silent."""
        if self.straight is not None:
            self.straight.start(*regression(z, parameters.flatten(1)))
            self.out.weight.zero_()
            self.out.bias.zero_()
