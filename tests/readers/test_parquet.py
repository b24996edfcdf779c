"""Parquet files and folders: what belongs together, what is data, and what the errors say."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hourglass import readers
from hourglass.readers import decoding, parquet
from hourglass.readers.stream import table_bytes


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


def both(path, **options):
    """The table as it is read at once and in chunks, which are one and the same."""
    whole, stream = readers.read(path), readers.ParquetStream(path, **options)
    chunks = [batch for g in range(len(stream.row_groups)) for batch in stream.batches(g)]
    assert pa.Table.from_batches(chunks, stream.schema).equals(whole.X)
    return whole


@pytest.mark.filterwarnings("ignore:.*is the index that pandas wrote")
def test_the_index_of_pandas_names_the_rows(tmp_path):
    frame = pd.DataFrame({"a": [1.5, 2.5], "b": [3, 4]}, index=pd.Index([7, 9], name="customer_id"))
    frame.to_parquet(tmp_path / "t.parquet")
    data = both(tmp_path / "t.parquet")
    assert data.columns == ("a", "b") == readers.read(frame).columns and data.names == ("7", "9")
    frame.index = pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None])
    frame.to_parquet(tmp_path / "t.parquet")
    data = both(tmp_path / "t.parquet")
    assert data.columns == ("a", "b") and data.names == ("x, 1", "y, 2")
    frame.reset_index(drop=True).to_parquet(tmp_path / "t.parquet")
    assert both(tmp_path / "t.parquet").names is None
    chosen = readers.ParquetStream(tmp_path / "t.parquet", columns=["b"])
    assert chosen.columns == ("b",)


def test_the_index_is_said_to_be_none_of_the_columns(tmp_path):
    frame = pd.DataFrame({"a": [1.5, 2.5]}, index=pd.Index([7, 9], name="customer_id"))
    frame.to_parquet(tmp_path / "t.parquet")
    for read in (readers.read, readers.ParquetStream):
        with pytest.warns(UserWarning, match=r"t\.parquet: customer_id is the index that pandas wrote"):
            read(tmp_path / "t.parquet")
    pd.DataFrame(index=pd.Index(["x", "y"], name="id")).to_parquet(tmp_path / "t.parquet")
    assert readers.read(tmp_path / "t.parquet").columns == ("id",)  # all there is


def parts(folder, *tables):
    for i, table in enumerate(tables):
        (folder / f"{i}.parquet").parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / f"{i}.parquet")
    return folder


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (pa.array([1, 2], pa.int32()), pa.array([0.5, None]), pa.float64()),
        (pa.array([None, None], pa.null()), pa.array(["x", None]), pa.string()),
        (pa.array(["x", "y"]), pa.array([None, None], pa.null()), pa.string()),
        (pa.array(["x", "y"]).dictionary_encode(), pa.array(["x", "z"]), pa.string()),
        (pa.array([1, 2], pa.int8()), pa.array([1, 2**40]), pa.int64()),
    ],
    ids=["whole and fractions", "null first", "null second", "categories", "sizes"],
)
def test_files_whose_types_have_one_in_common(tmp_path, first, second, kind):
    data = both(parts(tmp_path, pa.table({"a": first}), pa.table({"a": second})))
    assert data.X.schema.field("a").type == kind
    assert data.X.column("a").to_pylist() == [*first.to_pylist(), *second.to_pylist()]


def test_not_null_and_the_order_of_columns_are_no_difference(tmp_path):
    fields = [pa.field("a", pa.float64(), nullable=False), pa.field("b", pa.int64())]
    strict = pa.table({"a": [1.0], "b": [1]}, schema=pa.schema(fields))
    data = both(parts(tmp_path, strict, pa.table({"b": [2], "a": [2.0]})))
    assert data.X.to_pydict() == {"a": [1.0, 2.0], "b": [1, 2]}


def test_folders_that_name_a_value(tmp_path):
    table = pa.table({"a": [1.0, 2.0]})
    for folder in ("year=2020/place=Rome", "year=2021/place=S%C3%A3o", "year=2021/place=__HIVE_DEFAULT_PARTITION__"):
        parts(tmp_path / folder, table)
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / "_old" / "year=1").mkdir(parents=True)
    pq.write_table(table, tmp_path / "_old" / "year=1" / "x.parquet")
    data = both(tmp_path)
    assert data.X.to_pydict() == {
        "a": [1.0, 2.0] * 3,
        "year": [2020, 2020, 2021, 2021, 2021, 2021],
        "place": ["Rome", "Rome", "São", "São", None, None],
    }
    stream = readers.ParquetStream(tmp_path, columns=["year"])
    assert [batch.column("year").to_pylist() for batch in stream.batches(0)] == [[2020, 2020]]


def test_nested_folders_and_files_that_hold_the_column_themselves(tmp_path):
    parts(tmp_path / "deep" / "deeper", pa.table({"a": [1]}))
    parts(tmp_path / "other", pa.table({"a": [2]}))
    assert both(tmp_path).X.to_pydict() == {"a": [1, 2]}
    parts(tmp_path / "k" / "a=5", pa.table({"a": [3]}))
    assert both(tmp_path / "k").X.to_pydict() == {"a": [3]}


def test_a_name_that_occurs_twice(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    for read in (readers.read, readers.ParquetStream):
        with pytest.raises(ValueError, match="'a' occurs 2 times"):
            read(tmp_path / "t.parquet")


def test_what_a_table_takes_in_memory(tmp_path, monkeypatch):
    """A small file of many equal cells is a large table."""
    pq.write_table(pa.table({"a": np.zeros(300_000), "b": np.zeros(300_000)}), tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 10_000
    assert table_bytes(tmp_path) == table_bytes(tmp_path / "t.parquet") >= 4_800_000
    np.save(tmp_path / "x.npy", np.zeros(5))
    assert table_bytes(tmp_path / "x.npy") == table_bytes(tmp_path / "nothing.parquet") == 0
    monkeypatch.setattr(decoding, "available_memory", lambda: 1_000_000)
    with pytest.raises(ValueError, match=r"takes 4\.8 MB of memory, and 1\.0 MB are free; read it in chunks"):
        readers.read(tmp_path / "t.parquet")
    assert len(readers.ParquetStream(tmp_path / "t.parquet")) == 300_000


def test_pages_that_unpack_to_more_than_pages_do(tmp_path, monkeypatch):
    table = pa.table({"a": [1.0] * 40, "s": ["x" * 100_000, "y" * 100_000] * 20})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd")
    assert both(tmp_path / "t.parquet").X.equals(table)
    monkeypatch.setattr(parquet, "MAX_DICTIONARY", 150_000)
    for read in (readers.read, lambda path: list(readers.ParquetStream(path).batches(0))):
        with pytest.raises(ValueError, match="column 's' holds a page that unpacks to 0 MB"):
            read(tmp_path / "t.parquet")


@pytest.mark.parametrize("read", [readers.read, lambda path: list(readers.ParquetStream(path).batches(0))])
def test_pages_that_are_corrupt(tmp_path, read):
    table = pa.table({"a": np.random.default_rng(0).normal(size=5000)})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd")
    content = bytearray((tmp_path / "t.parquet").read_bytes())
    content[10:40] = bytes(30)
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"t\.parquet: is corrupt, or not a whole Parquet file"):
        read(tmp_path / "t.parquet")
