"""Folders of pictures: which files are read, what they are called, and what is skipped."""

import numpy as np
import pytest
import tifffile
from picture_files import COLOUR, DEEP, DEEP_COLOUR, GREY, RNG, deep_png, first, save
from PIL import Image

from hourglass import readers
from hourglass.readers.pictures import describe_difference


def test_sub_folders_are_labels_and_hidden_files_are_left_aside(tmp_path):
    for name in ("cat/2.png", "cat/deep/1.png", "dog/1.png", ".hidden/1.png", "dog/._1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY).save(tmp_path / name)
    data = readers.read(tmp_path)
    assert data.names == ("cat/2.png", "cat/deep/1.png", "dog/1.png")
    assert data.labels.tolist() == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (GREY[:4], "a.png is 5 x 6, grey, uint8 but b.png is 5 x 4, grey, uint8"),
        (COLOUR, "a.png is 5 x 6, grey, uint8 but b.png is 5 x 6, colour, uint8"),
        (DEEP, "a.png is 5 x 6, grey, uint8 but b.png is 5 x 6, grey, uint16"),
    ],
    ids=["size", "channels", "depth"],
)
def test_pictures_of_different_form_come_as_a_list(tmp_path, other, words):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    Image.fromarray(other).save(tmp_path / "b.png")
    data = readers.read(tmp_path)
    assert len(data) == 2 and data.names == ("a.png", "b.png") and isinstance(data.X, list)
    for picture, expected in zip(data.X, (GREY, other), strict=True):
        assert picture.dtype == expected.dtype
        np.testing.assert_array_equal(picture, first(expected))
    assert describe_difference(data.names, data.X) == words
    assert describe_difference(data.names, [GREY[None], GREY[None]]) is None


def test_corrupt_files_are_skipped_and_listed(tmp_path):
    for name in ("a.png", "b.png", "c.tif", "d.jpg"):
        Image.fromarray(RNG.integers(0, 256, (40, 40)).astype(np.uint8)).save(tmp_path / name)
    for name in ("b.png", "c.tif", "d.jpg"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:300])
    (tmp_path / "e.png").write_bytes(b"")
    (tmp_path / "f.png").write_bytes(deep_png(DEEP_COLOUR, [4] * 6)[:150])
    data = readers.read(tmp_path)
    assert data.names == ("a.png",) and len(data) == 1
    assert [path.rpartition("/")[2] for path, _ in data.skipped] == ["b.png", "c.tif", "d.jpg", "e.png", "f.png"]
    assert all(reason for _, reason in data.skipped)
    (tmp_path / "a.png").unlink()
    with pytest.raises(ValueError, match=r"none of its 5 pictures could be read; the first, .*b\.png: "):
        readers.read(tmp_path)


def test_folders_without_or_with_too_much(tmp_path):
    with pytest.raises(ValueError, match="holds no pictures"):
        readers.read(tmp_path)
    Image.fromarray(GREY).save(tmp_path / "a.png")
    readers.write(tmp_path / "t.parquet", np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"both \.parquet files and pictures"):
        readers.read(tmp_path)


def test_colours_that_are_no_rgb_are_named(tmp_path):
    tifffile.imwrite(tmp_path / "t.tif", np.zeros((8, 8, 4), np.uint8), photometric="separated")
    with pytest.raises(ValueError, match="colours as SEPARATED; convert it to RGB or grey first"):
        readers.read(tmp_path)


def test_linked_folders_are_entered_each_real_folder_once(tmp_path):
    folder = tmp_path / "pets"
    for i in range(3):
        save(folder / "dog" / f"{i}.png")
        save(tmp_path / "elsewhere" / "deep" / f"{i}.png")
    (folder / "cat").symlink_to(tmp_path / "elsewhere")
    data = readers.read(folder)
    assert data.labels.tolist() == ["cat"] * 3 + ["dog"] * 3
    assert data.names[0] == "cat/deep/0.png"
    (folder / "all").symlink_to(folder)
    (folder / "again").symlink_to(folder / "dog")
    with pytest.warns(UserWarning, match=r"skipped 2 links to folders that are read already: .*again.*all"):
        assert readers.read(folder).names == data.names
    (folder / "lost.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.warns(UserWarning):
        assert [path.rpartition("/")[2] for path, _ in readers.read(folder).skipped] == ["lost.png"]
    linked = tmp_path / "linked"
    linked.symlink_to(folder / "dog")
    assert len(readers.read(linked)) == 3


def test_what_is_not_read_is_counted_and_pictures_among_it_are_listed(tmp_path):
    save(tmp_path / "a.png")
    for name in ("b.heic", "c.HEIC", "notes.txt", "README", ".hidden"):
        (tmp_path / name).write_text("x")
    with pytest.warns(UserWarning, match=r"skipped 4 files .*: 2 \.heic, 1 without an ending, 1 \.txt"):
        data = readers.read(tmp_path)
    assert len(data) == 1
    assert [(path.rpartition("/")[2], "convert them to PNG" in reason) for path, reason in data.skipped] == [
        ("b.heic", True),
        ("c.HEIC", True),
    ]


def test_what_a_file_is_goes_by_its_content(tmp_path):
    save(tmp_path / "a.png", COLOUR)
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.png", COLOUR, photometric="rgb")
    np.testing.assert_array_equal(readers.read(tmp_path).X, np.stack([first(COLOUR)] * 2))


def test_no_other_program_is_started_for_a_picture(tmp_path):
    """Pillow hands EPS to Ghostscript, which runs what the file says."""
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(ValueError, match="not a picture"):
        readers.read(tmp_path)
