"""npy, npz, idx and things in memory: one canonical form."""

import gzip
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from hourglass import readers
from hourglass.readers import decoding
from hourglass.readers.memory import as_arrow

rng = np.random.default_rng(0)


SHAPES = [(5, 3), (5, 8, 9), (5, 8, 9, 1), (5, 8, 9, 3), (5, 8, 9, 4), (5, 3, 8, 9), (5, 1, 3, 3), (5, 2, 8, 9)]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_from_memory_npy_and_npz_agree(tmp_path, shape):
    X = rng.integers(0, 255, shape).astype(np.uint8)
    np.save(tmp_path / "t.npy", X)
    np.savez(tmp_path / "t.npz", X=X, y=np.arange(5))
    several = [readers.read(source) for source in (X, tmp_path / "t.npy", tmp_path / "t.npz")]
    for data in several:
        assert data.X.dtype == np.uint8 and data.kind == ("tables" if len(shape) == 2 else "arrays")
        np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(several[2].labels, np.arange(5))


def test_npz_keys(tmp_path):
    X = np.zeros((4, 2))
    for key in ("X", "x", "data", "images", "anything"):
        np.savez(tmp_path / "t.npz", **{key: X, "labels": np.ones((4, 1))})
        data = readers.read(tmp_path / "t.npz")
        assert data.X.shape == (4, 2) and data.labels.shape == (4,)
    np.savez(tmp_path / "t.npz", first=X, second=X)
    with pytest.raises(ValueError, match=r"\['first', 'second'\].*save the examples as X"):
        readers.read(tmp_path / "t.npz")
    np.savez(tmp_path / "t.npz", X=X, y=np.ones(3))
    with pytest.raises(ValueError, match=r"labels have shape \(3,\), but there are 4"):
        readers.read(tmp_path / "t.npz")


def test_pickles_are_never_opened(tmp_path):
    np.save(tmp_path / "t.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "t.npz", allow_pickle=True, X=np.array([[None, 1]], dtype=object))
    (tmp_path / "text.npy").write_text("hello")
    for name in ("t.npy", "t.npz", "text.npy"):
        with pytest.raises(ValueError, match=f"{name}.*Python objects.*np.save"):
            readers.read(tmp_path / name)


def test_arrays_that_claim_more_than_their_file_holds(tmp_path):
    np.save(tmp_path / "t.npy", np.zeros((50, 4)))
    content = (tmp_path / "t.npy").read_bytes()
    claims = content.replace(b"(50, 4), }                ", b"(50, 9999999999999), }    ")
    assert len(claims) == len(content) and claims != content
    (tmp_path / "t.npy").write_bytes(claims)
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("X.npy", claims)
    for name in ("t.npy", "t.npz"):
        with pytest.raises(ValueError, match=rf"{name}.*claims shape \(50, 9999999999999\)"):
            readers.read(tmp_path / name)


def test_an_archive_larger_than_memory(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "t.npz", X=np.zeros((1 << 20, 4)))
    monkeypatch.setattr(decoding, "available_memory", lambda: 10 << 20)
    with pytest.raises(ValueError, match=r"array 'X': the array takes 33\.6 MB of memory, and 10\.5 MB are free"):
        readers.read(tmp_path / "t.npz")


@pytest.mark.parametrize("name", ["t.npy", "t.npz", "c.npz", "s.npz"])
def test_whatever_a_decoder_raises_is_one_kind_of_error(tmp_path, name):
    """Single bytes changed all over the file: read, or a ValueError that names it."""
    path = tmp_path / name
    if name == "s.npz":
        sparse.save_npz(path, sparse.eye_array(20, format="csr"))
    else:
        {"t.npy": lambda: np.save(path, np.arange(6.0).reshape(3, 2)), "t.npz": lambda: np.savez(path, X=np.eye(3)),
         "c.npz": lambda: np.savez_compressed(path, X=np.eye(3))}[name]()  # fmt: skip
    content = path.read_bytes()
    failed = 0
    for i in range(0, len(content), 1 + len(content) // 300):
        path.write_bytes(content[:i] + bytes([content[i] ^ (1 << i % 8)]) + content[i + 1 :])
        try:
            readers.read(path)
        except (ValueError, TypeError) as error:
            failed += 1
            assert name in str(error) and "\n" not in str(error)
    assert failed


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
def test_sparse_archives_are_the_tables_they_stand_for(tmp_path, form):
    dense = np.where(rng.random((30, 8)) < 0.8, 0.0, rng.normal(size=(30, 8)))
    sparse.save_npz(tmp_path / "s.npz", sparse.coo_array(dense).asformat(form))
    data = readers.read(tmp_path / "s.npz")
    assert data.kind == "tables"
    np.testing.assert_array_equal(data.X, dense)


def test_sparse_archives_whose_indices_lie_outside(tmp_path):
    matrix = sparse.csr_array(np.eye(4))
    matrix.indices[2] = 10_000_000
    sparse.save_npz(tmp_path / "s.npz", matrix)
    with pytest.raises(ValueError, match=r"s\.npz: is corrupt"):
        readers.read(tmp_path / "s.npz")


def test_damaged_numpy_files(tmp_path):
    np.save(tmp_path / "t.npy", np.zeros((50, 4)))
    np.savez(tmp_path / "t.npz", X=np.zeros((50, 4)))
    for name in ("t.npy", "t.npz"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(ValueError, match=f"{name}.*corrupt"):
            readers.read(path)
    (tmp_path / "empty.npy").write_bytes(b"")
    with pytest.raises(ValueError, match=r"empty\.npy"):
        readers.read(tmp_path / "empty.npy")


@pytest.mark.parametrize(
    ("X", "error", "words"),
    [
        (np.zeros((0, 3)), ValueError, "0 rows"),
        (np.zeros((3, 0)), ValueError, "0 columns"),
        (np.zeros((2, 3, 0)), ValueError, "axis"),
        (np.zeros((2, 2), complex), ValueError, "Complex data not supported"),
        (np.zeros((2, 2), "datetime64[s]"), TypeError, "datetime64"),
        ([[1, 2], [3]], ValueError, "different lengths"),
        (3, TypeError, "cannot read int"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, "'a' occurs 2 times"),
        (pd.DataFrame({"a": []}), ValueError, "0 rows"),
        ({"a": [1, "x"]}, TypeError, "single type"),
        ({"a": [1, 2], "b": [1]}, ValueError, "different lengths"),
        ({"a": 1.0}, ValueError, "a single value"),
    ],
)
def test_what_is_no_data(X, error, words):
    with pytest.raises(error, match=words):
        readers.read(X)


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "dok_matrix", "coo_array"])
def test_sparse_matrices_are_tables(kind):
    sparse = pytest.importorskip("scipy.sparse")
    data = readers.read(getattr(sparse, kind)(np.eye(3)))
    assert data.kind == "tables"
    np.testing.assert_array_equal(data.X, np.eye(3))


def test_a_sparse_matrix_too_large_to_write_out():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match="TruncatedSVD"):
        readers.read(sparse.csr_matrix((1_000_000, 10_000)))


