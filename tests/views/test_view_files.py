"""Examples become files by the ending of a name, and wrong endings name the right ones."""

import gzip

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from hourglass import views
from hourglass.modalities import Images, Tables

PICTURES = np.array([[[0, 15], [200, 255]]] * 3, np.uint8)
PEOPLE = pa.table({"age": [31.0, 40.0, None], "job": ["cook", None, "nurse"]})


def images(X=PICTURES) -> Images:
    return Images().infer(X)


def tables() -> Tables:
    return Tables().infer(PEOPLE)


@pytest.mark.parametrize(
    "name, modality, ending",
    [("a.csv", tables(), ".csv"), ("a.CSV.gz", tables(), ".csv.gz"), ("b.png", images(), ".png"), ("c", images(), "")],
)
def test_the_ending_of_a_name_is_one_of_its_kind_of_data(name, modality, ending):
    assert views.ending_of(name, modality) == ending


@pytest.mark.parametrize(
    "name, modality, message",
    [
        ("a.png", tables(), r"a\.png: rows are not written to a \*\.png file; choose \.csv; .*\.parquet"),
        ("a", tables(), "a: rows are not written to a folder; choose .csv"),
        ("new.csv", images(), r"pictures are not written to a \*\.csv file; choose \.png, a contact sheet; a folder"),
        ("new.jpg", images(), r"\*\.jpg"),
    ],
)
def test_a_wrong_ending_names_the_right_ones_before_anything_is_computed(tmp_path, name, modality, message):
    def chunks():
        raise AssertionError("a chunk was asked for")
        yield

    with pytest.raises(ValueError, match=message):
        views.write(tmp_path / name, chunks(), modality)
    assert not list(tmp_path.iterdir())


def test_a_table_is_written_chunk_by_chunk(tmp_path):
    n = views.write(tmp_path / "a.csv.gz", [(PEOPLE[:2], ["x", "y"]), (PEOPLE[2:], ["z"])], tables())
    assert n == 3
    text = gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode()
    assert text.replace('"', "").split() == ["name,age,job", "x,31,cook", "y,40,", "z,,nurse"]


def test_pictures_are_files_in_a_folder_by_their_names(tmp_path):
    n = views.write(tmp_path / "out", [(PICTURES[:2], ["cats/a.jpg", "b"]), (PICTURES[2:], ["c"])], images())
    assert n == 3
    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.png")) == [
        "b.png", "c.png", "cats/a.png"
    ]  # fmt: skip
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "b.png")), PICTURES[1])


def test_pictures_are_one_sheet_or_an_array(tmp_path):
    assert views.write(tmp_path / "sheet.png", [(PICTURES, None)], images()) == 3
    assert np.asarray(Image.open(tmp_path / "sheet.png")).max() == 255
    assert views.write(tmp_path / "x.npy", [(PICTURES, None)], images()) == 3
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), PICTURES)


def test_pixels_keep_the_files_own_levels_and_stretch_others():
    grey = np.array([[[[0.0, 15.6], [200.2, 300.0]]]])

    def pixels(X, fitted):
        return views.view_of(images(np.array([fitted] * 2)))(X).pixels

    kept = pixels(grey, np.array([[0, 15], [200, 255]], np.uint8))
    assert kept.tolist() == [[[[0, 16], [200, 255]]]]
    few = pixels(np.array([[[0.0, 8.0], [16.0, 16.0]]]), np.array([[0, 8], [16, 16]], np.uint8))
    assert few.tolist() == [[[[0, 128], [255, 255]]]]
    deep = pixels(grey, np.array([[0, 15], [200, 4000]], np.uint16))
    assert (deep.dtype, deep.max()) == (np.uint16, 300)


def test_a_contact_sheet_shows_every_picture_once():
    pictures = np.stack([np.full((1, 8, 8), 10 * (i + 1), np.uint8) for i in range(5)])
    levels, pixels_of = np.unique(views.contact_sheet(pictures), return_counts=True)
    assert levels.tolist() == [10, 20, 30, 40, 50, 255]
    assert len(set(pixels_of[:5].tolist())) == 1
    with pytest.raises(ValueError, match="too many"):
        views.contact_sheet(np.zeros((401, 1, 8, 8), np.uint8))


def test_a_kind_of_data_without_a_view_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(views.registry, "VIEWS", {})
    assert views.view_of(images()) is None
    with pytest.raises(ValueError, match="no view"):
        views.write(tmp_path / "a.png", [(PICTURES, None)], images())


def test_texts_are_lines(tmp_path, monkeypatch):
    class Words:
        name, noun, endings = "words", "text", (".txt",)

    monkeypatch.setitem(views.VIEWS, "words", lambda modality, restored: views.Texts(tuple(restored)))
    assert views.write(tmp_path / "a.txt", [(["a b", "c"], None), (["d"], None)], Words()) == 3
    assert (tmp_path / "a.txt").read_text() == "a b\nc\nd\n"
