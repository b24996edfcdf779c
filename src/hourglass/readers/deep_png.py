"""PNG pictures of 16 bits a channel with colour or alpha, which Pillow cuts down to 8 bits.

Source: W3C Portable Network Graphics Specification, sections 9 (filters) and 11 (chunks).
Interlaced files are not read.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

CHANNELS = {2: 3, 4: 2, 6: 4}  # colour type -> values a pixel
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def is_deep(content: bytes) -> bool:
    """Whether this is a PNG file of 16 bits a channel with more than one channel."""
    return content[:8] == SIGNATURE and len(content) > 26 and content[24] == 16 and content[25] in CHANNELS


def decode(content: bytes) -> np.ndarray:
    """(H, W, channels) uint16, alpha included. Raises ValueError for a damaged or interlaced file."""
    width, height, _, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    if interlaced:
        raise ValueError("interlaced 16-bit colour PNG; save it without interlacing")
    data, at = b"", 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        if content[at + 4 : at + 8] == b"IDAT":
            data += content[at + 8 : at + 8 + length]
        at += 12 + length
    pixel = 2 * CHANNELS[colour]
    stride = width * pixel
    try:
        rows = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"damaged picture data ({error})") from error
    if len(rows) != height * (stride + 1):
        raise ValueError(f"picture data of {len(rows)} bytes, expected {height * (stride + 1)}; the file is cut short")
    out = np.zeros((height, stride), np.uint8)
    above = np.zeros(stride, np.uint8)
    for y in range(height):
        start = y * (stride + 1)
        line = np.frombuffer(rows, np.uint8, stride, start + 1)
        above = out[y] = _unfiltered(rows[start], line, above, pixel)
    return out.view(">u2").reshape(height, width, -1).astype(np.uint16)


def _unfiltered(kind: int, line: np.ndarray, above: np.ndarray, pixel: int) -> np.ndarray:
    """One row of bytes without its filter: 0 none, 1 left, 2 above, 3 average of both, 4 Paeth. All modulo 256."""
    if kind == 0:
        return line
    if kind == 1:
        return np.cumsum(line.reshape(-1, pixel), axis=0, dtype=np.uint8).reshape(-1)
    if kind == 2:
        return line + above
    if kind not in (3, 4):
        raise ValueError(f"unknown row filter {kind}; the file is damaged")
    row, up, left, corner = line.tolist(), above.tolist(), [0] * pixel, [0] * pixel
    for i, (value, b) in enumerate(zip(row, up, strict=True)):
        a, c = (row[i - pixel], up[i - pixel]) if i >= pixel else (left[i], corner[i])
        row[i] = (value + ((a + b) >> 1 if kind == 3 else _paeth(a, b, c))) & 255
    return np.array(row, np.uint8)


def _paeth(a: int, b: int, c: int) -> int:
    """Whichever of left a, above b and corner c is nearest to a + b - c."""
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    return a if to_a <= to_b and to_a <= to_c else b if to_b <= to_c else c