def test_masked_cells_are_missing():
    masked = np.ma.masked_equal([[1.0, -9.0], [-9.0, 4.0]], -9.0)
    np.testing.assert_array_equal(readers.read(masked).X, [[1.0, np.nan], [np.nan, 4.0]])
    with pytest.raises(ValueError, match="masked"):
        readers.read(np.ma.masked_equal(np.zeros((2, 3, 3)), 0.0))


def test_records_and_streams_of_arrow_are_tables():
    rows = [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, {"b": "z"}]
    assert readers.read(rows).X.to_pydict() == {"a": [1, None, None], "b": ["x", "y", "z"]}

    class Relation:
        """Whatever a database hands out."""

        def __arrow_c_stream__(self, requested_schema=None):
            return pa.table({"a": [1, 2]}).__arrow_c_stream__(requested_schema)

    assert readers.read(Relation()).X.to_pydict() == {"a": [1, 2]}


def test_frames_keep_their_kind():
    columns = {"a": [1.5, None], "b": ["x", "y"], "c": [True, False]}
    frames = [pa.table(columns), pa.RecordBatch.from_pydict(columns), pl.DataFrame(columns), pl.LazyFrame(columns)]
    frames += [pd.DataFrame(columns, index=[7, 3])]
    for frame in frames:
        data = readers.read(frame)
        assert data.columns == ("a", "b", "c") and data.kind == "tables"
        found = as_arrow(data.X).to_pydict()
        assert found == columns, type(frame)
    assert readers.read(pd.Series([1.0, 2.0], name="a")).columns == ("a",)
    assert readers.read(pl.Series("a", [1.0])).columns == ("a",)
    assert readers.read(pd.DataFrame(np.zeros((2, 2)))).columns == ("0", "1")
    assert readers.read({"a": [1, 2]}).X.to_pydict() == {"a": [1, 2]}


