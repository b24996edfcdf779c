"""What may be done to x before the encoder sees it."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hourglass.model import ModelSpace


def _check_range(corruption: object, **highest: float) -> None:
    """Raises ValueError where a number of the corruption lies outside 0 ... highest."""
    for name, limit in highest.items():
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
        _check_range(self, scale=math.inf)

    def __call__(self, x: Tensor, space: ModelSpace) -> Tensor:
        return torch.where(space.noise_mask, x + self.scale * torch.randn_like(x), x)

    def touches(self, space: ModelSpace) -> bool:
        return bool(space.noise_mask.any())


@dataclass(frozen=True)
class Masking:
    """Hides each cell with probability `rate`: missing in a table, the mean in a picture, black under a Bernoulli."""

    rate: float = 0.3

    def __post_init__(self) -> None:
        _check_range(self, rate=1)

    def __call__(self, x: Tensor, space: ModelSpace) -> Tensor:
        return x.masked_fill(torch.rand_like(x) < self.rate, space.mask_value)

    def touches(self, space: ModelSpace) -> bool:
        return True


@dataclass(frozen=True)
class SaltAndPepper:
    """Puts each numeric cell, with probability `rate`, to the smallest or the largest number of the batch."""

    rate: float = 0.1

    def __post_init__(self) -> None:
        _check_range(self, rate=1)

    def __call__(self, x: Tensor, space: ModelSpace) -> Tensor:
        known = torch.where(space.noise_mask, x.nan_to_num(), 0.0)
        extreme = torch.where(torch.rand_like(x) < 0.5, known.amin(), known.amax())
        return torch.where(space.noise_mask & (torch.rand_like(x) < self.rate), extreme, x)

    def touches(self, space: ModelSpace) -> bool:
        return bool(space.noise_mask.any())


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
        _check_range(self, degrees=180, zoom=math.inf, shift=1)

    def __call__(self, x: Tensor, space: ModelSpace) -> Tensor:
        if x.ndim != 4:
            raise ValueError(
                f"RandomAffine is for pictures (B, C, H, W), and an example here has shape {tuple(x.shape[1:])}: "
                "corrupt them with GaussianNoise or Masking"
            )
        B, _, H, W = x.shape
        turn, zoom, right, down = 2 * torch.rand(4, B, dtype=x.dtype, device=x.device) - 1
        angle, size = math.radians(self.degrees) * turn, (1 + self.zoom) ** zoom
        across, along = torch.cos(angle) * size, torch.sin(angle) * size
        # rows of [x, y, 1] -> x and y; places run from -1 to 1, so that half a side is the unit
        places = torch.stack(
            [across, -along * H / W, 2 * self.shift * right, along * W / H, across, 2 * self.shift * down], dim=1
        )
        grid = F.affine_grid(places.view(B, 2, 3), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    def touches(self, space: ModelSpace) -> bool:
        return True  # of pictures; of anything else the call says so
