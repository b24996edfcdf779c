"""What is made of the channels at every instant, before a network looks along time."""

from __future__ import annotations

from torch import Tensor, nn


class PerInstant(nn.Module):
    """x (B, C, T) -> (B, K, T), by a module that takes rows (B, C) to (B, K)."""

    def __init__(self, of_rows: nn.Module) -> None:
        super().__init__()
        self.of_rows = of_rows

    def forward(self, x: Tensor) -> Tensor:
        rows: Tensor = self.of_rows(x.transpose(1, 2).flatten(0, 1))
        return rows.unflatten(0, (len(x), -1)).transpose(1, 2)