def test_objects_and_words_are_a_table():
    data = readers.read(np.array([[1, "x"], [None, "y"]], dtype=object))
    assert data.kind == "tables"
    assert as_arrow(data.X).to_pydict() == {"x0": [1, None], "x1": ["x", "y"]}


def test_tensors_without_knowing_torch():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6.0).reshape(3, 2).requires_grad_()
    np.testing.assert_array_equal(readers.read(tensor).X, [[0, 1], [2, 3], [4, 5]])
    assert readers.read(tensor.bfloat16()).X.dtype == np.float32


def test_numbers_are_not_copied_and_data_pass_through():
    X = np.zeros((4, 3))
    data = readers.read(X)
    assert data.X is X and readers.read(data) is data
    np.testing.assert_array_equal(readers.read(data, columns=[2, 0]).X, X[:, [2, 0]])
    with pytest.raises(ValueError, match="no column 3; positions go from 0 to 2"):
        readers.read(X, columns=[3])
    with pytest.raises(ValueError, match="columns have no names"):
        readers.read(X, columns=["a"])
    with pytest.raises(ValueError, match="not a table and has no columns"):
        readers.read(np.zeros((2, 4, 4)), columns=[0])


def idx(array, code=0x08):
    dtype = array.dtype.newbyteorder(">")
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(dtype).tobytes()


def test_idx_with_the_labels_beside_it(tmp_path):
    X = rng.integers(0, 255, (5, 4, 3)).astype(np.uint8)
    (tmp_path / "t-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(X)))
    (tmp_path / "t-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(5, dtype=np.uint8))))
    data = readers.read(tmp_path / "t-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.labels, np.arange(5))
    (tmp_path / "table.idx").write_bytes(idx(np.array([[1.5, -2]], "f8"), 0x0E))
    np.testing.assert_array_equal(readers.read(tmp_path / "table.idx").X, [[1.5, -2]])


def test_idx_errors(tmp_path):
    path = tmp_path / "t.idx"
    path.write_bytes(b"\x01\x02\x03\x04")
    with pytest.raises(ValueError, match="not an idx file: it starts with 01 02 03 04"):
        readers.read(path)
    path.write_bytes(b"\0\0\x08\xff" + b"\xff" * 4 * 255)  # the product of these sizes has 2,456 digits
    with pytest.raises(ValueError, match="not an idx file: it starts with 00 00 08 ff"):
        readers.read(path)
    path.write_bytes(idx(np.zeros((3, 2), np.uint8))[:-1])
    with pytest.raises(ValueError, match="6 bytes, but 5 follow"):
        readers.read(path)
    whole = gzip.compress(idx(rng.integers(0, 255, (99, 9)).astype(np.uint8)))
    path = tmp_path / "t.idx.gz"
    path.write_bytes(whole[:-50])
    with pytest.raises(ValueError, match="corrupt"):
        readers.read(path)
    path.write_bytes(gzip.compress(idx(np.zeros((1, 1, 1), np.uint8)) + bytes(200 << 20)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="1 bytes, but more follow"):
        readers.read(path)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()
    path.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31, 2**31, 2**31))
    with pytest.raises(ValueError, match=r"of memory, and .* are free"):
        readers.read(path)


def test_names_and_places_that_do_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"fashion-mnst.*did you mean the data set 'fashion_mnist'"):
        readers.read("fashion-mnst")
    (tmp_path / "flows.csv").write_text("a\n1\n")
    with pytest.raises(FileNotFoundError, match=r"did you mean .*flows\.csv"):
        readers.read(tmp_path / "flow.csv")
    with pytest.raises(FileNotFoundError, match="there are digits"):
        readers.read("/zzz/qqqq")
    (tmp_path / "t.docx").write_text("x")
    with pytest.raises(ValueError, match=r"\*\.docx are not read; give \.csv"):
        readers.read(tmp_path / "t.docx")
    assert readers.read("digits").X.shape == (1797, 1, 8, 8)


def test_a_file_goes_before_a_data_set_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    with pytest.raises(ValueError, match="holds no pictures"):
        readers.read("digits")


def test_importing_is_light():
    code = "import sys, hourglass.readers, hourglass.datasets; print([m for m in HEAVY if m in sys.modules])"
    heavy = ["torch", "pandas", "polars", "pyarrow", "PIL", "tifffile", "sklearn", "rich"]
    answer = subprocess.run([sys.executable, "-c", code.replace("HEAVY", repr(heavy))], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr
