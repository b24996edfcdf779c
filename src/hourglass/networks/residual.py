"""Residual blocks of convolutions."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hourglass.networks.mlp import activation as activation_of

CHANNELS_PER_GROUP = 8
CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d}  # by the number of axes


class ResidualBlock(nn.Module):
    """x + f(x) for x (B, C, *size), f = activation, convolution with a kernel of 3, twice; with group norm
    before each activation.

    Source: He et al. 2016, arXiv:1603.05027 (the activation comes first); Wu and He 2018, arXiv:1803.08494.
    """

    def __init__(self, channels: int, activation: str, norm: bool = False, n_axes: int = 2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.GroupNorm(max(1, channels // CHANNELS_PER_GROUP), channels)] if norm else []
            layers += [activation_of(activation), CONVOLUTIONS[n_axes](channels, channels, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def blocks(n: int, channels: int, activation: str, norm: bool, n_axes: int = 2) -> list[nn.Module]:
    """n residual blocks."""
    return [ResidualBlock(channels, activation, norm, n_axes) for _ in range(n)]
