"""dSprites: white shapes on black, made from known factors: the benchmark of disentanglement. Computed, not downloaded.

A shape of scale s stands at 15.5 + 32 p pixels, with p in [0, 1] for each axis, turned by -2 pi k / 39 (k = 0..39, so
that the first and the last orientation are the same). In the shape's own axes (u right, v down), in units of s pixels:

- square: max(|u|, |v|) < 9.6
- ellipse: (u / 12.75)^2 + (v / 7.25)^2 < 1
- heart: inside the curve u = 9.6 sin^3 t, v = -(0.6622 (13 cos t - 5 cos 2t - 2 cos 3t - cos 4t) + 1.4375), the
  well-known heart curve stretched to the width and the height of the square

Source: Matthey, Higgins, Hassabis, Lerchner 2017, github.com/deepmind/dsprites-dataset (Apache-2.0), which gives the
factors; the numbers above were fitted to 320 of its frames, from which the frames made here differ by 0.1 (square), 0.2
(heart) and 0.9 (ellipse) pixels on average and 4 at most.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.readers.data import Data

FACTORS = ("shape", "scale", "orientation", "posX", "posY")
LEVELS = (3, 6, 40, 32, 32)  # values of each factor; shapes: 0 square, 1 ellipse, 2 heart
FRAMES = math.prod(LEVELS)
SIZE = 64


def read(split: str, *, n: int = 20000, seed: int = 0) -> Data:
    """X (n, 1, 64, 64) uint8 of 0 and 1, labels (n, 5) the factors' indices, a sample without repetition."""
    if not 1 <= n <= FRAMES:
        raise ValueError(f"n={n}: dsprites has {FRAMES} pictures; give a number from 1 to {FRAMES}")
    chosen = np.random.default_rng(seed).choice(FRAMES, size=n, replace=False)
    latents = np.stack(np.unravel_index(chosen, LEVELS), axis=1)
    return Data(render(latents), latents, kind="images", source="dsprites")


def render(latents: Any) -> np.ndarray:
    """Pictures from factors.

    Parameters
    ----------
    latents : array-like (N, 5) of int
        Indices of shape (square, ellipse, heart), scale, orientation, posX and posY, each below `LEVELS`.

    Returns
    -------
    numpy.ndarray
        (N, 1, 64, 64) uint8, 0 black and 1 white.

    Examples
    --------
    >>> render([[0, 5, 0, 16, 16]]).sum()  # the largest square
    np.uint64(361)
    """
    latents = np.asarray(latents)
    if latents.ndim != 2 or latents.shape[1] != len(LEVELS) or latents.dtype.kind not in "iu":
        raise ValueError(
            f"latents: expected integers (N, 5) for {', '.join(FACTORS)}, got {latents.dtype} {latents.shape}"
        )
    outside = np.argwhere((latents < 0) | (latents >= LEVELS))
    if len(outside):
        row, factor = outside[0]
        raise ValueError(f"latents[{row}]: {FACTORS[factor]}={latents[row, factor]} is outside 0..{LEVELS[factor] - 1}")
    out = np.empty((len(latents), 1, SIZE, SIZE), np.uint8)
    for start in range(0, len(latents), 256):  # 256 frames at a time: 8 MiB per array of coordinates
        out[start : start + 256, 0] = _rendered(latents[start : start + 256])
    return out


def _rendered(latents: np.ndarray) -> np.ndarray:
    """(N, 64, 64) bool."""
    scale, orientation, x, y = (column[:, None, None] for column in latents.T[1:])
    s = 0.5 + scale / 10  # 0.5, 0.6, ..., 1
    angle = -2 * np.pi * orientation / 39
    right = (np.arange(SIZE) - (15.5 + 32 * x / 31)) / s  # (N, 1, 64)
    down = (np.arange(SIZE)[:, None] - (15.5 + 32 * y / 31)) / s  # (N, 64, 1)
    u = np.cos(angle) * right + np.sin(angle) * down
    v = np.cos(angle) * down - np.sin(angle) * right
    inside = np.empty(u.shape, bool)
    for which, form in enumerate((_square, _ellipse, _heart)):
        rows = latents[:, 0] == which
        inside[rows] = form(u[rows], v[rows])
    return inside


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) < 9.6


def _ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (u / 12.75) ** 2 + (v / 7.25) ** 2 < 1


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    t = np.linspace(0, np.pi, 721)  # the right half, from the notch to the tip; the left one mirrors it
    right = 9.6 * np.sin(t) ** 3
    up = 0.6622 * (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) + 1.4375
    angle = np.arctan2(np.abs(u), -v)  # from straight up; the outline is met once in every direction
    return np.hypot(u, v) < np.interp(angle, np.arctan2(right, up), np.hypot(right, up))


DSPRITES = Dataset(
    name="dsprites",
    title="dSprites, squares, ellipses and hearts from five factors, 64 x 64",
    kind="images",
    rows={"all": FRAMES},
    licence="Apache-2.0",
    citation="Matthey, Higgins, Hassabis, Lerchner 2017, dSprites: disentanglement testing sprites dataset",
    read=read,
)
