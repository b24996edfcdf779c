"""CSV and Parquet: what is read, what is missing, and what the errors say."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hourglass import readers


@pytest.fixture
def csv(tmp_path):
    def make(text, name="t.csv"):
        path = tmp_path / name
        content = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return make


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "a,b\n1,x\n2.5,y\n"),
        ("t.csv.gz", "a,b\n1,x\n2.5,y\n"),
        ("t.tsv", "a\tb\n1\tx\n2.5\ty\n"),
        ("t.csv", "a;b\n1;x\n2.5;y\n"),
        ("t.csv", "﻿a,b\r\n1,x\r\n2.5,y\r\n"),
    ],
    ids=["comma", "gzip", "tab", "semicolon", "windows"],
)
def test_csv_forms(csv, name, text):
    data = readers.read(csv(text, name))
    assert data.kind == "tables" and data.columns == ("a", "b") and len(data) == 2
    assert data.X.to_pydict() == {"a": [1.0, 2.5], "b": ["x", "y"]}


def test_missing_cells_of_numbers_and_words(csv):
    data = readers.read(csv("a,b\n1,x\n,\nNA,?\n4,y\n"))
    assert data.X.to_pydict() == {"a": [1, None, None, 4], "b": ["x", None, None, "y"]}


def test_quoted_lines_and_commas(csv):
    assert readers.read(csv('"a","b"\n1,"x, y\nz"\n')).X.column("b").to_pylist() == ["x, y\nz"]


def test_a_header_with_a_line_break_in_quotes(csv):
    data = readers.read(csv('"height\n(m)";job\n1,5;cook\n2,5;smith\n'))
    assert data.X.to_pydict() == {"height\n(m)": [1.5, 2.5], "job": ["cook", "smith"]}


def test_numbers_with_decimal_commas_and_exponents(csv):
    data = readers.read(csv("a;b;c\n1,5e3;,5;x1\n;2;3,5\n-2;+3,;4\n"))
    assert data.X.to_pydict() == {"a": [1500.0, None, -2.0], "b": [0.5, 2.0, 3.0], "c": ["x1", "3,5", "4"]}
    assert readers.read(csv("5,1;3,5\n4,9;3,0\n")).columns == ("x0", "x1")


def test_numbers_without_header_get_names(csv):
    data = readers.read(csv("5.1,3.5\n4.9,3.0\n"))
    assert data.columns == ("x0", "x1") and len(data) == 2


def test_counted_header_of_pandas_is_a_header(csv):
    assert readers.read(csv("0,1\n4.9,3.0\n")).columns == ("0", "1")


def test_types_that_change_after_the_first_block(csv):
    """pyarrow guesses types from the first megabyte; a fraction far below must not be an error."""
    rows = 400_000
    data = readers.read(csv("a\n" + "1234\n" * rows + "0.5\n"))
    assert pa.types.is_floating(data.X.schema.field("a").type) and len(data) == rows + 1


def test_columns_are_selected_in_order(csv):
    path = csv("a,b,c\n1,2,3\n")
    assert readers.read(path, columns=["c", "a"]).columns == ("c", "a")
    with pytest.raises(ValueError, match=r"no column 'lenght'; did you mean 'length'"):
        readers.read(csv("length,width\n1,2\n"), columns=["lenght"])
    with pytest.raises(ValueError, match="at least one column"):
        readers.read(path, columns=[])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2\n1,2,3\n", r"Row #3.*same number of fields"),
        (b"a,b\n1,caf\xe9\n", "column 'b'.*not UTF-8"),
        (b"caf\xe9,b\n1,2\n", "header.*not UTF-8"),
        (b"a,a\n1,2\n", "'a' occurs 2 times"),
    ],
    ids=["empty", "header only", "ragged", "latin-1 cell", "latin-1 header", "double name"],
)
def test_csv_errors_name_file_and_reason(csv, content, words):
    path = csv(content)
    with pytest.raises(ValueError, match=words) as caught:
        readers.read(path)
    assert path.name in str(caught.value) and "\n" not in str(caught.value)


def test_damaged_gzip(tmp_path):
    path = tmp_path / "t.csv.gz"
    whole = gzip.compress(np.random.default_rng(0).integers(0, 9, 100_000).astype("U1").tobytes())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"t\.csv\.gz"):
        readers.read(path)
    path.write_bytes(b"not gzip at all")
    with pytest.raises(ValueError, match="damaged"):
        readers.read(path)


def test_parquet_file_and_folder(tmp_path):
    table = pa.table({"a": [1.0, 2.0], "b": ["x", None]})
    for name in ("2.parquet", "1.parquet"):
        pq.write_table(table, tmp_path / name)
    assert readers.read(tmp_path / "1.parquet").X.equals(table)
    assert readers.read(tmp_path).X.equals(pa.concat_tables([table, table]))


def test_row_numbers_that_pandas_keeps_are_no_column(tmp_path):
    pd.DataFrame({"a": [1.0, 2.0, 3.0]}).iloc[[2, 0]].to_parquet(tmp_path / "t.parquet")
    assert readers.read(tmp_path / "t.parquet").columns == ("a",)
    assert readers.ParquetStream(tmp_path / "t.parquet").columns == ("a",)


def test_parquet_errors(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "2.parquet")
    for read in (readers.read, readers.ParquetStream):
        with pytest.raises(ValueError, match=r"1\.parquet and 2\.parquet disagree on column 'a'"):
            read(tmp_path)
    pq.write_table(pa.table({"b": [1]}), tmp_path / "2.parquet")
    with pytest.raises(ValueError, match="different columns"):
        readers.read(tmp_path)
    (tmp_path / "3.parquet").write_bytes((tmp_path / "1.parquet").read_bytes()[:-10])
    for read in (readers.read, readers.ParquetStream):
        with pytest.raises(ValueError, match="not a whole Parquet file"):
            read(tmp_path / "3.parquet")
    pq.write_table(pa.table({"a": pa.array([], pa.float64())}), tmp_path / "4.parquet")
    for read in (readers.read, readers.ParquetStream):
        with pytest.raises(ValueError, match="no rows"):
            read(tmp_path / "4.parquet")
