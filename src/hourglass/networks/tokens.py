"""What encoders and decoders of sequences of classes have beside their layers, such as the tokens of a line."""

from __future__ import annotations

from torch import Tensor, nn

from hourglass.networks import pictures
from hourglass.networks.linear import Linear

CHANNELS = 128  # of convolutions: with the 64 of pictures fewer letters of new lines come back
NETWORKS = {**pictures.NETWORKS, "conv": pictures.convolutional(width=CHANNELS)}


class Embedded(nn.Module):
    """x (B, 1, T) of classes, NaN where there is none or it is hidden -> (B, width, T), a vector for every class."""

    def __init__(self, n_classes: int, width: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.vectors = nn.Embedding(n_classes + 1, width)  # the last is of what is missing

    def forward(self, x: Tensor) -> Tensor:
        classes = x[:, 0].nan_to_num(self.n_classes).clamp(0, self.n_classes).long()
        vectors: Tensor = self.vectors(classes)
        return vectors.transpose(1, 2)


class ClassDecoder(nn.Module):
    """code (B, L) -> logits (B, K, T) of K classes at T places.

    A decoder of any kind makes `width` numbers for every place, of which one linear map, the same at all places, makes
    logits. What it puts out beyond T is cropped by `Decode`.
    """

    def __init__(self, decoder: nn.Module, width: int, n_classes: int) -> None:
        super().__init__()
        self.places = decoder
        self.classes = Linear(width, n_classes)

    def forward(self, z: Tensor) -> Tensor:
        logits: Tensor = self.classes(self.places(z).transpose(1, 2))
        return logits.transpose(1, 2)
