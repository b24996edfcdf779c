"""Pictures that the tests write, and how."""

import struct
import zlib

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 5)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, (6, 5, 3)).astype(np.uint8)
DEEP = RNG.integers(0, 65536, (6, 5)).astype(np.uint16)
DEEP_COLOUR = RNG.integers(0, 65536, (6, 5, 3)).astype(np.uint16)
ALPHA = RNG.integers(0, 256, (6, 5, 1)).astype(np.uint8)


def on_white(picture, alpha):
    white = np.iinfo(picture.dtype).max
    return np.rint(picture * (alpha / white) + (white - alpha.astype(float))).astype(picture.dtype)


ON_WHITE, GREY_ON_WHITE = on_white(COLOUR, ALPHA), on_white(GREY, ALPHA[..., 0])
MULTIPLIED = np.rint(COLOUR * (ALPHA / 255)).astype(np.uint8)


def first(x):
    return x[None] if x.ndim == 2 else np.moveaxis(x, -1, 0)


def save(path, picture=GREY, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)


def deep_png(pixels, filters, packed=None):
    """A 16-bit PNG with the given filter on each row, as the specification defines them; or with other data in it."""
    h, w, c = pixels.shape
    raw = pixels.astype(">u2").view(np.uint8).reshape(h, -1).astype(int)
    bpp = 2 * c
    left = np.pad(raw, ((0, 0), (bpp, 0)))[:, :-bpp]
    up = np.pad(raw, ((1, 0), (0, 0)))[:-1]
    corner = np.pad(raw, ((1, 0), (bpp, 0)))[:-1, :-bpp]
    p = left + up - corner
    distance = np.stack([abs(p - left), abs(p - up), abs(p - corner)])
    paeth = np.choose(distance.argmin(0), [left, up, corner])
    guess = [raw * 0, left, up, (left + up) // 2, paeth]
    rows = b"".join(
        bytes([f]) + ((raw[y] - guess[f][y]) % 256).astype(np.uint8).tobytes() for y, f in enumerate(filters)
    )

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", w, h, 16, {3: 2, 2: 4, 4: 6}[c], 0, 0, 0)
    packed = zlib.compress(rows) if packed is None else packed
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", packed[:20]), chunk(b"IDAT", packed[20:]), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
