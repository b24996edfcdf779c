"""MNIST pictures from their idx file, for every side of a comparison alike; needs numpy only."""

import gzip
from pathlib import Path

import numpy as np


def read_pixels(path: Path) -> np.ndarray:
    """Pixels of an `*-images-idx3-ubyte.gz` file.

    Returns
    -------
    numpy.ndarray of uint8, shape (N, 784), read-only
        One row per picture, in the order of the file.

    Raises
    ------
    ValueError
        If the file does not hold 28x28 pictures in the idx format.
    """
    content = gzip.decompress(path.read_bytes())
    magic, count, rows, columns = (int.from_bytes(content[i : i + 4], "big") for i in range(0, 16, 4))
    if magic != 0x803 or (rows, columns) != (28, 28) or len(content) != 16 + count * 784:
        raise ValueError(f"path={str(path)!r} holds no 28x28 pictures (magic {magic:#x}); give an images-idx3-ubyte.gz")
    return np.frombuffer(content, np.uint8, offset=16).reshape(count, 784)


def binarised(pixels: np.ndarray, seed: int = 0) -> np.ndarray:
    """One draw x ~ Bernoulli(pixel / 255), the same for the same seed.

    The binarised MNIST of Salakhutdinov & Murray (2008), drawn with numpy's `default_rng(seed)`.

    Returns
    -------
    numpy.ndarray of float32, shape of `pixels`
        0 or 1.
    """
    return (np.random.default_rng(seed).random(pixels.shape) < pixels / 255).astype(np.float32)
