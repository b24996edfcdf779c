"""Maps of the editor Tiled: .tmj (JSON) and .tmx (XML) -> an array (H, W) of tile numbers, and back.

Source: doc.mapeditor.org, "JSON Map Format", "TMX Map Format" and "Global Tile IDs".
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from hourglass.readers.decoding import check_fits, corrupt, decoding
from hourglass.typed_json import JSONError, read_json

SUFFIXES = (".tmj", ".tmx")
TURNED = 0xF0000000  # the bits of a tile number that say how it is turned
MAX_CELLS = 10**8


def read(path: Path) -> tuple[np.ndarray, Sequence[Mapping[str, Any]]]:
    """What is seen of a map, (H, W) int32 with 0 for no tile, and its tile sets.

    Visible tile layers lie above each other: the topmost tile counts. How a tile is turned is left out, and layers of
    objects and of pictures are too.

    Raises ValueError for what is not such a map.
    """
    form = "Tiled map"
    if path.suffix.lower() == ".tmx":
        document = _of_xml(path)
    else:
        try:
            document = read_json(path)
        except JSONError as error:
            raise corrupt(path, form, error) from error
    with decoding(path, form):
        width, height = int(document["width"]), int(document["height"])
        layers, tilesets = list(_tile_layers(document["layers"])), list(document.get("tilesets", ()))
    if min(width, height) < 1 or width * height > MAX_CELLS or document.get("infinite"):
        raise ValueError(
            f"{path}: its size is {width} x {height} tiles, or it is infinite; in Tiled, set a fixed size (Map > Map "
            "Properties > Infinite: off)"
        )
    check_fits(path, 8 * width * height, "the map takes", "use a smaller map")
    seen = np.zeros(height * width, dtype=np.int64)
    for layer in layers:
        with decoding(path, form):
            tiles = _tiles(layer, height * width)
        seen = np.where(tiles & ~TURNED, tiles & ~TURNED, seen)
    if not layers:
        raise ValueError(f"{path}: has no visible tile layer")
    return seen.reshape(height, width).astype(np.int32), tilesets


def _tile_layers(layers: Sequence[Mapping[str, Any]]) -> Any:
    for layer in layers:
        if layer.get("visible", True):
            if layer["type"] == "tilelayer":
                yield layer
            yield from _tile_layers(layer.get("layers", ()))


def _tiles(layer: Mapping[str, Any], n: int) -> np.ndarray:
    data, encoding = layer["data"], layer.get("encoding", "csv")
    if encoding == "base64":
        content = base64.b64decode(data)
        compression = layer.get("compression", "")
        if compression in ("zlib", "gzip"):
            content = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, 4 * n + 1)
        elif compression:
            raise ValueError(f"compression {compression!r} is not read; in Tiled, choose zlib or CSV")
        tiles = np.frombuffer(content, dtype="<u4").astype(np.int64)
    elif isinstance(data, str):
        tiles = np.array([int(cell) for cell in data.split(",") if cell.strip()], dtype=np.int64)
    else:
        tiles = np.array(data, dtype=np.int64)
    if tiles.shape != (n,):
        raise ValueError(f"a layer holds {tiles.size} tiles instead of {n}")
    return tiles


def _of_xml(path: Path) -> dict[str, Any]:
    """A .tmx map as its .tmj would be. Entities and document types are refused: they can name files, and explode."""
    found: dict[str, Any] = {"layers": [], "tilesets": []}
    layer: dict[str, Any] | None = None
    texts: list[str] | None = None
    hidden = 0  # groups that are not visible

    def refuse(*_: Any) -> None:
        raise ValueError("it has a document type or entities, which no map needs")

    def start(name: str, about: dict[str, str]) -> None:
        nonlocal layer, texts, hidden
        if name == "map":
            found.update(about, infinite=about.get("infinite") == "1")
        elif name == "tileset" and "firstgid" in about:
            found["tilesets"].append({k: int(v) if v.isdigit() else v for k, v in about.items()})
        elif name == "group":
            hidden += hidden > 0 or about.get("visible") == "0"
        elif name == "layer":
            layer = {"type": "tilelayer", "visible": about.get("visible") != "0" and not hidden}
            found["layers"].append(layer)
        elif name == "data" and layer is not None:
            layer |= about
            texts = []
        elif name == "tile" and texts is not None:
            texts.append(about.get("gid", "0") + ",")

    def end(name: str) -> None:
        nonlocal layer, texts, hidden
        if name == "data" and layer is not None and texts is not None:
            layer["data"], texts = "".join(texts).strip(), None
        elif name == "layer":
            layer = None
        elif name == "group" and hidden:
            hidden -= 1

    def text(characters: str) -> None:
        if texts is not None:
            texts.append(characters)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refuse  # type: ignore[assignment]
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    with decoding(path, "Tiled map"):
        parser.Parse(path.read_bytes(), True)
    return found


def to_tmj(tiles: np.ndarray, tilesets: Sequence[Mapping[str, Any]]) -> str:
    """A map (H, W) of tile numbers as Tiled's JSON, with one layer."""
    height, width = tiles.shape
    about = next((tileset for tileset in tilesets if "tilewidth" in tileset), {})
    layer = {"id": 1, "name": "tiles", "type": "tilelayer", "visible": True, "opacity": 1, "x": 0, "y": 0}
    document = {
        "type": "map", "version": "1.10", "orientation": "orthogonal", "renderorder": "right-down", "infinite": False,
        "width": width, "height": height, "tilewidth": about.get("tilewidth", 16),
        "tileheight": about.get("tileheight", 16), "nextlayerid": 2, "nextobjectid": 1, "tilesets": list(tilesets),
        "layers": [{**layer, "width": width, "height": height, "data": tiles.ravel().tolist()}],
    }  # fmt: skip
    return json.dumps(document)
