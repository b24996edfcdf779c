"""Writing: what is written is read back, and a failure leaves what was there."""

import errno
import gzip
import os
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hourglass import readers
from hourglass.readers.filling import fill_csv

X = np.random.default_rng(0).normal(size=(6, 3))
PICTURES = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 6)).astype(np.uint8)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.tsv.gz", "t.parquet", "t.pq"])
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


def test_pictures_of_one_stem_get_names_of_their_own(tmp_path):
    names = ["3.png", "3.jpg", "a/1.tif[0]", "a/1.webp[0]"]
    data = readers.read(readers.write(tmp_path / "out", PICTURES, index=names))
    assert data.names == ("3.jpg.png", "3.png", "a/1.tif[0].png", "a/1.webp[0].png")
    np.testing.assert_array_equal(data.X, PICTURES[[1, 0, 2, 3]])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; .*free some space there"),
        (OSError("450000 requested and 49120 written"), "No space left on device; .*free some space there"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system; .*this one is read-only"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error; .*choose another place"),
    ],
    ids=["full", "full by numpy", "read-only", "other"],
)
def test_errors_of_writing_name_the_file_and_the_remedy(tmp_path, error, words):
    path = readers.write(tmp_path / "t.npy", X)
    with pytest.raises(OSError, match=rf"t\.npy could not be written: {words}") as caught, readers.written_whole(path):
        raise error
    assert caught.value.errno == (error.errno or errno.ENOSPC) and "was there is unharmed" in str(caught.value)
    np.testing.assert_array_equal(np.load(path), X)
    assert os.listdir(tmp_path) == ["t.npy"]


@pytest.mark.parametrize("error", [ConnectionError("no route"), FileNotFoundError(2, "No such file", "data.csv")])
def test_errors_of_what_is_to_be_written_pass_unchanged(tmp_path, error):
    with pytest.raises(type(error)) as caught, readers.written_whole(tmp_path / "t.npy"):
        raise error
    assert caught.value is error


def test_a_full_disk(tmp_path):
    """A device that takes nothing: every kind of file names itself, and leaves nothing."""
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    with pytest.raises(OSError, match=r"t\.bin could not be written: No space left on device"):  # noqa: SIM117
        with readers.written_whole(tmp_path / "t.bin"), open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")


def test_places_that_cannot_be_written_are_told_before_the_work(tmp_path):
    check = readers.check_writable
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    for path, kind, words in (
        (tmp_path / "folder.csv", IsADirectoryError, r"folder\.csv: is a folder; give the name of a file"),
        (tmp_path / "file", FileExistsError, "exists already, and is a file or not empty"),
        (tmp_path / "full", FileExistsError, "exists already, and is a file or not empty"),
        (tmp_path / "lost", FileExistsError, "lost: is a link that leads nowhere"),
        (tmp_path / "lost" / "t.csv", FileExistsError, "lost: is a link that leads nowhere"),
        (tmp_path / "file" / "t.csv", OSError, r"t\.csv could not be written: Not a directory; a part of its path"),
        ("/proc/t.csv", OSError, r"/proc/t\.csv could not be written: .*; choose another place"),
        (tmp_path / "t.xlsx", ValueError, "cannot write"),
    ):
        with pytest.raises(kind, match=words):
            check(path)
        with pytest.raises(kind, match=words):
            readers.write_chunks(path, iter(()))  # what makes the rows is not even asked
    assert check(tmp_path / "new" / "deep" / "t.csv") == tmp_path / "new" / "deep" / "t.csv"
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    assert check(tmp_path / "link.csv")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.csv", "full", "link.csv", "lost"]


# ---- values in the empty cells of a CSV file ------------------------------------------------------------------------


def filled(path, out, values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = readers.read(path).X
    holes = {n: [i for i, v in enumerate(table.column(n).to_pylist()) if v is None] for n in values}
    rows = fill_csv(path, out, {n: dict.fromkeys(holes[n], value) for n, value in values.items()})
    assert rows == len(table)


@pytest.mark.parametrize(
    ("before", "values", "after"),
    [
        (b"code,x\n00501,1.50\n00502,\n", {"x": 2.5}, b"code,x\n00501,1.50\n00502,2.50\n"),
        (b"a;b\r\n1,50;x\r\n;y\r\n", {"a": 2.5}, b"a;b\r\n1,50;x\r\n2,50;y\r\n"),
        (b'"a","b"\n"1","x"\n"","y"\nNA,"z"\n', {"a": 7}, b'"a","b"\n"1","x"\n"7","y"\n"7","z"\n'),
        (b"\xef\xbb\xbfa,b\n\n1,x\n\n,y", {"a": 3}, b"\xef\xbb\xbfa,b\n\n1,x\n\n3,y"),
        (b"a,b\r1,\r2,x\r", {"b": "p, q"}, b'a,b\r1,"p, q"\r2,x\r'),
        (b"a,b\n1,True\n2,\n", {"b": False}, b"a,b\n1,True\n2,False\n"),
        (b"a,b\n1,true\n2,?\n", {"b": True}, b"a,b\n1,true\n2,true\n"),
        (b'a,b\n"1 ""x"" \n,",\n"2",5\n', {"b": 4}, b'a,b\n"1 ""x"" \n,",4\n"2",5\n'),
        (b"a\n1\n\n3\n", {"a": 2}, b"a\n1\n2\n3\n"),
        (b"0.1,0.2\n,0.4\n0.5,0.1\n", {"x0": 0.3}, b"0.1,0.2\n0.3,0.4\n0.5,0.1\n"),
        (b",a,b\n0,1.0,NA\n1,,x\n2,2.0,y\n", {"a": 3.5}, b",a,b\n0,1.0,NA\n1,3.5,x\n2,2.0,y\n"),
        (b"a\tb\n1\t\n\t5\n", {"a": 1, "b": 2}, b"a\tb\n1\t2\n1\t5\n"),
    ],
    ids=[
        "codes", "semicolons and decimal commas", "quotes", "BOM and empty lines", "CR", "True", "true",
        "line breaks", "one column", "no header", "index", "tabs",
    ],
)  # fmt: skip
def test_only_empty_cells_change(tmp_path, before, values, after):
    for name in ("t.csv", "t.csv.gz"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(before) if name.endswith("gz") else before)
        filled(path, tmp_path / "out.csv", values)
        assert (tmp_path / "out.csv").read_bytes() == after
        filled(path, tmp_path / "out.csv.gz", values)
        assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == after


def test_other_separators_keep_the_texts_of_all_cells(tmp_path):
    (tmp_path / "t.csv").write_text('code,x,note\n00501,1.50,"a\tb"\n00502,,NA\n')
    filled(tmp_path / "t.csv", tmp_path / "out.tsv", {"x": 2.5})
    assert (tmp_path / "out.tsv").read_text() == 'code\tx\tnote\n00501\t1.50\t"a\tb"\n00502\t2.50\tNA\n'
