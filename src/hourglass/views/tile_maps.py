"""How maps of tiles look, and how they are written: as the texts, CSV or Tiled maps that they came in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.modalities import TileMaps
from hourglass.readers import tiled
from hourglass.readers.tile_maps import IN_FOLDERS, grid_of
from hourglass.readers.writing import file_stem, written_whole
from hourglass.views.forms import Tiles
from hourglass.views.tile_set import sprite, tile_picture

Chunks = Iterable[tuple[Any, Sequence[str] | None]]


def view(modality: TileMaps, examples: Any) -> Tiles:
    """Maps of any sizes; those lower or narrower than the largest are filled up above and at the right."""
    grids = [grid_of(each) for each in examples]
    height, width = np.max([grid.shape for grid in grids], axis=0)
    places = np.full((len(grids), height, width), len(modality.tiles))
    for i, grid in enumerate(grids):
        part = places[i, height - len(grid) :, : grid.shape[1]]
        for place, tile in enumerate(modality.tiles):
            part[grid == tile] = place
    pictures = [tile_picture(tile, words) for tile, words in zip(modality.tiles, modality.legend, strict=True)]
    return Tiles(places, np.stack([*pictures, sprite("hole")]), modality.tile_names)


def _text(modality: TileMaps, tile_map: Any, ending: str) -> str:
    """The content of a file of one map."""
    if ending == ".tmj":
        return tiled.to_tmj(np.asarray(tile_map), json.loads(modality.tilesets))
    if ending == ".csv":
        return "".join(",".join(map(str, row)) + "\n" for row in np.asarray(tile_map).tolist())
    return f"{tile_map}\n"


def _one_file(path: Path, chunks: Chunks, modality: TileMaps) -> int:
    maps = [each for examples, _ in chunks for each in examples]
    ending = path.suffix.lower()
    if len(maps) > 1 and ending != ".txt":
        raise ValueError(
            f"{path}: a {ending} file holds one map, and there are {len(maps)}; for a folder, give a name without an "
            "ending"
        )
    with written_whole(path) as temporary:  # levels of one text have an empty line between them
        temporary.write_text("\n".join(_text(modality, each, ending) for each in maps), encoding="utf-8")
    return len(maps)


def _folder(path: Path, chunks: Chunks, modality: TileMaps) -> int:
    """One file for each map, in the form that the maps at fit had, under the name of its record."""
    pairs = [(each, name) for maps, names in chunks for each, name in zip(maps, names or [""] * len(maps), strict=True)]
    ending = ".txt" if modality.is_text else ".tmj" if modality.tilesets != "[]" else ".csv"
    with written_whole(path) as temporary:
        for number, (each, name) in enumerate(pairs):
            file = temporary / f"{file_stem(name, IN_FOLDERS) if name else f'{number:05}'}{ending}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_text(modality, each, ending), encoding="utf-8")
    return len(pairs)


WRITERS = {".txt": _one_file, ".csv": _one_file, ".tmj": _one_file, "": _folder}
