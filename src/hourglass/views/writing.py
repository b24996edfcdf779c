"""Examples -> files: tables as they are, pictures one by one or on a contact sheet, texts line by line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from hourglass import readers
from hourglass.modalities import Modality
from hourglass.readers.writing import written_whole
from hourglass.views import registry
from hourglass.views.registry import view_of

Chunks = Iterable[tuple[Any, Sequence[str] | None]]  # examples as `restore` gives them, and their names

SHEET_CELL = 56  # pixels a side that a picture has at least on a contact sheet
MAX_PER_SHEET = 400
GAP = 0.04  # of a picture's shorter side, between pictures
WHAT_IT_IS = {"": "a folder, if the name has no ending", ".png": ".png, a contact sheet"}


def ending_of(path: str | Path, modality: Modality) -> str:
    """The one of `modality.endings` that the path has.

    Raises
    ------
    ValueError : where it has none of them, naming those that it may have.
    """
    name = Path(path).name.lower()
    found = [ending for ending in modality.endings if ending and name.endswith(ending)]
    if found:
        return max(found, key=len)
    if "" in modality.endings and not Path(name).suffix:
        return ""
    known = "; ".join(WHAT_IT_IS.get(ending, ending) for ending in modality.endings)
    ending = f"*{Path(name).suffix} file" if Path(name).suffix else "folder"
    raise ValueError(f"{path}: {modality.noun}s are not written to a {ending}; choose {known}")


def write(path: str | Path, chunks: Chunks, modality: Modality) -> int:
    """Writes examples, chunk by chunk; the ending of the path says how.

    Parameters
    ----------
    path : a file, which is replaced once all is written, or a new folder.
    chunks : pairs of examples, as the estimator gives them, and their names or None.
    modality : of the estimator.

    Returns
    -------
    How many examples there were.

    Raises
    ------
    ValueError : for an ending that is not of this kind of data, before the first chunk is asked for.
    FileExistsError : for a folder with something in it.
    """
    path = Path(path).expanduser()
    ending = ending_of(path, modality)
    writer = registry.WRITERS.get(modality.name, {}).get(ending) or WRITERS.get(ending)
    if writer is not None:
        return writer(path, chunks, modality)
    first, *_ = pair = next(rest := iter(chunks))
    sources = [source for column in modality.columns for source in column.sources]
    names = [column.name for column in sources]
    decimals = {c.name: c.decimals_written for c in sources if c.decimals_written is not None}
    columns = None
    if isinstance(first, np.ndarray):  # which has no names of its own
        columns = names if first.shape[1:] == (len(names),) else None
        decimals = {} if columns is None else decimals
    return readers.write_chunks(path, chain([pair], rest), columns=columns, decimals=decimals)


def _forms(chunks: Chunks, modality: Modality) -> tuple[list[Any], list[str] | None]:
    """The view of every chunk, and the names of all examples."""
    view = view_of(modality)
    if view is None:
        raise ValueError(f"{modality.name}: this kind of data has no view; write a .npy or .npz file")
    forms, names = [], []
    for examples, own in chunks:
        forms.append(view(examples))
        names += list(own or ())
    return forms, names or None


def _contact_sheet(path: Path, chunks: Chunks, modality: Modality) -> int:
    forms, _ = _forms(chunks, modality)
    pixels = np.concatenate([form.pixels for form in forms])
    readers.write(path, contact_sheet(pixels))
    return len(pixels)


def _folder(path: Path, chunks: Chunks, modality: Modality) -> int:
    forms, names = _forms(chunks, modality)
    pixels = np.concatenate([form.pixels for form in forms])
    readers.write(path, pixels, index=names)
    return len(pixels)


def _lines(path: Path, chunks: Chunks, modality: Modality) -> int:
    texts = [text for form in _forms(chunks, modality)[0] for text in form.texts]
    with written_whole(path) as temporary:
        temporary.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return len(texts)


WRITERS = {".png": _contact_sheet, "": _folder, ".txt": _lines}  # what is not here is a table or an array


def contact_sheet(pictures: np.ndarray) -> np.ndarray:
    """(N, C, H, W) -> one picture (C, H', W'), about as wide as high, each enlarged to be seen, on a light ground."""
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
    gap = max(1, round(GAP * min(height, width)))
    ground = np.iinfo(pictures.dtype).max
    sheet = np.full((channels, rows * (height + gap) + gap, columns * (width + gap) + gap), ground, pictures.dtype)
    for i, picture in enumerate(pictures):
        y, x = (i // columns) * (height + gap) + gap, (i % columns) * (width + gap) + gap
        sheet[:, y : y + height, x : x + width] = picture
    return sheet
