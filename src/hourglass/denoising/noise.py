"""Models of noise, in grey levels where white is 255, and how strong the noise of a picture is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WHITE = 255.0
KINDS = ("gaussian", "poisson", "salt-pepper", "masked")
USUAL = {"gaussian": (0.0, 55.0), "poisson": (30.0, 30.0), "salt-pepper": (0.1, 0.1), "masked": (0.5, 0.5)}

Adds = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Noise:
    """Noise of one kind, its strength drawn anew for every patch between `low` and `high`.

    gaussian: standard deviation in grey levels. poisson: photons of a white pixel, fewer being noisier. salt-pepper:
    share of the pixels that become white or black. masked: share of the pixels that become black.
    """

    kind: str
    low: float
    high: float

    @classmethod
    def parse(cls, words: str) -> Noise:
        """ "gaussian:25", "gaussian:0-55", "poisson:30", "salt-pepper:0.1", "masked:0.5"; a kind alone takes its usual
        strength.

        Raises
        ------
        ValueError : for anything else.
        """
        kind, _, strength = words.partition(":")
        if kind not in KINDS:
            raise ValueError(f"noise={words!r}: {kind!r} is unknown; choose {', '.join(KINDS)}, such as 'gaussian:25'")
        try:
            ends = [float(part) for part in strength.split("-")] if strength else list(USUAL[kind])
        except ValueError:
            ends = []
        most = 1.0 if kind in ("salt-pepper", "masked") else np.inf
        if len(ends) not in (1, 2) or not 0 <= ends[0] <= ends[-1] <= most or (kind == "poisson" and ends[0] <= 0):
            raise ValueError(f"noise={words!r}: {strength!r} is no strength; say one number, or a range such as 0-55")
        return cls(kind, ends[0], ends[-1])

    def __call__(self, levels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Patches (B, C, H, W) with noise, float32; not clipped."""
        shape = (len(levels), *[1] * (levels.ndim - 1))
        strength = rng.uniform(self.low, self.high, shape).astype(np.float32)
        if self.kind == "gaussian":
            return levels + strength * rng.standard_normal(levels.shape, dtype=np.float32)
        if self.kind == "poisson":
            photons = np.clip(levels, 0, None) / WHITE * strength
            return (rng.poisson(photons) / strength * WHITE).astype(np.float32)
        drawn = rng.random(levels.shape, dtype=np.float32)
        if self.kind == "masked":
            return np.where(drawn < strength, np.float32(0), levels)
        return np.where(drawn < strength / 2, np.float32(0), np.where(drawn < strength, np.float32(WHITE), levels))


def estimate(picture: np.ndarray) -> float:
    """The standard deviation of white Gaussian noise in a picture (C, H, W), in its own units.

    The median of the finest diagonal differences, which a picture has little of: Donoho and Johnstone 1994,
    doi:10.1093/biomet/81.3.425, with the Haar wavelet.
    """
    height, width = (side // 2 * 2 for side in picture.shape[1:])
    if not height or not width:
        return 0.0
    p = picture[:, :height, :width].astype(np.float64)
    details = (p[:, ::2, ::2] - p[:, 1::2, ::2] - p[:, ::2, 1::2] + p[:, 1::2, 1::2]) / 2
    return float(np.median(np.abs(details)) / 0.6745)


def correlation(taken: np.ndarray) -> float:
    """How alike neighbouring pixels of what was taken off a picture (C, H, W) are, from -1 to 1."""
    if min(taken.shape[1:]) < 2 or not taken.std():
        return 0.0
    centred = taken.astype(np.float64) - taken.mean()
    across = (centred[:, :, 1:] * centred[:, :, :-1]).mean() + (centred[:, 1:] * centred[:, :-1]).mean()
    return float(across / (2 * centred.var()))


def psnr(clean: np.ndarray, other: np.ndarray, white: float = WHITE) -> float:
    """Peak signal-to-noise ratio in decibels."""
    error = float(np.square(clean.astype(np.float64) - other).mean())
    return float(10 * np.log10(white**2 / error)) if error else float("inf")
