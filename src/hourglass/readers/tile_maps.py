"""Maps of tiles: levels written as text, with a legend beside them as VGLC has it, and Tiled's .tmj and .tmx.

Source: Summerville et al. 2016, arXiv:1606.07487 (the Video Game Level Corpus); doc.mapeditor.org.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers import text_lines, tiled
from hourglass.readers.data import Data
from hourglass.readers.decoding import decoding, reason_of
from hourglass.readers.folders import files_below
from hourglass.typed_json import JSONError, read_json
from hourglass.user_warnings import warn

TEXT, NUMBERS = (".txt",), (".csv",)
SUFFIXES = (*TEXT, *tiled.SUFFIXES)
IN_FOLDERS = (*SUFFIXES, *NUMBERS)  # alone, a .csv file is a table until something else is said
MAX_LEGEND_BYTES = 1 << 20


class Maps(list[Any]):
    """Tile maps and what is known of their tiles: texts of lines, one letter a tile, or arrays (H, W) of whole numbers.

    Attributes
    ----------
    legend : tile -> what it is, in words.
    tilesets : those of a Tiled map, as its JSON has them.
    """

    def __init__(
        self, maps: Iterable[Any], legend: Mapping[str, str] | None = None, tilesets: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(maps)
        self.legend, self.tilesets = dict(legend or {}), tuple(tilesets)


def read_txt(path: Path) -> Data:
    """Levels, where a legend beside the file names most of its letters; else lines, whose kind has to be said."""
    legend = legend_beside(path) if path.suffix.lower() in TEXT else {}
    if not legend:
        return text_lines.read_txt(path)
    data = read(path)
    letters = set("".join(data.X)) - {"\n"}
    return data if 2 * len(letters & set(legend)) > len(letters) else text_lines.read_txt(path)


def read(path: Path, files: Sequence[Path] | None = None) -> Data:
    """The maps of one file, or of a folder and the folders in it (`files`), in the order of their paths.

    A text file may hold several levels with an empty line between them. The legend is the .json file with "tiles" in
    the folder, or in that above it. The label of a map is the first sub-folder on its path, where there are several.
    Other text files of a folder, such as a README, are skipped and listed.

    Raises ValueError if there is no map, or if texts and Tiled maps are mixed.
    """
    root = path if path.is_dir() else path.parent
    maps: list[Any] = []
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    tilesets: Sequence[Mapping[str, Any]] = ()
    for file in [path] if files is None else [file for file in files if file.suffix.lower() in IN_FOLDERS]:
        try:
            found, sets = _maps_of(file)
            if files is not None and not looks_like_maps(found):
                raise ValueError("its lines have different lengths, so it is not a level")
        except ValueError as error:
            if files is None:
                raise
            skipped.append((str(file), reason_of(error)))
            continue
        tilesets = tilesets or sets
        if sets and sets != tilesets:
            warn(f"{file}: its tile sets differ from those of {names[0]}; tile numbers are taken to mean the same")
        name = file.relative_to(root).as_posix()
        maps += found
        names += [name] if len(found) == 1 else [f"{name}[{i}]" for i in range(len(found))]
    if not maps:
        raise ValueError(f"{path}: holds no map of tiles; the first file, {skipped[0][0]}: {skipped[0][1]}")
    if len({isinstance(each, str) for each in maps}) > 1:
        raise ValueError(f"{path}: holds maps of letters and maps of numbers; give a folder with one of them")
    tops = [name.partition("/")[0] if "/" in name else "" for name in names]
    return Data(
        Maps(maps, legend_beside(path), tilesets),
        labels=np.array(tops) if len(set(tops)) > 1 else None,
        names=tuple(names),
        kind="tilemaps",
        skipped=tuple(skipped),
        source=str(path),
    )


def _maps_of(file: Path) -> tuple[list[Any], Sequence[Mapping[str, Any]]]:
    if file.suffix.lower() in TEXT:
        with decoding(file, "UTF-8 text"):
            text = file.read_text(encoding="utf-8-sig")
        if not (levels := split_levels(text)):
            raise ValueError(f"{file}: is empty; a level has a line of letters for every row of tiles")
        return list(levels), ()
    if file.suffix.lower() in NUMBERS:
        return [_of_csv(file)], ()
    tile_map, tilesets = tiled.read(file)
    return [tile_map], tilesets


def is_map(file: Path) -> bool:
    """Whether a file holds whole numbers between commas and no header, as maps do and series do not."""
    try:
        return file.suffix.lower() in NUMBERS and _of_csv(file).size > 0
    except ValueError:
        return False


def _of_csv(file: Path) -> np.ndarray:
    """Whole numbers between commas, one line a row, and no header."""
    with decoding(file, "UTF-8 text"):
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    try:
        rows = [[int(cell) for cell in line.rstrip(",").split(",")] for line in lines if line.strip()]
    except ValueError as error:
        raise ValueError(
            f"{file}: is not a map, which has whole numbers between commas and no header; of a folder of .csv files "
            "each is to be given alone"
        ) from error
    if not rows or len({len(row) for row in rows}) > 1:
        raise ValueError(f"{file}: the rows of a map have one length, and these have {sorted(set(map(len, rows)))}")
    return np.array(rows, dtype=np.int64)


def split_levels(text: str) -> list[str]:
    """The levels of a text, between empty lines."""
    levels: list[list[str]] = [[]]
    for line in text.splitlines():
        if line:
            levels[-1].append(line)
        elif levels[-1]:
            levels.append([])
    return ["\n".join(lines) for lines in levels if lines]


def looks_like_maps(maps: Sequence[Any]) -> bool:
    """Whether texts are levels by the look of them: several lines, all as long as each other."""
    lines = [each.splitlines() for each in maps if isinstance(each, str)]
    return all(len(rows) > 1 and len({len(row) for row in rows}) == 1 for rows in lines)


def legend_beside(path: Path) -> dict[str, str]:
    """Tile -> words, from the .json files with "tiles" in a folder, else in that above it."""
    folder = path if path.is_dir() else path.parent
    legend: dict[str, str] = {}
    for file in [*(files_below(folder) if path.is_dir() else folder.glob("*.json")), *folder.parent.glob("*.json")]:
        if file.suffix.lower() != ".json" or file.stat().st_size > MAX_LEGEND_BYTES:
            continue
        try:
            tiles = read_json(file)["tiles"]
            for tile, words in tiles.items():
                if len(tile) == 1:
                    legend.setdefault(tile, words if isinstance(words, str) else ", ".join(map(str, words)))
        except (JSONError, LookupError, TypeError, AttributeError, OSError):
            continue  # some other file
    return legend


def grid_of(x: Any) -> np.ndarray:
    """One map as an array (H, W): of letters, "" behind the end of a short line, or of numbers."""
    if not isinstance(x, str):
        return np.asarray(x)
    lines = x.splitlines()
    width = max(map(len, lines), default=0)
    return np.array([list(line) + [""] * (width - len(line)) for line in lines], dtype="<U1")
