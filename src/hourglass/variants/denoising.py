"""The denoising autoencoder: what is corrupted on the way in has to come out clean.

Source: Vincent et al. 2010, JMLR 11:3371.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hourglass.variants.plain import AE


@dataclass(frozen=True)
class GaussianNoise:
    """Adds noise of standard deviation `scale`, in units of the data's own scale, to the numeric cells."""

    scale: float = 0.3

    def __call__(self, x: Tensor, numeric: Tensor, blank: float) -> Tensor:
        return torch.where(numeric, x + self.scale * torch.randn_like(x), x)


@dataclass(frozen=True)
class Masking:
    """Hides each cell with probability `rate`: missing in a table, zero (the mean) in a picture."""

    rate: float = 0.3

    def __call__(self, x: Tensor, numeric: Tensor, blank: float) -> Tensor:
        return x.masked_fill(torch.rand_like(x) < self.rate, blank)


@dataclass(frozen=True)
class SaltAndPepper:
    """Puts each numeric cell, with probability `rate`, to the smallest or the largest number of the batch."""

    rate: float = 0.1

    def __call__(self, x: Tensor, numeric: Tensor, blank: float) -> Tensor:
        known = torch.where(numeric, x.nan_to_num(), 0.0)
        extreme = torch.where(torch.rand_like(x) < 0.5, known.amin(), known.amax())
        return torch.where(numeric & (torch.rand_like(x) < self.rate), extreme, x)


DENOISING = AE.with_corruption(GaussianNoise(0.3))
