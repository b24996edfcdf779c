"""Convolutional ends for pictures."""

from collections.abc import Sequence

from torch import Tensor, nn

from hourglass.networks.mlp import activation as activation_of


def _halvings(size: int, smallest: int = 4) -> int:
    """How often a side can be halved (rounding up) before it is at most `smallest`."""
    n = 0
    while size > smallest:
        size, n = -(-size // 2), n + 1
    return n


class ConvEncoder(nn.Module):
    """Pictures (B, C, H, W) -> features (B, F): strided convolutions down to about 4 x 4, then one linear layer."""

    grid = ()

    def __init__(self, shape: Sequence[int], width: int = 32, n_features: int = 256, activation: str = "silu") -> None:
        super().__init__()
        channels, height, wide = shape
        layers: list[nn.Module] = []
        for i in range(_halvings(max(height, wide))):
            out = min(width * 2**i, 4 * width)
            layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1), activation_of(activation)]
            channels, height, wide = out, -(-height // 2), -(-wide // 2)
        self.layers = nn.Sequential(*layers)
        self.out = nn.Sequential(nn.Linear(channels * height * wide, n_features), activation_of(activation))
        self.n_features = n_features

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layers(x).flatten(1))


class ConvDecoder(nn.Module):
    """code (B, L) -> parameters (B, P, H, W): the encoder's mirror image. Sides that are not a power of two come out
    larger, and are cropped by `Decode`."""

    def __init__(
        self, n_code: int, shape: Sequence[int], width: int = 32, n_features: int = 256, activation: str = "silu"
    ) -> None:
        super().__init__()
        channels, height, wide = shape
        n = _halvings(max(height, wide))
        start = min(width * 2 ** max(n - 1, 0), 4 * width)
        self.start = (start, -(-height // 2**n), -(-wide // 2**n))
        self.grow = nn.Sequential(
            nn.Linear(n_code, n_features),
            activation_of(activation),
            nn.Linear(n_features, start * self.start[1] * self.start[2]),
            activation_of(activation),
        )
        layers: list[nn.Module] = []
        for i in reversed(range(n)):
            out = min(width * 2 ** max(i - 1, 0), 4 * width)
            layers += [nn.ConvTranspose2d(start, out, 4, stride=2, padding=1), activation_of(activation)]
            start = out
        self.layers = nn.Sequential(*layers, nn.Conv2d(start, channels, 3, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(self.grow(z).unflatten(1, self.start))
