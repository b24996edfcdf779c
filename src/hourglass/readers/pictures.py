"""Folders of pictures -> one array (N, C, H, W): PNG, JPEG, TIFF; grey, colour, palette; 1, 8 and 16 bits a channel.

Values stay in the file's own units: 8 bits give uint8, 16 bits uint16, 1 bit 0 and 255. What is transparent
is laid on white, as a page shows it; a transparent colour of 16 bits, and alpha beside floats, are dropped.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from hourglass.readers import deep_png
from hourglass.readers.data import Data

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def read(path: Path) -> Data:
    """Pictures of a folder and the folders in it, in the order of their paths, or of one file.

    A picture's label is the first sub-folder on its path, if there are sub-folders. A TIFF of several pages is several
    pictures, called `file.tif[0]`, `file.tif[1]`, ... What cannot be decoded is listed in `Data.skipped`.

    Raises ValueError if no file can be read, or if two pictures differ in size, channels or depth.
    """
    root, files = (path, picture_files(path)) if path.is_dir() else (path.parent, [path])
    pictures: list[np.ndarray] = []
    names: list[str] = []
    labels: list[str] = []
    skipped: list[tuple[str, str]] = []
    for file in files:
        relative = file.relative_to(root)
        try:
            pages = decode(file)
        except MemoryError:
            raise
        except (
            Exception
        ) as error:  # decoders raise whatever they like on damaged files; one bad file must not stop the rest
            skipped.append((str(file), _reason(error)))
            continue
        for number, picture in enumerate(pages):
            name = relative.as_posix() + (f"[{number}]" if len(pages) > 1 else "")
            if pictures:
                _same_form(names[0], pictures[0], name, picture)
            pictures.append(picture)
            names.append(name)
            labels.append(relative.parts[0] if len(relative.parts) > 1 else "")
    if not pictures:
        first, reason = skipped[0]
        raise ValueError(f"{path}: none of its {len(skipped)} pictures could be read; the first, {first}: {reason}")
    return Data(
        np.stack(pictures),
        labels=np.array(labels) if any(labels) else None,
        names=tuple(names),
        kind="images",
        skipped=tuple(skipped),
        source=str(path),
    )


def _reason(error: Exception) -> str:
    """The first line of the error; Pillow's for a foreign file would name an object of ours."""
    if "cannot identify image file" in str(error):
        return "not a picture, or one that is damaged"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def picture_files(folder: Path) -> list[Path]:
    """Picture files below a folder, sorted by path; hidden files and folders are passed over."""
    found = (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    return sorted(
        file for file in found if not any(part.startswith((".", "__")) for part in file.relative_to(folder).parts)
    )


def decode(file: Path) -> list[np.ndarray]:
    """The pictures of one file, each (C, H, W) with C = 1 or 3; more than one only for a TIFF of several pages."""
    if file.suffix.lower() in (".tif", ".tiff"):
        return _tiff(file)
    content = file.read_bytes()
    if deep_png.is_deep(content):
        return [_channels_first(_opaque(deep_png.decode(content)))]
    return [_pillow(content)]


def _pillow(content: bytes) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        image = ImageOps.exif_transpose(opened)
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        return np.asarray(image).astype(np.uint16)[None]
    if image.mode == "F":
        return np.asarray(image)[None]
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    return _channels_first(_opaque(np.asarray(image.convert(mode + "A" if image.has_transparency_data else mode))))


def _tiff(file: Path) -> list[np.ndarray]:
    import tifffile

    with tifffile.TiffFile(file) as opened:
        if not len(opened.pages):
            raise ValueError("the file holds no page")
        try:
            return [_page(page) for page in opened.pages]
        except ValueError as error:
            if "imagecodecs" not in str(error) or len(opened.pages) > 1:
                raise
    return [_pillow(file.read_bytes())]  # Pillow brings the compressions for which tifffile needs another package


def _page(page: object) -> np.ndarray:
    """One TIFF page, (C, H, W); `axes` says how its samples lie, `photometric` what they mean."""
    picture = page.asarray()  # type: ignore[attr-defined]
    axes, meaning = page.axes, page.photometric.name  # type: ignore[attr-defined]
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * np.uint8(255)
    if meaning == "PALETTE":
        colours = page.colormap  # type: ignore[attr-defined]  # (3, 2**bits), 16 bits a channel
        return (colours[:, picture] >> 8).astype(np.uint8)
    if meaning not in ("MINISBLACK", "MINISWHITE", "RGB"):
        raise ValueError(f"a TIFF page of colours as {meaning}; convert it to RGB or grey first")
    if axes == "SYX":
        picture = np.moveaxis(picture, 0, -1)
    elif axes not in ("YX", "YXS"):
        raise ValueError(f"a TIFF page with axes {axes}; expected one flat picture a page")
    if picture.dtype.kind not in "uf":
        raise ValueError(f"a TIFF page of {picture.dtype} numbers; expected unsigned integers or floats")
    extra = [int(kind) for kind in page.extrasamples]  # type: ignore[attr-defined]  # TIFF 6.0, section 18
    beside = picture[..., -len(extra) :] if extra else None
    picture = picture[..., : -len(extra)] if extra else picture
    if meaning == "MINISWHITE" and picture.dtype.kind == "u":
        picture = np.iinfo(picture.dtype).max - picture
    if beside is not None and extra[0] in (1, 2) and picture.dtype.kind == "u":  # alpha, 1: multiplied by it already
        picture = _on_white(picture, beside[..., :1], multiplied=extra[0] == 1)
    return _channels_first(picture)


def _channels_first(picture: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) -> (C, H, W), C = 1 or 3; one channel more is dropped."""
    if picture.ndim == 2:
        return picture[None]
    channels = picture.shape[-1]
    if channels not in (1, 2, 3, 4):
        raise ValueError(
            f"{channels} channels; expected 1 or 3, and alpha at most; save such pictures as .npy (N, C, H, W)"
        )
    return np.ascontiguousarray(np.moveaxis(picture[..., : channels - (channels % 2 == 0)], -1, 0))


def _opaque(picture: np.ndarray) -> np.ndarray:
    """A PNG's (H, W) or (H, W, C), without the alpha that the last of two or four channels is."""
    if picture.ndim == 2 or picture.shape[-1] % 2:
        return picture
    return _on_white(picture[..., :-1], picture[..., -1:])


def _on_white(picture: np.ndarray, alpha: np.ndarray, multiplied: bool = False) -> np.ndarray:
    """alpha * picture + (1 - alpha) * white, in the picture's own unsigned numbers."""
    white = np.iinfo(picture.dtype).max
    share = alpha / white  # float64
    laid = (picture if multiplied else share * picture) + (1 - share) * white
    return np.rint(laid).clip(0, white).astype(picture.dtype)


def _same_form(first: str, picture: np.ndarray, second: str, other: np.ndarray) -> None:
    def words(x: np.ndarray) -> str:
        return f"{x.shape[2]} x {x.shape[1]}, {'grey' if x.shape[0] == 1 else 'colour'}, {x.dtype}"

    if picture.shape == other.shape and picture.dtype == other.dtype:
        return
    remedy = "crop or resize all to one size" if picture.shape[1:] != other.shape[1:] else "save all in one form"
    raise ValueError(
        f"{first} is {words(picture)} but {second} is {words(other)}; one model takes pictures of one form: {remedy}"
    )
