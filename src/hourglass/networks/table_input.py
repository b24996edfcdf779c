"""What a network sees of a table's row: numbers with missing ones filled in, masks, one-hot categories."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class TableInput(nn.Module):
    """x (B, D), NaN for missing and infinity for unseen values -> (B, width).

    An unseen value is shown as a missing one. A column that is in none of the lists is not shown.

    Parameters
    ----------
    numeric : columns of standardised numbers; a missing one becomes 0, the mean.
    binary : columns in {0, 1}; a missing one becomes 1/2.
    counts : (column, mean, deviation) of raw counts, shown as log(1 + count), standardised; a missing one becomes 0.
    categories : (column, number of categories) pairs, shown one-hot; a missing one is all zeros.
    masked : columns of which it is shown, as a feature of its own, whether they are missing.
    cycles : (column, cycles per unit of x, phase in cycles), shown as sine and cosine; a missing one is 0 and 0.
    constant : columns of which nothing else is shown; there an unseen value is not a missing one.
    """

    log_mean: Tensor
    log_deviation: Tensor
    cycles_per_unit: Tensor
    phase: Tensor

    def __init__(
        self,
        numeric: Sequence[int],
        binary: Sequence[int],
        counts: Sequence[tuple[int, float, float]],
        categories: Sequence[tuple[int, int]],
        masked: Sequence[int],
        constant: Sequence[int] = (),
        cycles: Sequence[tuple[int, float, float]] = (),
    ) -> None:
        super().__init__()
        self.numeric, self.binary, self.counts = list(numeric), list(binary), [column for column, _, _ in counts]
        self.register_buffer(
            "log_mean", torch.tensor([mean for _, mean, _ in counts], dtype=torch.float32), persistent=False
        )
        self.register_buffer(
            "log_deviation", torch.tensor([s for _, _, s in counts], dtype=torch.float32), persistent=False
        )
        self.cyclic = [column for column, _, _ in cycles]
        self.register_buffer("cycles_per_unit", torch.tensor([rate for _, rate, _ in cycles]), persistent=False)
        self.register_buffer("phase", torch.tensor([phase for _, _, phase in cycles]), persistent=False)
        self.categories, self.masked, self.constant = list(categories), list(masked), list(constant)
        alone = len(numeric) + len(binary) + len(counts) + len(masked) + len(constant)
        self.width = alone + 2 * len(self.cyclic) + sum(n for _, n in categories)

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        if self.constant:
            parts.append(x[:, self.constant].isnan().to(x.dtype))
        x = x.masked_fill(x.isinf(), torch.nan)
        if self.numeric:
            parts.append(x[:, self.numeric].nan_to_num(0.0))
        if self.binary:
            parts.append(x[:, self.binary].nan_to_num(0.5))
        if self.counts:
            logs = x[:, self.counts].clamp_min(0).log1p()
            parts.append(((logs - self.log_mean) / self.log_deviation).nan_to_num(0.0))
        if self.cyclic:
            angle = 2 * torch.pi * (x[:, self.cyclic] * self.cycles_per_unit + self.phase)
            parts += [angle.sin().nan_to_num(0.0), angle.cos().nan_to_num(0.0)]
        if self.masked:
            parts.append(x[:, self.masked].isnan().to(x.dtype))
        for column, n in self.categories:
            parts.append((x[:, column, None] == torch.arange(n, device=x.device)).to(x.dtype))
        return torch.cat(parts, dim=1)
