"""The plain autoencoder: x -> code -> x'."""

from dataclasses import dataclass

from torch import Tensor, nn

from hourglass.networks.heads import ChannelLinear
from hourglass.networks.mlp import activation as activation_of
from hourglass.recipe import Recipe


@dataclass(frozen=True)
class PointMass:
    """A posterior that is one point: the code itself."""

    mode: Tensor  # (B, L)
    shallow: tuple[Tensor, ...] = ()

    def sample(self) -> Tensor:
        return self.mode


class Deterministic(nn.Module):
    """features (B, H) -> one code (B, L), with an activation on it where one is named."""

    def __init__(self, n_features: int, n_latent: int, activation: str | None = None) -> None:
        super().__init__()
        self.head = ChannelLinear(n_features, n_latent)
        self.activation = nn.Identity() if activation is None else activation_of(activation)

    def forward(self, features: Tensor) -> PointMass:
        return PointMass(self.activation(self.head(features)))


AE = Recipe(Deterministic)
