"""Writing: what is written is read back, and a failure leaves what was there."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hourglass import readers

X = np.random.default_rng(0).normal(size=(6, 3))
PICTURES = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 6)).astype(np.uint8)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet"])
def test_tables_come_back(tmp_path, name):
    path = readers.write(tmp_path / "new" / name, X, columns=["a", "b", "c"], index=range(6))
    data = readers.read(path)
    assert data.columns == ("name", "a", "b", "c")
    np.testing.assert_array_equal(np.stack([data.X.column(c) for c in "abc"], 1), X)
    assert readers.read(readers.write(path, X[:, 0])).columns == ("x0",)
    frame = pd.DataFrame({"n": [1.5, None], "c": ["x", "a, b"]})
    assert readers.read(readers.write(path, frame)).X.to_pydict() == {"n": [1.5, None], "c": ["x", "a, b"]}
    assert os.listdir(path.parent) == [name]


@pytest.mark.parametrize("name", ["t.npy", "t.npz"])
def test_arrays_come_back(tmp_path, name):
    np.testing.assert_array_equal(readers.read(readers.write(tmp_path / name, PICTURES)).X, PICTURES)
    with pytest.raises(ValueError, match=r"not plain numbers; write a table as \.csv"):
        readers.write(tmp_path / name, np.array([None, "x"]))


def test_names_go_into_npz(tmp_path):
    path = readers.write(tmp_path / "t.npz", X, columns=list("abc"), index=list("uvwxyz"))
    with np.load(path) as archive:
        assert archive["names"].tolist() == list("uvwxyz") and archive["columns"].tolist() == list("abc")


@pytest.mark.parametrize("pictures", [PICTURES, PICTURES[:, 0], PICTURES[:, :1].astype(np.uint16) * 200])
def test_folder_of_pictures_comes_back(tmp_path, pictures):
    path = readers.write(tmp_path / "out", pictures)
    data = readers.read(path)
    assert data.names[0] == "00000.png" and data.X.dtype == pictures.dtype
    np.testing.assert_array_equal(data.X, pictures if pictures.ndim == 4 else pictures[:, None])
    with pytest.raises(FileExistsError, match="not empty"):
        readers.write(path, pictures)


def test_pictures_keep_their_names_and_folders(tmp_path):
    names = ["cat/1.png", "cat/2.jpg", "dog/1.tif[0]", "dog/1.tif[1]"]
    data = readers.read(readers.write(tmp_path / "out", PICTURES, index=names))
    assert data.names == ("cat/1.png", "cat/2.png", "dog/1[0].png", "dog/1[1].png")
    assert data.labels.tolist() == ["cat", "cat", "dog", "dog"]


@pytest.mark.parametrize("picture", [PICTURES[0], PICTURES[0, 0], PICTURES[:1], PICTURES[0, 0] > 99])
def test_one_picture(tmp_path, picture):
    expected = picture * np.uint8(255) if picture.dtype == bool else picture
    assert (expected == readers.read(readers.write(tmp_path / "t.png", picture)).X).all()


@pytest.mark.parametrize(
    ("name", "values", "options", "error", "words"),
    [
        ("t.xlsx", X, {}, ValueError, r"cannot write \*\.xlsx; use \.csv"),
        ("t.csv", PICTURES, {}, ValueError, r"two axes, got shape \(4, 3, 8, 6\)"),
        ("t.csv", X, {"columns": ["a"]}, ValueError, "1 names for 3 columns"),
        ("t.csv", pa.table({"a": [1]}), {"columns": ["a", "b"]}, ValueError, "2 names for 1 columns"),
        ("t.csv", X, {"index": ["a"]}, ValueError, "1 names for 6 rows"),
        ("out", X, {}, ValueError, "a folder takes pictures"),
        ("out", PICTURES / 255, {}, ValueError, "uint8 or uint16, got float64; round first"),
        ("out", PICTURES[:, :2], {}, ValueError, "a picture is"),
        ("out", PICTURES.astype(np.uint16), {}, ValueError, "16 bits"),
        ("out", PICTURES, {"index": ["../a", "b", "c", "d"]}, ValueError, r"'\.\./a' cannot be a file name"),
        ("out", PICTURES, {"index": ["a.png", "a.jpg", "a.png", "d"]}, ValueError, "same file name"),
    ],
)
def test_errors_leave_nothing(tmp_path, name, values, options, error, words):
    with pytest.raises(error, match=words):
        readers.write(tmp_path / name, values, **options)
    assert os.listdir(tmp_path) == []


def test_a_failure_leaves_the_old_file(tmp_path):
    path = readers.write(tmp_path / "t.npy", X)
    with pytest.raises(OSError, match="disk"), readers.written_whole(path) as temporary:
        temporary.write_bytes(b"half")
        raise OSError("disk full")
    assert os.listdir(tmp_path) == ["t.npy"]
    np.testing.assert_array_equal(np.load(path), X)
