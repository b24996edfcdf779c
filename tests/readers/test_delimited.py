"""CSV: what is read, what is missing, what stays a text, and what the errors say."""

import gzip
import warnings

import numpy as np
import pyarrow as pa
import pytest

from hourglass import readers
from hourglass.readers import decoding, delimited


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
    path = csv('a,b,c\n1,x,true\n,"",NA\n"NA",?,false\n 4 , y,""\n  ,NA,true\n')
    with pytest.warns(UserWarning, match=r"t\.csv: 1 cell '\?' of b, 1 cell 'NA' of b kept as texts; .*\['\?', 'NA'\]"):
        data = readers.read(path)
    assert data.X.to_pydict() == {
        "a": [1, None, None, 4, None],
        "b": ["x", None, "?", " y", "NA"],
        "c": [True, None, False, None, True],
    }
    chosen = readers.read(path, null_words=["NA", "x"]).X
    assert chosen.column("b").to_pylist() == [None, None, "?", " y", None]
    assert readers.read(csv("a,b\n1,x\nNA,y\n"), null_words=[]).X.column("a").to_pylist() == ["1", "NA"]


def test_namibia_is_no_missing_value(csv):
    rows = ["NA", "DE", "FR", "US"] * 10
    with pytest.warns(UserWarning, match="10 cells 'NA' of country kept as texts"):
        data = readers.read(csv("country,n\n" + "".join(f'"{row}",{i}\n' for i, row in enumerate(rows))))
    assert data.X.column("country").to_pylist() == rows


@pytest.mark.parametrize("word", ["NA", "NULL", "nan", "NaN", "?", "null", "N/A", "#N/A", "None", " ", "n/a"])
def test_null_words_among_numbers(csv, word):
    for cell in (word, f'"{word}"'):
        data = readers.read(csv(f"a,b,when\n1,0.5,2020-01-01\n{cell},{cell},{cell}\n3,1e-3,2020-01-02\n"))
        assert [data.X.column(j).to_pylist()[1] for j in range(3)] == [None] * 3
        assert data.X.schema.types == [pa.int64(), pa.float64(), pa.string()]


def test_columns_without_a_value(csv):
    data = readers.read(csv("a,b,c\n1,,NA\n2,,\n"))
    assert data.X.column("b").null_count == data.X.column("c").null_count == 2


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["00501", "10001"], "00501"),
        (["10001", "", "007"], "007"),
        (["123456789012345678901234", "123456789012345678901235"], "123456789012345678901234"),
        (["9007199254740993", "5"], "9007199254740993"),
        (["00501", "NA"], "00501"),
        (["9" * 400, "5"], "9" * 400),
    ],
)
def test_codes_stay_texts(csv, cells, code):
    with pytest.warns(UserWarning, match=rf"t\.csv: zip \({code}\) read as texts"):
        data = readers.read(csv("zip,x\n" + "".join(f"{cell},{i}.5\n" for i, cell in enumerate(cells))))
    assert data.X.column("zip").to_pylist() == [cell if cell not in ("", "NA") else None for cell in cells]


@pytest.mark.parametrize(
    "cells",
    [
        ["0", "10"],
        ["0.5", "00.5"],
        ["-1", "0"],
        ["9007199254740992", "18014398509481984"],
        ["1e300", "5"],
        ["100000000000000000000", "7"],
    ],
)
def test_quantities_are_numbers(csv, cells):
    data = readers.read(csv("zip,x\n" + "".join(f"{cell},{i}.5\n" for i, cell in enumerate(cells))))
    assert data.X.column("zip").to_pylist() == [float(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("2021-01-28", pa.string()),
        ("2021-01-28 10:00:00", pa.string()),
        ("2021-01-28T10:00:00.5", pa.string()),
        ("2021-01-28T10:00:00Z", pa.string()),
        ("10:30:00", pa.string()),
        ("28/01/2021", pa.string()),
        ("True", pa.bool_()),
        ("0x1F", pa.string()),
        ("+3.5", pa.float64()),
        ("12 rue", pa.string()),
    ],
)
@pytest.mark.filterwarnings("ignore:.*codes")
def test_types(csv, cell, kind):
    data = readers.read(csv(f"name,x\n{cell},1\n,2\n{cell},3\n"))
    assert data.X.schema.field("name").type == kind and data.X.column("name").null_count == 1


def test_quoted_lines_and_commas(csv):
    assert readers.read(csv('"a","b"\n1,"x, y\nz"\n')).X.column("b").to_pylist() == ["x, y\nz"]


def test_a_header_with_a_line_break_in_quotes(csv):
    data = readers.read(csv('"height\n(m)";job\n1,5;cook\n2,5;smith\n'))
    assert data.X.to_pydict() == {"height\n(m)": [1.5, 2.5], "job": ["cook", "smith"]}


def test_numbers_with_decimal_commas_and_exponents(csv):
    data = readers.read(csv("a;b;c\n1,5e3;,5;x1\n;2;3,5\n-2;+3,;4\n"))
    assert data.X.to_pydict() == {"a": [1500.0, None, -2.0], "b": [0.5, 2.0, 3.0], "c": ["x1", "3,5", "4"]}
    assert readers.read(csv("5,1;3,5\n4,9;3,0\n")).columns == ("x0", "x1")


VALUES = np.random.default_rng(0).normal(size=(20, 4))


