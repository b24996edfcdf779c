"""Picture files that Pillow decodes -> arrays (C, H, W) with C = 1 or 3.

8 bits per channel give uint8, 16 bits uint16, 1 bit 0 and 255, floats float32. What is transparent is composited onto
white, as a page shows it; a single transparent colour of 16 bits is ignored.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers.decoding import check_fits

# Pillow's name of a format -> how its files are called. Formats that need another program to open (EPS) are not here:
# that program runs what the file says.
FORMATS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".mpo",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "GIF": (".gif",),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx", ".jpf", ".jpc", ".j2c"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "TGA": (".tga",),
    "PCX": (".pcx",),
    "QOI": (".qoi",),
    "SGI": (".sgi",),
}
SEVERAL_FRAMES = (
    "GIF",
    "WEBP",
    "PNG",
    "AVIF",
    "TIFF",
)  # the second picture of an MPO is a preview, or for the other eye
ORIENTATION = 274  # the tag, in EXIF as in TIFF
STRIP = 256  # rows converted at a time, so that memory stays at that of the picture and of its array
_redirected = threading.Lock()


def decode(path: Path) -> list[np.ndarray]:
    """The pictures of one file, each (C, H, W); more than one only for animations and TIFF pages."""
    pictures = []
    with _opened(path) as opened:
        frames = getattr(opened, "n_frames", 1) if opened.format in SEVERAL_FRAMES else 1
        check_fits(path, 3 * frames * opened.width * opened.height, "its pictures take", "split the file")
        for frame in range(frames):
            if frames > 1:
                opened.seek(frame)
            pictures.append(_frame(path, opened, frame))
    if len({picture.shape[0] for picture in pictures}) > 1:  # a GIF may begin grey and go on in colour
        pictures = [np.repeat(picture, 3 // len(picture), axis=0) for picture in pictures]
    return pictures


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from PIL import Image

    Image.init()
    with Image.open(path, formats=[form for form in FORMATS if form in Image.OPEN]) as opened:
        yield opened


def _frame(path: Path, opened: Any, number: int) -> np.ndarray:
    raw_mode, several = _raw_mode(opened), len(opened.getbands()) > 1
    image = _loaded(opened)
    if several and ";16" in raw_mode:
        return _sixteen_bits(path, image, number, raw_mode)
    if several and raw_mode == "ppm":
        raise ValueError("a colour picture of 16 bits per channel, of which Pillow keeps 8; save it as PNG or TIFF")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
            raise ValueError("whole numbers of 32 bits; save the picture with 16, or as a TIFF of floats")
        return values.astype(np.uint16)[None]
    return np.asarray(image)[None] if image.mode == "F" else _eight_bits(image)


def _loaded(opened: Any) -> Any:
    """The decoded image, the right way up."""
    from PIL import ImageOps

    with _quiet_libtiff() if opened.format == "TIFF" else contextlib.nullcontext():
        opened.load()
    upright = opened.getexif().get(ORIENTATION, 1) == 1
    return opened if upright else ImageOps.exif_transpose(opened)  # which makes a copy


def _raw_mode(opened: Any) -> str:
    """How the numbers lie in the file, such as RGB;16B; "ppm" where that format's own decoder cuts 16 bits to 8."""
    for codec, _, _, args in opened.tile:
        if codec.startswith("ppm") and isinstance(args, tuple) and args[-1] > 255:
            return "ppm"
        return str(args[0] if isinstance(args, tuple) and args else args)
    return ""


def _eight_bits(image: Any) -> np.ndarray:
    """(1 or 3, H, W) uint8 of an image of 1 or 8 bits per channel, whatever its mode, composited onto white."""
    from PIL import Image

    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    out = np.empty((len(mode), image.height, image.width), np.uint8)
    for top in range(0, image.height, STRIP):
        strip = image.crop((0, top, image.width, min(image.height, top + STRIP)))
        if image.has_transparency_data:
            strip = strip.convert(f"{mode}A")
            page = Image.new(mode, strip.size, "white")
            page.paste(strip.convert(mode), mask=strip.getchannel("A"))
            strip = page
        rows = np.asarray(strip.convert(mode))
        out[:, top : top + STRIP] = rows if rows.ndim == 2 else np.moveaxis(rows, -1, 0)
    return out


def _sixteen_bits(path: Path, image: Any, number: int, raw_mode: str) -> np.ndarray:
    """(1 or 3, H, W) uint16 of a picture of several channels, of whose 16 bits Pillow has kept the upper 8 in `image`.

    Decoded once more as if its bytes lay the other way round, the same file gives the lower 8. Grey with alpha has as
    many bytes per pixel as 8-bit RGBA, and is decoded as that.
    """
    mode, _, order = raw_mode.partition(";16")
    if mode not in ("RGB", "RGBA", "RGBX", "LA"):
        raise ValueError(f"16 bits per channel of colours as {mode}; convert it to RGB or grey first")
    other = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}[order]
    with _opened(path) as opened:
        if number:
            opened.seek(number)
        opened.tile = [_decoded_as("RGBA" if mode == "LA" else f"{mode};16{other}", tile) for tile in opened.tile]
        again = np.asarray(_loaded(opened))
    if mode == "LA":
        values = np.ascontiguousarray(again).view(">u2").astype(np.uint16)
    else:
        values = np.asarray(image).astype(np.uint16) << np.uint16(8)
        values |= again
    return channels_first(values if values.shape[-1] % 2 else on_white(values[..., :-1], values[..., -1:]))


def _decoded_as(raw_mode: str, tile: Any) -> Any:
    return tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)


def channels_first(picture: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) -> (C, H, W), C = 1 or 3; one channel more is dropped."""
    if picture.ndim == 2:
        return picture[None]
    channels = picture.shape[-1]
    if channels not in (1, 2, 3, 4):
        raise ValueError(
            f"{channels} channels; expected 1 or 3, and alpha at most; save such pictures as .npy (N, C, H, W)"
        )
    return np.ascontiguousarray(np.moveaxis(picture[..., : channels - (channels % 2 == 0)], -1, 0))


def on_white(picture: np.ndarray, alpha: np.ndarray, multiplied: bool = False) -> np.ndarray:
    """alpha * picture + (1 - alpha) * white, in the picture's own unsigned numbers; in strips, to save memory.

    picture (H, W) or (H, W, C); alpha (H, W) or (H, W, 1); `multiplied` where it was multiplied by alpha already.
    """
    out = np.empty_like(picture)
    white = np.iinfo(picture.dtype).max
    for top in range(0, len(picture), STRIP):
        rows = slice(top, top + STRIP)
        share = alpha[rows] / white  # float64
        lit = (picture[rows] if multiplied else share * picture[rows]) + (1 - share) * white
        out[rows] = np.rint(lit).clip(0, white)
    return out


@contextlib.contextmanager
def _quiet_libtiff() -> Iterator[None]:
    """Turns away what libtiff, a C library, writes to the terminal about corrupt files, past Python's own streams."""
    with _redirected:
        try:
            kept = os.dup(2)
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except OSError:  # no terminal to keep quiet
            yield
            return
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
