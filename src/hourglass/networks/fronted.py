"""A front that prepares examples, such as one-hot classes, before an encoder of any kind."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hourglass.networks.linear_path import Principal


class Fronted(nn.Sequential):
    """A front that prepares rows, then an encoder."""

    grid = ()

    def __init__(self, front: nn.Module, encoder: nn.Module) -> None:
        super().__init__(front, encoder)
        self.principal: Principal | None = None
        self.n_features: int = encoder.n_features  # type: ignore[assignment]

    def begin(self, encode: Any, x: Tensor, condition: Tensor | None) -> None:
        """As its encoder does, from what the front makes of rows x (N, *S)."""
        front, encoder = self
        encoder.begin(encode, front(x), condition)  # type: ignore[operator]
        self.principal = encoder.principal  # type: ignore[assignment]
