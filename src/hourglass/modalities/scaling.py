"""Raw numbers -> model space and back, one module for training, restoring and export."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Standardise(nn.Module):
    """x = (raw - mean) / scale, with `mean` and `scale` broadcast against one example of shape S.

    Numbers that float32 cannot hold beside their mean (a time stamp, say) are centred in float64 and only then rounded.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, raw: Tensor) -> Tensor:
        """raw (B, *S) of any number type -> x (B, *S) float32."""
        return (raw - self.mean).div_(self.scale).float()

    def training_view(self, raw: Tensor) -> Tensor:
        """x as it is trained on: `forward`, where nothing about it is random."""
        return self(raw)

    def log_slope(self, raw: Tensor) -> Tensor:
        """ln dx/du of raw rows (B, *S), summed over cells, (B,) or (): u is linear in raw, as x is near the median."""
        return torch.zeros(())

    def inverse(self, x: Tensor) -> Tensor:
        """x (B, *S) -> raw units (B, *S), in the precision of `mean`."""
        return x.to(self.mean.dtype) * self.scale + self.mean


MARGIN = 0.5  # standard deviations in x


class StandardiseTails(Standardise):
    """Standardise, of asinh((raw - centre) / unit) where a column has heavy tails.

    Parameters
    ----------
    mean, scale : (D,) of all columns, after the asinh; (D, 1) where examples are windows (D, T).
    curved : places of the columns with heavy tails, (K,).
    centre, unit : (K,) of these, or (K, 1).
    lowest, highest : (K,) raw numbers, or (K, 1). What lies further out in x than a margin beyond these is taken back
        to there: an extrapolation would be exponential.
    """

    centre: Tensor
    unit: Tensor
    curved: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(
        self,
        mean: Tensor,
        scale: Tensor,
        curved: Tensor,
        centre: Tensor,
        unit: Tensor,
        lowest: Tensor,
        highest: Tensor,
    ) -> None:
        super().__init__(mean, scale)
        margin = MARGIN * scale[curved]
        self.register_buffer("lowest", torch.asinh((lowest - centre) / unit) - margin)
        self.register_buffer("highest", torch.asinh((highest - centre) / unit) + margin)
        self.register_buffer("curved", curved)
        self.register_buffer("centre", centre)
        self.register_buffer("unit", unit)

    def forward(self, raw: Tensor) -> Tensor:
        """raw (B, D) of any number type -> x (B, D) float32; infinity stays what it is."""
        flat = raw.to(self.mean.dtype)
        tails = torch.asinh((flat[:, self.curved] - self.centre) / self.unit)
        return (flat.index_copy(1, self.curved, tails) - self.mean).div_(self.scale).float()

    def inverse(self, x: Tensor) -> Tensor:
        """x (B, D) -> raw units (B, D)."""
        flat = super().inverse(x)
        tails = flat[:, self.curved].clamp(self.lowest, self.highest).sinh() * self.unit + self.centre
        return flat.index_copy(1, self.curved, tails)

    def log_slope(self, raw: Tensor) -> Tensor:
        """Of raw rows (B, D), (B,): -ln sqrt(1 + t^2) of every t = (raw - centre) / unit."""
        tails = (raw.to(self.mean.dtype)[:, self.curved] - self.centre) / self.unit
        return -0.5 * torch.log1p(tails.square()).nan_to_num(0.0, posinf=0.0).flatten(1).sum(1)


class UnitRange(Standardise):
    """Grey levels from 0 to 1: `mean` is black, `scale` white less black; what lies beyond them is kept to 0 or 1."""

    def forward(self, raw: Tensor) -> Tensor:
        return super().forward(raw).clamp_(0, 1)

    def training_view(self, raw: Tensor) -> Tensor:
        return super().forward(raw)  # black and white are those of the rows that are trained on


class Binarise(UnitRange):
    """Grey levels as probabilities; `training_view` samples each pixel on every pass (dynamic binarisation).

    Source: Salakhutdinov and Murray 2008; Burda et al. 2016, arXiv:1509.00519, sample on every pass.
    """

    def training_view(self, raw: Tensor) -> Tensor:
        """x (B, *S) in {0, 1}, one with probability raw / white."""
        if raw.dtype == torch.uint8 and float(self.scale) == 255.0 and float(self.mean) == 0.0:
            # 16 random bits a pixel, four pixels a draw: ten times cheaper than torch.bernoulli.
            # 257 p / 65536 = p / 255 to 2e-5; int16 arithmetic wraps, so the threshold 257 p - 32768 is exact.
            n = raw.numel()
            draws = torch.empty(-(-n // 4), dtype=torch.int64, device=raw.device).random_(-(2**63), None)
            bits = draws.view(torch.int16)[:n].view_as(raw)
            # compared in place: a comparison that makes booleans, and booleans made floats, take four times as long
            return bits.lt_(raw.to(torch.int16).mul_(257).sub_(32768)).float()
        return torch.bernoulli(self(raw))
