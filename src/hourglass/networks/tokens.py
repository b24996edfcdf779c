"""Encoder and decoder of sequences of classes, such as the tokens of a line."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hourglass.networks.linear import Linear
from hourglass.networks.mlp import hidden_layers


class TokenEncoder(nn.Module):
    """x (B, 1, T) of classes, NaN where there is none or it is hidden -> features (B, H).

    Every class has a vector of `width` numbers; those of a line go through fully connected layers.
    """

    grid = ()

    def __init__(self, n_classes: int, length: int, hidden: Sequence[int], activation: str, width: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.embedding = nn.Embedding(n_classes + 1, width)  # the last is of what is missing
        self.layers = hidden_layers(length * width, hidden, activation)
        self.n_features = hidden[-1] if hidden else length * width

    def forward(self, x: Tensor) -> Tensor:
        classes = x[:, 0].nan_to_num(self.n_classes).clamp(0, self.n_classes).long()
        features: Tensor = self.layers(self.embedding(classes).flatten(1))
        return features


class TokenDecoder(nn.Module):
    """code (B, L) -> logits (B, K, T) of K classes at T places.

    Fully connected layers make `width` numbers for every place, of which one linear map, the same at all places, makes
    logits.
    """

    def __init__(
        self, n_code: int, n_classes: int, length: int, hidden: Sequence[int], activation: str, width: int
    ) -> None:
        super().__init__()
        self.size = (length, width)
        self.layers = hidden_layers(n_code, hidden, activation)
        self.places = Linear(hidden[-1] if hidden else n_code, length * width)
        self.classes = Linear(width, n_classes)

    def forward(self, z: Tensor) -> Tensor:
        return self.classes(self.places(self.layers(z)).unflatten(1, self.size)).transpose(1, 2)