@pytest.mark.parametrize(
    ("first", "rows", "is_header", "is_said"),
    [
        ("400.0,404.0,408.0,412.0", VALUES, True, True),
        ("1,2,3,4", VALUES, True, True),
        ("0,1,2,3", VALUES, True, True),
        ("10,25,30,90", VALUES, True, True),  # whole numbers over fractions
        ("400.1,404.7,411.2,500.5", VALUES, True, True),  # far from all values
        ("0.1,0.3,0.2,0.4", VALUES, False, True),
        ("5,5,1,2", VALUES, False, True),  # twice the same
        ("1,2,3,4", np.arange(5, 45).reshape(10, 4), False, True),  # the next line rises evenly too
        ("0.1,,0.2,0.4", VALUES, False, True),
        ("0.1,NA,0.2,0.4", VALUES, False, True),
        (",0,1,2", VALUES, True, True),
        ("a,b,c,d", VALUES, True, False),
        ("country,2019,2020,2021", VALUES, True, False),
        ("country,0.1,0.2,0.3", VALUES, True, True),
        ("5.1,3.5,1.4,setosa", [[4.9, 3.0, 1.4, "setosa"], [7.0, 3.2, 4.7, "versicolor"]], False, True),
        ("p,x,s,n", [["e", "x", "s", "y"], ["p", "b", "s", "n"]], False, True),
    ],
)
def test_the_first_line(csv, first, rows, is_header, is_said):
    lines = [",".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row) for row in rows]
    path = csv("\n".join([first, *lines]) + "\n")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        data = readers.read(path)
    fields = first.split(",")
    skipped = fields[0] == ""  # the index of pandas has no name; here it does not number the rows
    assert data.columns == (tuple(fields) if is_header else ("x0", "x1", "x2", "x3")) and skipped in (True, False)
    assert len(data) == len(rows) + (not is_header)
    about = [str(w.message) for w in said if "the first line" in str(w.message)]
    remedy = f"if that is wrong, give readers.read(..., header={not is_header})"
    assert len(about) == is_said and all(remedy in text for text in about)


@pytest.mark.parametrize("header", [True, False])
def test_the_first_line_as_it_is_said_to_be(csv, header):
    path = csv("0.1,0.2\n0.5,0.6\n0.1,0.3\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = readers.read(path, header=header)
    assert data.columns == (("0.1", "0.2") if header else ("x0", "x1")) and len(data) == 3 - header


def test_one_column(csv):
    assert readers.read(csv("a\n1\n\n3\n")).X.to_pydict() == {"a": [1, None, 3]}  # an empty line is a cell
    with pytest.warns(UserWarning, match="the first line"):
        assert readers.read(csv("0\n1\n0\n1\n")).X.to_pydict() == {"x0": [0, 1, 0, 1]}
    with pytest.warns(UserWarning, match="the first line"):
        assert readers.read(csv("0\n1.5\n0.5\n")).X.to_pydict() == {"0": [1.5, 0.5]}
    assert readers.read(csv('"b"\n"x"\n"y"\n')).X.to_pydict() == {"b": ["x", "y"]}


def test_empty_lines(csv):
    assert readers.read(csv("\n\na,b\n1,x\n\n2,y\n\n")).X.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


def test_rows_names_and_cells_beyond_a_megabyte(csv):
    names = ",".join(f"g{i}" for i in range(60_000))
    row = ",".join(["1.234567890123456789"] * 60_000)
    assert len(row) > 1 << 20
    data = readers.read(csv(f"{names}\n{row}\n{row}\n"))
    assert data.X.shape == (2, 60_000) and data.columns[-1] == "g59999"
    assert readers.read(csv(f"{'n' * 200_000},b\n1,2\n3,4\n")).columns[0] == "n" * 200_000
    for quote in ("", '"'):
        late = readers.read(csv("a,b\n" + "1,x\n" * 400_000 + f"2,{quote}{'y' * (3 << 20)}{quote}\n3,z\n"))
        assert len(late) == 400_002 and late.X.column("b")[-2].as_py() == "y" * (3 << 20)


def test_a_cell_with_line_breaks_longer_than_a_block(csv):
    cell = "line\n" * 500_000
    data = readers.read(csv(f'a,b\n1,x\n2,"{cell}"\n3,z\n'))
    assert data.X.column("b").to_pylist() == ["x", cell, "z"]


@pytest.mark.parametrize("line", [1, 2, 4])
def test_a_quote_that_is_never_closed(csv, line):
    lines = ["a,b", "1,x", "2,y", "3,p", "4,z"]
    lines[line - 1] = lines[line - 1].replace(",", ',"')
    lines[1:1] = ['0,"p, q"'] if line > 1 else []
    line += line > 1
    with pytest.raises(ValueError, match=rf"t\.csv: the quote that opens in line {line} is never closed"):
        readers.read(csv("\n".join(lines) + "\n"))


def test_quotes_inside_texts_are_no_quoting(csv):
    assert readers.read(csv('a,b\n1,5" pipe\n2,x\n')).X.column("b").to_pylist() == ['5" pipe', "x"]


def test_tables_larger_than_memory(csv, monkeypatch):
    monkeypatch.setattr(decoding, "available_memory", lambda: 1000)
    with pytest.raises(ValueError, match=r"t\.csv: the table takes .* MB of memory, .* convert it to Parquet"):
        readers.read(csv("a,b\n" + "1,2\n" * 300))


def test_gzip_files_that_unpack_to_far_more_than_tables_do(csv, monkeypatch):
    monkeypatch.setattr(delimited, "UNSUSPICIOUS", 1 << 20)
    path = csv("a,b\n" + "1,2\n" * 1_000_000, "t.csv.gz")
    with pytest.raises(ValueError, match=r"t\.csv\.gz: unpacks to more than 200 times its size"):
        readers.read(path)


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
    with pytest.raises(ValueError, match="corrupt"):
        readers.read(path)
