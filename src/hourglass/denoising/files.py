"""Picture files in and out as they were: format, depth, pages, opacity, colour profile and EXIF."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers.decoding import decoding
from hourglass.readers.pillow import FORMATS
from hourglass.readers.writing import written_whole

TIFF = (".tif", ".tiff")
ARRAYS = (".npy",)
WRITTEN = ("PNG", "JPEG", "WEBP", "BMP", "TGA", "PPM", "GIF")  # formats of Pillow that come back as they were
SUFFIXES = (*TIFF, *ARRAYS, *(suffix for form in WRITTEN for suffix in FORMATS.get(form, ())))

Clean = Callable[[np.ndarray], np.ndarray]  # a picture (H, W) or (H, W, C) of any type -> one of the same


def denoise_file(source: Path, target: Path, clean: Clean) -> int:
    """Writes the file with all its pictures cleaned; the number of them.

    Raises
    ------
    ValueError : for a file that cannot be read, or that could not be written as it is, naming it.
    """
    suffix = source.suffix.lower()
    if suffix in TIFF:
        return _tiff(source, target, clean)
    if suffix in ARRAYS:
        with decoding(source, "numpy"):
            array = np.load(source, allow_pickle=False)
        with written_whole(target) as temporary, temporary.open("wb") as file:
            np.save(file, clean(array))
        return 1
    return _pillow(source, target, clean)


def _tiff(source: Path, target: Path, clean: Clean) -> int:
    """Page by page, with description, resolution and compression of each; alpha is left as it is."""
    import tifffile

    with decoding(source, "TIFF"), tifffile.TiffFile(source) as file:
        pages = [(page.asarray(), page) for page in file.pages]
        facts = [_of_page(page) for _, page in pages]
        big, order = file.is_bigtiff, file.byteorder
    alphas = [int(fact.pop("n_alpha")) for fact in facts]
    made = [_without_alpha(array, n, clean) for (array, _), n in zip(pages, alphas, strict=True)]
    with written_whole(target) as temporary, tifffile.TiffWriter(temporary, bigtiff=big, byteorder=order) as writer:
        for array, fact in zip(made, facts, strict=True):
            writer.write(array, metadata=None, contiguous=False, **fact)
    return len(made)


def _of_page(page: Any) -> dict[str, Any]:
    tags = page.tags
    description = tags["ImageDescription"].value if "ImageDescription" in tags else None
    fact: dict[str, Any] = {
        "photometric": page.photometric,
        "n_alpha": len(page.extrasamples),
        "description": description.encode("utf-8") if isinstance(description, str) else None,
        "compression": "zlib" if int(page.compression) != 1 else None,
    }
    if page.samplesperpixel > 1:
        fact["planarconfig"] = page.planarconfig
        fact["extrasamples"] = page.extrasamples or None
    if "XResolution" in tags and "YResolution" in tags:
        fact["resolution"] = (tags["XResolution"].value, tags["YResolution"].value)
        fact["resolutionunit"] = page.tags["ResolutionUnit"].value if "ResolutionUnit" in tags else None
    if "InterColorProfile" in tags:
        fact["iccprofile"] = tags["InterColorProfile"].value
    return fact


def _without_alpha(array: np.ndarray, n_alpha: int, clean: Clean) -> np.ndarray:
    """The picture cleaned but for its last `n_alpha` channels."""
    if not n_alpha or array.ndim < 3:
        return clean(array)
    axis = -1 if array.shape[-1] <= 8 else 0
    moved = np.moveaxis(array, axis, -1)
    colour = moved[..., :-n_alpha]
    made = clean(colour[..., 0] if colour.shape[-1] == 1 else colour)
    made = made[..., None] if made.ndim == 2 else made
    return np.moveaxis(np.concatenate([made, moved[..., -n_alpha:]], axis=-1), -1, axis)


def _pillow(source: Path, target: Path, clean: Clean) -> int:
    from PIL import Image

    with decoding(source, "picture"):
        Image.init()
        image: Any = Image.open(source, formats=[form for form in FORMATS if form in Image.OPEN])
        image.load()
    form, frames = image.format or "", getattr(image, "n_frames", 1)
    if form not in WRITTEN or frames > 1:
        what = f"{frames} pictures in one file" if frames > 1 else f"{form} files"
        raise ValueError(f"{source}: {what} cannot be written as they were; convert it to PNG or TIFF")
    if _is_deep_colour(source, image):
        raise ValueError(f"{source}: colours of 16 bits in a {form} file cannot be written; convert it to TIFF")
    kept = {name: image.info[name] for name in ("icc_profile", "exif", "dpi") if image.info.get(name)}
    if image.mode in ("P", "PA", "1", "CMYK", "YCbCr", "HSV", "LAB"):
        alpha = "transparency" in image.info or image.mode == "PA"
        image = image.convert("RGBA" if alpha else "L" if image.mode == "1" else "RGB")
    array = np.asarray(image)
    if image.mode == "I":  # 16 bits, as Pillow reads them
        array = np.clip(array, 0, 65_535).astype(np.uint16)
    made = _without_alpha(array, int(image.mode in ("LA", "RGBA")), clean)
    if form == "JPEG":
        kept |= {"quality": 95, "subsampling": 0}
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(made), mode=None).save(content, form, **kept)
    with written_whole(target) as temporary:
        temporary.write_bytes(content.getvalue())
    return 1


def _is_deep_colour(source: Path, image: Any) -> bool:
    """Whether a PNG has colours of 16 bits, of which Pillow gives the upper half."""
    if image.format != "PNG":
        return False
    header = source.open("rb").read(26)
    return header[24] == 16 and header[25] != 0
