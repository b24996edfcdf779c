"""Streaming Parquet: every row once, in order, in bounded memory."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hourglass import readers


def table(rows, start=0):
    return pa.table({"a": np.arange(start, start + rows, dtype="f8"), "b": [str(i % 3) for i in range(rows)]})


@pytest.fixture
def folder(tmp_path):
    pq.write_table(table(1000), tmp_path / "1.parquet", row_group_size=300)
    pq.write_table(table(500, 1000), tmp_path / "2.parquet", row_group_size=500)
    return tmp_path


def test_every_row_once_in_order(folder):
    stream = readers.ParquetStream(folder)
    assert stream.rows == len(stream) == 1500
    assert [group.rows for group in stream.row_groups] == [300, 300, 300, 100, 500]
    batches = [batch for group in range(5) for batch in stream.batches(group, rows=64)]
    assert max(batch.num_rows for batch in batches) <= 64
    assert batches[0].schema.equals(stream.schema)
    np.testing.assert_array_equal(np.concatenate([batch.column("a") for batch in batches]), np.arange(1500))


def test_columns_in_the_order_asked_for(folder):
    stream = readers.ParquetStream(folder / "1.parquet", columns=["b", "a"])
    assert stream.schema.names == ["b", "a"] and next(stream.batches(0)).schema.names == ["b", "a"]
    with pytest.raises(ValueError, match="no column 'c'; it has a, b"):
        readers.ParquetStream(folder, columns=["c"])


def test_one_long_row_group_needs_no_more_memory_than_a_short_one(tmp_path):
    """Peak of pyarrow's pool while streaming does not grow with the rows of the group."""

    def peak(rows):
        path = tmp_path / f"{rows}.parquet"
        values = np.random.default_rng(0).normal(size=(rows, 4))
        columns = pa.table({f"x{j}": values[:, j] for j in range(4)})
        pq.write_table(columns, path, row_group_size=rows, use_dictionary=False, data_page_size=64 << 10)
        del columns
        stream = readers.ParquetStream(path)
        highest, before = 0, pa.total_allocated_bytes()
        for batch in stream.batches(0, rows=4096):
            highest = max(highest, pa.total_allocated_bytes() - before)
            del batch
        return highest

    small, large = peak(200_000), peak(1_000_000)
    assert large < 1.5 * small and large < 1_000_000 * 4 * 8 / 2


def test_errors(folder, tmp_path):
    stream = readers.ParquetStream(folder)
    with pytest.raises(IndexError, match=r"group=5.*5 row groups"):
        next(stream.batches(5))
    with pytest.raises(ValueError, match="rows=0"):
        next(stream.batches(0, rows=0))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        readers.ParquetStream(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no \.parquet file"):
        readers.ParquetStream(tmp_path / "empty")
