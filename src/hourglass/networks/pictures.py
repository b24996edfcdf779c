"""The networks for pictures, by name, and which of them is the default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from hourglass.networks.conv import ConvDecoder, ConvEncoder
from hourglass.networks.mlp import MLPDecoder, MLPEncoder
from hourglass.networks.unet import UNetDecoder, UNetEncoder

MAX_SIDE_FOR_MLP = 32  # pixels; above, convolutions are both better and faster
N_FEATURES = 256  # of convolutional encoders and decoders


@dataclass(frozen=True)
class PictureNetwork:
    """How the two ends of one kind of network are built.

    `encoder(shape, hidden, activation)` takes pictures of that shape (C, H, W); `decoder(n_code, shape, hidden,
    activation)` gives parameters of that shape (P, H, W). `hidden` None leaves the widths to the network.
    """

    encoder: Callable[[Sequence[int], Sequence[int] | None, str], nn.Module]
    decoder: Callable[[int, Sequence[int], Sequence[int] | None, str], nn.Module]


def _widths(shape: Sequence[int], hidden: Sequence[int] | None) -> Sequence[int]:
    if hidden is not None:
        return hidden
    return (256, 256) if max(shape[1:]) <= 16 else (640, 640, 640)


def convolutional(**options: Any) -> PictureNetwork:
    """Convolutions with these options; of `hidden` the last width counts, that of the features."""
    return PictureNetwork(
        lambda shape, hidden, activation: ConvEncoder(
            shape, n_features=hidden[-1] if hidden else N_FEATURES, activation=activation, **options
        ),
        lambda n_code, shape, hidden, activation: ConvDecoder(
            n_code, shape, n_features=hidden[-1] if hidden else N_FEATURES, activation=activation, **options
        ),
    )


NETWORKS: dict[str, PictureNetwork] = {
    "mlp": PictureNetwork(
        lambda shape, hidden, activation: MLPEncoder(shape, _widths(shape, hidden), activation),
        lambda n_code, shape, hidden, activation: MLPDecoder(
            n_code, shape, tuple(reversed(_widths(shape, hidden))), activation
        ),
    ),
    "conv": convolutional(),
    "residual": convolutional(fine_blocks=2, coarse_blocks=2, norm=True),
}

# what goes past the code makes these no use for codes: tasks that want none ask for them by name
BYPASSED: dict[str, PictureNetwork] = {
    "unet": PictureNetwork(
        lambda shape, hidden, activation: UNetEncoder(shape),
        lambda n_code, shape, hidden, activation: UNetDecoder(n_code, shape),
    )
}


def network_named(name: str | None, networks: Mapping[str, PictureNetwork] = NETWORKS) -> PictureNetwork:
    """One of the networks; None is convolutions.

    Raises
    ------
    ValueError : for another name.
    """
    if name is not None and name not in networks:
        raise ValueError(f"network={name!r} is unknown; choose {', '.join(map(repr, networks))}, or leave it out")
    return networks[name or "conv"]


def default_network(shape: Sequence[int], on_gpu: bool = False) -> str:
    """The name of the network that pictures of that shape (C, H, W) get where none is asked for."""
    if max(shape[1:]) <= MAX_SIDE_FOR_MLP:
        return "mlp"
    return "residual" if on_gpu else "conv"
