"""TIFF files -> one array (C, H, W) per page, C = 1 or 3; by tifffile, and where that lacks a decompressor by Pillow.

Source: TIFF 6.0: orientation, section 8; alpha, section 18.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers import pillow
from hourglass.readers.decoding import check_fits, inflate

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES = 65_536
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = 0, 1, 2, 3  # values of PhotometricInterpretation
DEFLATE = (8, 32946)  # values of Compression
MAX_INFLATION = 1032  # bytes that one byte of zlib data can unpack to at most
UNCHECKED = 1 << 26  # bytes a segment may unpack to without a look at it first


def is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in MAGIC


def decode(path: Path) -> list[np.ndarray]:
    """The pages of a TIFF file. Raises ValueError for what is not a flat grey or colour picture."""
    import tifffile

    with _quiet_tifffile(), tifffile.TiffFile(path) as opened:
        pages = _pages(path, opened)
        try:
            return [_page(page) for page in pages]
        except ValueError as error:
            if "imagecodecs" not in str(error):  # the package in which tifffile looks for LZW, JPEG and others
                raise
    return pillow.decode(path)


def _pages(path: Path, opened: Any) -> list[Any]:
    """The pages, if their number and their size can be those of pictures."""
    from PIL import Image

    pages: list[Any] = []
    n_bytes = 0
    offsets: set[int] = set()
    for page in opened.pages:
        if page.offset in offsets:  # a chain that leads back to itself ends there
            break
        offsets.add(page.offset)
        pages.append(page)
        if len(pages) > MAX_PAGES:
            raise ValueError(f"more than {MAX_PAGES:,} pages; split the file")
        pixels = int(page.imagewidth) * int(page.imagelength)
        if Image.MAX_IMAGE_PIXELS is not None and pixels > 2 * Image.MAX_IMAGE_PIXELS:  # as Pillow does
            raise ValueError(
                f"a page of {page.imagewidth} x {page.imagelength} pixels, more than {2 * Image.MAX_IMAGE_PIXELS:,}; "
                "if it is real, crop or scale it first"
            )
        if page.dtype is None:
            raise ValueError(f"a page of {page.bitspersample} bits per sample, which tifffile does not decode")
        n_bytes += math.prod(page.shape) * page.dtype.itemsize
        if int(page.compression) in DEFLATE:
            _check_segments(page)
    if not pages:
        raise ValueError("the file holds no page")
    check_fits(path, n_bytes, "its pages take", "split the file")
    return pages


def _check_segments(page: Any) -> None:
    """Raises ValueError if a strip or tile unpacks to more than it should hold; tifffile unpacks without a limit."""
    tile = page.is_tiled
    rows, columns = (page.tilelength, page.tilewidth) if tile else (page.rowsperstrip, page.imagewidth)
    expected = min(int(rows), 1 << 31) * int(columns) * page.samplesperpixel * page.dtype.itemsize
    for offset, packed in zip(page.dataoffsets, page.databytecounts, strict=False):
        if packed * MAX_INFLATION <= max(UNCHECKED, expected):
            continue
        page.parent.filehandle.seek(offset)
        if inflate(page.parent.filehandle.read(packed), max(UNCHECKED, expected)) > max(UNCHECKED, expected):
            raise ValueError(f"{packed} bytes of a page unpack to more than its {expected} bytes; the file is corrupt")


def _page(page: Any) -> np.ndarray:
    """One page, (C, H, W); `axes` says how its samples lie, `photometric` what they mean."""
    picture = page.asarray()
    meaning = int(page.photometric)  # a plain number where it is none of the known ones
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * np.uint8(255)
    if meaning == PALETTE and page.colormap is not None:
        colours = page.colormap  # (3, 2**bits), 16 bits a channel
        return upright((colours[:, picture] >> 8).astype(np.uint8), page)
    if meaning not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB):
        name = getattr(page.photometric, "name", meaning)
        raise ValueError(f"a TIFF page of colours as {name}; convert it to RGB or grey first")
    if page.axes == "SYX":
        picture = np.moveaxis(picture, 0, -1)
    elif page.axes not in ("YX", "YXS"):
        raise ValueError(f"a TIFF page with axes {page.axes}; expected one flat picture per page")
    if picture.dtype.kind not in "uf":
        raise ValueError(f"a TIFF page of {picture.dtype} numbers; expected unsigned integers or floats")
    extra = [int(kind) for kind in page.extrasamples]
    beyond = picture[..., -len(extra) :] if extra else None
    picture = picture[..., : -len(extra)] if extra else picture
    if meaning == WHITE_IS_ZERO and picture.dtype.kind == "u":
        picture = np.iinfo(picture.dtype).max - picture
    if beyond is not None and extra[0] in (1, 2) and picture.dtype.kind == "u":  # alpha; 1: multiplied by it already
        picture = pillow.on_white(picture, beyond[..., :1], multiplied=extra[0] == 1)
    return upright(pillow.channels_first(picture), page)


def upright(picture: np.ndarray, page: Any) -> np.ndarray:
    """(C, H, W) with its first row on top and its first column on the left, whatever its tag says of them."""
    tag = page.tags.get(pillow.ORIENTATION)
    orientation = tag.value if tag is not None else 1
    if orientation in (5, 6, 7, 8):  # rows and columns exchanged
        picture = picture.swapaxes(1, 2)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, :, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


@contextlib.contextmanager
def _quiet_tifffile() -> Iterator[None]:
    """What tifffile logs about corrupt files is turned away; what matters of it comes as the error."""
    logger = logging.getLogger("tifffile")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
