"""The denoising autoencoder: what is corrupted on the way in has to come out clean.

Source: Vincent et al. 2010, JMLR 11:3371.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hourglass.variants.plain import AE


def _within(corruption: object, **most: float) -> None:
    """Raises ValueError where a number of the corruption lies outside 0 ... most."""
    for name, limit in most.items():
        value = getattr(corruption, name)
        if not 0 <= value <= limit or not math.isfinite(value):
            upper = "" if math.isinf(limit) else f" and at most {limit:g}"
            raise ValueError(f"{type(corruption).__name__}({name}={value!r}): {name} must be at least 0{upper}")


@dataclass(frozen=True)
class GaussianNoise:
    """Adds noise of standard deviation `scale`, in units of the data's own deviation, to the numeric cells; in units of
    black to white for pictures under a Bernoulli."""

    scale: float = 0.3

    def __post_init__(self) -> None:
        _within(self, scale=math.inf)

    def __call__(self, x: Tensor, noise_mask: Tensor, mask_value: float) -> Tensor:
        return torch.where(noise_mask, x + self.scale * torch.randn_like(x), x)


@dataclass(frozen=True)
class Masking:
    """Hides each cell with probability `rate`: missing in a table, the mean in a picture, black under a Bernoulli."""

    rate: float = 0.3

    def __post_init__(self) -> None:
        _within(self, rate=1)

    def __call__(self, x: Tensor, noise_mask: Tensor, mask_value: float) -> Tensor:
        return x.masked_fill(torch.rand_like(x) < self.rate, mask_value)


@dataclass(frozen=True)
class SaltAndPepper:
    """Puts each numeric cell, with probability `rate`, to the smallest or the largest number of the batch."""

    rate: float = 0.1

    def __post_init__(self) -> None:
        _within(self, rate=1)

    def __call__(self, x: Tensor, noise_mask: Tensor, mask_value: float) -> Tensor:
        known = torch.where(noise_mask, x.nan_to_num(), 0.0)
        extreme = torch.where(torch.rand_like(x) < 0.5, known.amin(), known.amax())
        return torch.where(noise_mask & (torch.rand_like(x) < self.rate), extreme, x)


@dataclass(frozen=True)
class RandomAffine:
    """Shifts, turns and zooms each picture at random, so that the code cares less how exactly a thing stands.

    By up to `shift` of its width and of its height; then up to `degrees` either way; then to between 1 / (1 + `zoom`)
    and 1 + `zoom` times its size. The border is continued outward. For pictures (B, C, H, W) only.

    Source: Simard, Steinkraus, Platt 2003, ICDAR, who show a classifier digits so distorted.
    """

    degrees: float = 10.0
    zoom: float = 0.1
    shift: float = 0.07

    def __post_init__(self) -> None:
        _within(self, degrees=180, zoom=math.inf, shift=1)

    def __call__(self, x: Tensor, noise_mask: Tensor, mask_value: float) -> Tensor:
        if x.ndim != 4:
            raise ValueError(
                f"RandomAffine is for pictures (B, C, H, W), and an example here has shape {tuple(x.shape[1:])}: "
                "corrupt them with GaussianNoise or Masking"
            )
        B, _, H, W = x.shape
        turn, zoom, right, down = 2 * torch.rand(4, B, device=x.device) - 1
        angle, size = math.radians(self.degrees) * turn, (1 + self.zoom) ** zoom
        across, along = torch.cos(angle) * size, torch.sin(angle) * size
        # rows of [x, y, 1] -> x and y; places run from -1 to 1, so that half a side is the unit
        places = torch.stack(
            [across, -along * H / W, 2 * self.shift * right, along * W / H, across, 2 * self.shift * down], dim=1
        )
        grid = F.affine_grid(places.view(B, 2, 3), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


DENOISING = AE.with_corruption(GaussianNoise(0.3))
