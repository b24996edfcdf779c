"""What a network is shown of a table's row: filled numbers, masks, one-hot categories."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TableInput(nn.Module):
    """x (B, D) with NaN for missing -> (B, width).

    Parameters
    ----------
    numeric : columns of standardised numbers; a missing one becomes 0, the mean.
    binary : columns in {0, 1}; a missing one becomes 1/2.
    counts : columns of raw counts, shown as log(1 + count).
    categories : (column, number of categories) pairs, shown one-hot; a missing one is all zeros.
    masked : columns whose missingness is shown as a column of its own.
    """

    def __init__(
        self,
        numeric: Sequence[int],
        binary: Sequence[int],
        counts: Sequence[int],
        categories: Sequence[tuple[int, int]],
        masked: Sequence[int],
    ) -> None:
        super().__init__()
        self.numeric, self.binary, self.counts = list(numeric), list(binary), list(counts)
        self.categories, self.masked = list(categories), list(masked)
        self.width = len(numeric) + len(binary) + len(counts) + len(masked) + sum(n for _, n in categories)

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        if self.numeric:
            parts.append(x[:, self.numeric].nan_to_num(0.0))
        if self.binary:
            parts.append(x[:, self.binary].nan_to_num(0.5))
        if self.counts:
            parts.append(x[:, self.counts].nan_to_num(0.0).clamp_min(0).log1p())
        if self.masked:
            parts.append(x[:, self.masked].isnan().to(x.dtype))
        for column, n in self.categories:
            parts.append((x[:, column, None] == torch.arange(n, device=x.device)).to(x.dtype))
        return torch.cat(parts, dim=1)
