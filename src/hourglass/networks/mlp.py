"""Fully connected ends."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

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
        layer = (nn.Linear(n_in, width), activation(name))
        layers += [Residual(*layer)] if i and width == n_in else layer
        n_in = width
    return nn.Sequential(*layers)


class MLPEncoder(nn.Module):
    """x (B, *S) -> features (B, H).

    With no hidden layers the features are x itself, flattened, so that a bottleneck's linear head makes the whole
    encoder one layer. Where `missing` is set, NaN cells count as 0, the mean.
    """

    def __init__(
        self,
        shape: Sequence[int],
        hidden: Sequence[int] = (512, 512),
        activation: str = "silu",
        missing: bool = False,
    ) -> None:
        super().__init__()
        self.missing = missing
        n_in = prod(shape)
        self.n_features = hidden[-1] if hidden else n_in  # H
        self.layers = hidden_layers(n_in, hidden, activation)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return self.layers(x.nan_to_num(0.0) if self.missing else x)


class MLPDecoder(nn.Module):
    """code (B, L) -> parameters (B, *P)."""

    def __init__(
        self, n_code: int, shape: Sequence[int], hidden: Sequence[int] = (512, 512), activation: str = "silu"
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)  # P
        self.layers = hidden_layers(n_code, hidden, activation)
        self.out = nn.Linear(hidden[-1] if hidden else n_code, prod(shape))

    def forward(self, z: Tensor) -> Tensor:
        return self.out(self.layers(z)).unflatten(1, self.shape)
