"""The plain autoencoder: x -> code -> x'."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from hourglass.model import Encode, Sizes
from hourglass.networks.heads import ChannelLinear
from hourglass.networks.linear_path import begin_head
from hourglass.networks.mlp import activation as activation_of
from hourglass.recipe import Part, Recipe


@dataclass(frozen=True)
class PointMass:
    """A posterior that is one point: the code itself."""

    mode: Tensor  # (B, L, *G)
    shallow: tuple[Tensor, ...] = ()

    def sample(self, *several: int) -> Tensor:
        return self.mode.expand(*several, *self.mode.shape) if several else self.mode


class Deterministic(nn.Module):
    """features (B, H) -> one code (B, L), with an activation on it where one is named."""

    def __init__(self, sizes: Sizes, activation: str | None = None) -> None:
        super().__init__()
        self.head = ChannelLinear(sizes.features, sizes.latent)
        self.activation = nn.Identity() if activation is None else activation_of(activation)

    def forward(self, features: Tensor) -> PointMass:
        return PointMass(self.activation(self.head(features)))

    def begin(self, encode: Encode, x: Tensor, condition: Tensor | None) -> None:
        """Starts the code at the whitened principal components, where the encoder's features begin with them."""
        begin_head(self.head, encode, self.head.out_features)


AE = Recipe(Part(Deterministic))
