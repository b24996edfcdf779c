"""A small residual U-Net for pictures of any size: what it puts out is added to what it was shown.

Pixels are folded two by two into channels, so that the finest convolutions see a quarter of the places. There is no
normalisation over space, so that a tile of a picture gives what the whole picture gives; and there are no biases, so
that a picture twice as bright, noise and all, gives twice the answer: one model then serves levels of noise that it
never saw.

Sources: Ronneberger et al. 2015, arXiv:1505.04597; Zhang et al. 2018, arXiv:1710.04026 (folded pixels); Mohan et al.
2020, arXiv:1906.05478 (no biases).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hourglass.networks.features import Features

FOLD = 2  # pixels a side that become one place
WIDTHS = (40, 72, 112)  # channels, fine to coarse
BLOCKS = (1, 1, 1)  # residual blocks on the way down, and twice on the way up but at the coarsest
STRIDE = FOLD * 2 ** (len(WIDTHS) - 1)  # sides are filled up to multiples of it
REACH = 80  # pixels: what lies further away from a pixel has no influence on it


class Block(nn.Module):
    """x + f(x), two 3 x 3 convolutions with a rectifier between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.second(F.relu(self.first(x)))
        return out


def _blocks(n: int, width: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(n)))


def filled(x: Tensor) -> Tensor:
    """Pictures (B, C, H, W) continued at the right and below by their last pixels, up to multiples of the stride."""
    below, right = (-side % STRIDE for side in x.shape[2:])
    return F.pad(x, (0, right, 0, below), mode="replicate") if below or right else x


class UNetEncoder(nn.Module):
    """Pictures (B, C, H, W), sides of any length -> features (B, 112, H / 8, W / 8), and finer ones for the decoder.

    Parameters
    ----------
    shape : (C, H, W); only the channels matter.
    widths : channels from fine to coarse.
    """

    def __init__(self, shape: Sequence[int], widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.n_features = widths[-1]
        self.grid = tuple(-(-side // STRIDE) for side in shape[1:])
        self.first = nn.Conv2d(FOLD**2 * shape[0], widths[0], 3, padding=1, bias=False)
        self.levels = nn.ModuleList(_blocks(n, width) for n, width in zip(BLOCKS, widths, strict=True))
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2, bias=False) for fine, coarse in pairwise(widths))

    def forward(self, x: Tensor) -> Features:
        shown = filled(x)
        folded = F.pixel_unshuffle(shown, FOLD).contiguous(memory_format=torch.channels_last)  # faster so
        features = self.levels[0](self.first(folded))
        finer = [features]
        for down, level in zip(self.down, self.levels[1:], strict=True):
            features = level(down(features))
            finer.append(features)
        return Features(finer[-1], (shown, *finer[:-1]))


class UNetDecoder(nn.Module):
    """Code (B, L, H / 8, W / 8) and what the encoder made -> pictures (B, P, H, W), those shown plus what is added."""

    def __init__(self, n_code: int, shape: Sequence[int], widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.inner = nn.Conv2d(n_code, widths[-1], 1, bias=False)
        self.coarse = _blocks(BLOCKS[-1], widths[-1])
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2, bias=False) for fine, coarse in pairs)
        self.levels = nn.ModuleList(_blocks(2 * n, fine) for n, (fine, _) in zip(BLOCKS[-2::-1], pairs, strict=True))
        self.out = nn.Conv2d(widths[0], FOLD**2 * shape[0], 3, padding=1, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, z: Tensor, shown: Tensor, *finer: Tensor) -> Tensor:
        features = self.coarse(self.inner(z))
        for up, level, beside in zip(self.up, self.levels, finer[::-1], strict=True):
            features = level(up(features) + beside)
        return shown + F.pixel_shuffle(self.out(features), FOLD)
