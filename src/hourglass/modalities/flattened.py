"""Pictures that come as rows of a table, a column for each pixel: noticed, as they are learned better as pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

MIN_PIXELS = 256
SAMPLE = 500  # rows that are looked at
# median correlations of neighbouring pixels, and of pixels half a picture apart: MNIST 0.74 and 0.0, Fashion-MNIST 0.79
# and 0.23, dSprites 0.9 and 0.0, crops of photographs 0.95 and 0.5
MIN_CORRELATION, MIN_DIFFERENCE = 0.5, 0.2
CHANNELS = (1, 3)


def picture_shape(columns: Mapping[str, np.ndarray]) -> tuple[int, ...] | None:
    """(H, H) or (H, H, 3) if rows of these columns (N,) look like square pictures, row after row; else None.

    Their numbers have one range, that of pixels; neighbours along both axes are alike, and pixels far apart are not.
    """
    n = len(columns)
    sides = {channels: math.isqrt(n // channels) for channels in CHANNELS}
    shapes = [(side, side, channels) for channels, side in sides.items() if side * side * channels == n]
    if n < MIN_PIXELS or not shapes or any(values.dtype == object for values in columns.values()):
        return None
    rows = np.stack([values[:SAMPLE] for values in columns.values()], axis=1).astype(np.float64)
    if len(rows) < 3 or not np.isfinite(rows).all() or rows.min() < 0 or not (rows.max() <= 1 or _is_byte(rows)):
        return None
    for height, width, channels in shapes:
        pictures = rows.reshape(len(rows), height, width, channels)
        down, across = (
            _correlation(pictures[:, :-1], pictures[:, 1:]),
            _correlation(pictures[:, :, :-1], pictures[:, :, 1:]),
        )
        far = _correlation(pictures[:, : height // 2], pictures[:, -(height // 2) :])
        if min(down, across) > max(MIN_CORRELATION, far + MIN_DIFFERENCE):
            return (height, width) if channels == 1 else (height, width, channels)
    return None


def hint(shape: tuple[int, ...]) -> str:
    """What is said of such a table."""
    size, axes = " x ".join(map(str, shape[:2])), ", ".join(map(str, shape))
    return (
        f"the {math.prod(shape)} columns look like the pixels of pictures of {size}; as pictures, an array of shape "
        f"(N, {axes}), they are learned better and faster: X.reshape(-1, {axes}), saved as .npy for the command line"
    )


def _is_byte(rows: np.ndarray) -> bool:
    return rows.max() <= 255 and bool((rows == rows.round()).all())


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """The median correlation over examples of pixels (N, ...) with others, of those that vary; 0 if few do."""
    one, other = (x.reshape(len(x), -1) - x.reshape(len(x), -1).mean(axis=0) for x in (one, other))
    scale = np.sqrt(np.square(one).sum(axis=0) * np.square(other).sum(axis=0))
    varies = scale > 0
    if varies.mean() < 0.2:
        return 0.0
    return float(np.median((one * other).sum(axis=0)[varies] / scale[varies]))
