"""Examples that a model made -> files: tables as they are, pictures as pixels, alone or on a contact sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

FEW_LEVELS = 32  # whole numbers up to here are levels of their own (0..16), not the dark end of 0..255
SHEET_CELL = 56  # pixels a side that a picture has at least on a contact sheet
MAX_PER_SHEET = 400


def write_rows(
    out: Path, pieces: Iterable[tuple[Any, Sequence[str] | None]], columns: Sequence[str] | None = None
) -> int:
    """Rows with their names into one file, by the ending of `out`, which is looked at first; the number of rows."""
    from hourglass import readers

    if _is_drawn(out):
        raise UsageError(f"--out {out}: these are rows, no pictures; give a .csv, .tsv, .parquet, .npy or .npz file")
    return readers.write_pieces(out, pieces, columns=columns)


def _is_drawn(out: Path) -> bool:
    return out.suffix.lower() == ".png" or not out.suffix


def write_examples(out: Path, pieces: Iterable[tuple[Any, Sequence[str] | None]], modality: Any) -> int:
    """Tables and arrays by the ending of `out`; pictures to .png as a contact sheet, without an ending as a folder.

    `pieces` are examples with their names; what is given back is their number.
    """
    from hourglass import readers

    if modality.name != "images" or not _is_drawn(out):
        return write_rows(out, pieces)
    ((examples, names),) = pieces
    seen = pixels(examples, modality)
    if out.suffix:
        readers.write(out, contact_sheet(seen))
    else:
        readers.write(out, seen, index=names)
    return len(examples)


def pixels(pictures: np.ndarray, modality: Any) -> np.ndarray:
    """Pictures in raw levels -> (N, C, H, W) uint8 or uint16; data not of 8 or 16 bits is stretched, black to white."""
    import numpy as np

    if pictures.ndim == 3:
        pictures = pictures[:, None]
    elif modality.layout == "NHWC":
        pictures = np.moveaxis(pictures, -1, 1)
    if modality.dtype in ("uint8", "uint16") and modality.white > FEW_LEVELS:
        kind = np.uint16 if modality.dtype == "uint16" and pictures.shape[1] == 1 else np.uint8
        depth = 257 if modality.dtype == "uint16" and kind is np.uint8 else 1  # no PNG of 16-bit colour is written
        return np.clip(np.rint(pictures / depth), 0, np.iinfo(kind).max).astype(kind)
    level = (pictures - modality.black) / (modality.white - modality.black)
    return np.clip(np.rint(255 * level), 0, 255).astype(np.uint8)


def contact_sheet(pictures: np.ndarray) -> np.ndarray:
    """(N, C, H, W) -> one picture (C, H', W'), about as wide as high, each enlarged to be seen, on a light ground."""
    import numpy as np

    if len(pictures) > MAX_PER_SHEET:
        raise ValueError(
            f"{len(pictures)} pictures are too many for one sheet (at most {MAX_PER_SHEET}); give a name without an "
            "ending for a folder of single pictures"
        )
    times = max(1, math.ceil(SHEET_CELL / max(pictures.shape[2:])))
    pictures = pictures.repeat(times, 2).repeat(times, 3)
    n, channels, height, width = pictures.shape
    columns = math.ceil(math.sqrt(n * height / width))
    rows = math.ceil(n / columns)
    gap = max(1, round(0.04 * max(height, width)))
    ground = np.iinfo(pictures.dtype).max
    sheet = np.full((channels, rows * (height + gap) + gap, columns * (width + gap) + gap), ground, pictures.dtype)
    for i, picture in enumerate(pictures):
        y, x = (i // columns) * (height + gap) + gap, (i % columns) * (width + gap) + gap
        sheet[:, y : y + height, x : x + width] = picture
    return sheet
