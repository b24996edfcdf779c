"""A picture of any size through a network, in tiles where it is large; the answer is that of the whole picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hourglass.networks.unet import REACH, STRIDE

EDGE = 2 * STRIDE  # pixels that are mirrored beyond the edges, so that no pixel of the picture lies at one
TILE = 512  # pixels a side that a tile gives


def through_tiles(network: Callable[[Tensor], Tensor], picture: np.ndarray, tile: int = TILE) -> np.ndarray:
    """A picture (C, H, W) float32 through a network (B, C, h, w) -> (B, C, h, w), of sides that are multiples of the
    stride.

    Tiles begin at multiples of the stride, and overlap by as much as a pixel reaches: of each, the middle is taken.
    """
    x = torch.from_numpy(np.ascontiguousarray(picture, dtype=np.float32))[None]
    height, width = x.shape[2:]
    below, right = (EDGE + -(side + 2 * EDGE) % STRIDE for side in (height, width))
    x = _mirrored(x, EDGE, right, EDGE, below)
    tile = max(STRIDE, tile // STRIDE * STRIDE)
    out = torch.empty_like(x)
    for top in range(0, x.shape[2], tile):
        for left in range(0, x.shape[3], tile):
            y, z = max(0, top - REACH), max(0, left - REACH)
            part = network(x[:, :, y : top + tile + REACH, z : left + tile + REACH])
            inside = part[:, :, top - y : top - y + tile, left - z : left - z + tile]
            out[:, :, top : top + tile, left : left + tile] = inside
    return out[0, :, EDGE : EDGE + height, EDGE : EDGE + width].numpy()


def _mirrored(x: Tensor, left: int, right: int, top: int, below: int) -> Tensor:
    """Reflection at the edges, as often as it takes for pictures that are smaller than that."""
    while left or right or top or below:
        most_x, most_y = max(1, x.shape[3] - 1), max(1, x.shape[2] - 1)
        now = [min(left, most_x), min(right, most_x), min(top, most_y), min(below, most_y)]
        mode = "reflect" if min(x.shape[2:]) > 1 else "replicate"
        x = F.pad(x, now, mode=mode)
        left, right, top, below = left - now[0], right - now[1], top - now[2], below - now[3]
    return x
