"""Levels in text files with a legend beside them, and Tiled's maps."""

import base64
import json
import zlib

import numpy as np
import pytest

from hourglass import readers
from hourglass.modalities import named_modality

MAP = np.array([[0, 0, 3, 0], [1, 2, 2, 1], [1, 1, 1, 1]])
TILESETS = [{"firstgid": 1, "source": "cave.tsx"}]


def tmj(data, **more):
    layer = {"type": "tilelayer", "visible": True, "data": data, **more}
    return json.dumps({"width": 4, "height": 3, "infinite": False, "tilesets": TILESETS, "layers": [layer]})


def tmx(data, attributes="", before=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<map version="1.10" width="4" height="3" infinite="0">'
        f'<tileset firstgid="1" source="cave.tsx"/><layer id="1" name="a" width="4" height="3">'
        f"<data {attributes}>{data}</data></layer></map>"
    )


PACKED = base64.b64encode(zlib.compress(MAP.astype("<u4").tobytes())).decode()
CELLS = MAP.ravel().tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tmj", tmj(CELLS)),
        ("a.tmj", tmj([cell | (cell > 0) * 0x80000000 for cell in CELLS])),
        ("a.tmj", tmj(PACKED, encoding="base64", compression="zlib")),
        ("a.tmx", tmx(",".join(map(str, CELLS)), 'encoding="csv"')),
        ("a.tmx", tmx(PACKED, 'encoding="base64" compression="zlib"')),
        ("a.tmx", tmx("".join(f'<tile gid="{cell}"/>' for cell in CELLS))),
    ],
)
def test_maps_of_tiled(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    for source in (tmp_path / name, tmp_path):
        data = readers.read(source)
        assert data.kind == "tilemaps" and data.names == (name,)
        np.testing.assert_array_equal(data.X[0], MAP)
        assert list(data.X.tilesets) == TILESETS


def test_the_topmost_tile_of_visible_layers_counts(tmp_path):
    above = [0, 7, 0, 0] * 3
    document = json.loads(tmj(CELLS))
    document["layers"] += [
        {"type": "group", "visible": True, "layers": [{"type": "tilelayer", "data": above}]},
        {"type": "tilelayer", "visible": False, "data": [9] * 12},
        {"type": "objectgroup", "objects": []},
    ]
    (tmp_path / "a.tmj").write_text(json.dumps(document))
    wanted = MAP.copy()
    wanted[:, 1] = 7
    np.testing.assert_array_equal(readers.read(tmp_path / "a.tmj").X[0], wanted)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tmj", "{", "corrupt"),
        ("a.tmj", tmj([1, 2]), "2 tiles instead of 12"),
        ("a.tmj", tmj(CELLS).replace("false", "true", 1), "infinite"),
        ("a.tmj", tmj(CELLS, visible=False), "no visible tile layer"),
        ("a.tmj", tmj("AAAA", encoding="base64", compression="zstd"), "zstd"),
        ("a.tmx", tmx("1,2", 'encoding="csv"'), "2 tiles instead of 12"),
        ("a.tmx", tmx("&e;", 'encoding="csv"', '<!DOCTYPE m [<!ENTITY e "1">]>'), "entities"),
        ("a.tmx", "<map>", "corrupt"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message) as error:
        readers.read(tmp_path / name)
    assert name in str(error.value)


def test_a_document_that_unpacks_to_much_more_stops(tmp_path):
    bomb = base64.b64encode(zlib.compress(bytes(10**7))).decode()
    (tmp_path / "a.tmj").write_text(tmj(bomb, encoding="base64", compression="zlib"))
    with pytest.raises(ValueError, match="corrupt"):
        readers.read(tmp_path / "a.tmj")


def test_a_folder_of_levels_with_a_legend(tmp_path):
    for game, text in (("one", "--X\nXXX\n"), ("two", "-\nX\n\nX\n-\n")):
        (tmp_path / game).mkdir()
        (tmp_path / game / "a.txt").write_text(text)
    (tmp_path / "README.txt").write_text("These are levels.\nTake them as they are.\n")
    (tmp_path / "one" / "legend.json").write_text('{"tiles": {"X": ["solid", "ground"], "-": ["empty"]}}')
    (tmp_path / "other.json").write_text("[1]")
    data = readers.read(tmp_path)
    assert data.names == ("one/a.txt", "two/a.txt[0]", "two/a.txt[1]")
    assert list(data.X) == ["--X\nXXX", "-\nX", "X\n-"]
    assert data.labels.tolist() == ["one", "two", "two"]
    assert data.X.legend == {"X": "solid, ground", "-": "empty"}
    assert len(data.skipped) == 1 and "README.txt" in data.skipped[0][0]
    assert readers.read(tmp_path / "one" / "a.txt").X.legend == data.X.legend


def test_a_folder_of_maps_in_csv(tmp_path):
    for name, grid in (("a.csv", MAP), ("b/c.csv", MAP[:, :2])):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("".join(",".join(map(str, row)) + ",\n" for row in grid.tolist()))
    data = readers.read(tmp_path)
    assert data.kind == "tilemaps" and data.names == ("a.csv", "b/c.csv")
    np.testing.assert_array_equal(data.X[1], MAP[:, :2])
    table = readers.read(tmp_path / "a.csv")
    assert table.kind == "tables"
    np.testing.assert_array_equal(named_modality("tilemaps", table).accept(table), MAP[None])


@pytest.mark.parametrize("content", ["x,y\n1,2\n", "1.5,2\n2,3\n"])
def test_other_csv_files_of_a_folder_are_series(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    assert readers.read(tmp_path).kind == "series"


def test_a_text_without_a_legend_is_lines_and_a_level_if_that_is_said(tmp_path):
    (tmp_path / "a.txt").write_text("--X\nXXX\n\nX-\n-X\n")
    (tmp_path / "other.json").write_text('{"tiles": {"k": ["key"]}}')
    data = readers.read(tmp_path / "a.txt")
    assert data.kind == "lines"
    assert list(named_modality("tilemaps", data).accept(data)) == ["--X\nXXX", "X-\n-X"]
