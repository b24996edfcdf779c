"""Where batches come from: every row once an epoch, the same whenever asked, and memory that does not grow."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch

from hourglass import Embedder, ParquetStream
from hourglass.training import Rows, StreamedRows, Trainer
from hourglass.training.rows import concatenate


def numbered(n):
    """Rows that carry their own number, and a condition that does too."""
    numbers = torch.arange(n, dtype=torch.float32)[:, None]
    return Rows(numbers, 10 * numbers)


def in_memory(n):
    return numbered(n)


def streamed(n, window=50, piece=23, chunk=9):
    rows = numbered(n)
    starts = range(0, n, piece)

    def read(k):
        part = rows[slice(starts[k], starts[k] + piece)]
        for i in range(0, len(part), chunk):
            yield part[slice(i, i + chunk)]

    return StreamedRows(n, len(starts), read, window)


sources = pytest.mark.parametrize("source", [in_memory, streamed], ids=["in memory", "streamed"])


@sources
@pytest.mark.parametrize(("n", "batch_size"), [(120, 8), (120, 120), (96, 32), (7, 7), (100, 1)])
def test_every_row_once_an_epoch(source, n, batch_size):
    batches = list(source(n).epoch(batch_size, 0, 3))
    assert [len(batch) for batch in batches] == [batch_size] * (n // batch_size)
    numbers = torch.cat([batch.raw for batch in batches]).flatten()
    assert sorted(numbers.tolist()) == list(range(n))
    for batch in batches:
        assert torch.equal(batch.condition, 10 * batch.raw)
    assert n < 8 or numbers.tolist() != list(range(n))


@sources
def test_whole_batches_only_and_another_remainder_each_epoch(source):
    rows = source(103)
    left_out = []
    for epoch in range(4):
        batches = list(rows.epoch(10, 0, epoch))
        assert [len(batch) for batch in batches] == [10] * 10
        numbers = set(torch.cat([batch.raw for batch in batches]).flatten().tolist())
        assert len(numbers) == 100  # none twice
        left_out.append(frozenset(set(range(103)) - numbers))
    assert len(set(left_out)) > 1


@sources
def test_the_order_depends_on_seed_and_epoch_alone(source):
    def order(seed, epoch, start=0):
        return torch.cat([batch.raw for batch in source(90).epoch(8, seed, epoch, start)]).flatten().tolist()

    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4
    for start in (1, 5, 10):
        assert order(0, 1, start) == order(0, 1)[start * 8 :]


def test_a_stream_is_shuffled_across_its_pieces():
    first = next(streamed(2000, window=1000, piece=100, chunk=50).epoch(100, 0, 0)).raw.flatten()
    assert len(set((first // 100).int().tolist())) > 5


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "rows.parquet"
    n = 700
    number = np.arange(n, dtype=np.float64)
    table = pyarrow.table({"number": number, "other": number / n + 0.1 * np.random.default_rng(0).normal(size=n)})
    pyarrow.parquet.write_table(table, path, row_group_size=150)
    return path


def test_a_streamed_fit_sees_every_training_row_once_an_epoch_and_no_held_out_one(parquet, monkeypatch):
    seen, held_out = [], []
    step = Trainer._step

    def noted(self, batch):
        seen.append((self.state.progress.epoch, batch.raw[:, 0].round().tolist()))
        held_out[:] = self.held_out.raw[:, 0].round().tolist()
        step(self, batch)

    monkeypatch.setattr(Trainer, "_step", noted)
    Embedder(1, hidden=(4,), max_epochs=3, batch_size=1, random_state=0, n_threads=1).fit(ParquetStream(parquet))
    assert 30 < len(held_out) < 120  # a tenth of 700
    for epoch in range(3):
        rows = [number for e, numbers in seen if e == epoch for number in numbers]
        assert sorted(rows + held_out) == list(range(700))


def test_a_stream_is_learnt_as_the_same_table_in_memory(parquet):
    """The same scaling, and an error as good; only the order of the rows and those held out are others."""
    table = pyarrow.parquet.read_table(parquet)
    settings = {"recipe": "ae", "hidden": (8,), "max_epochs": 25, "random_state": 0, "n_threads": 1}
    stream, memory = (Embedder(1, **settings).fit(X) for X in (ParquetStream(parquet), table))
    for one, other in zip(stream.modality_.columns, memory.modality_.columns, strict=True):
        assert (one.name, one.kind) == (other.name, other.kind)
        assert one.offset == pytest.approx(other.offset) and one.scale == pytest.approx(other.scale)
    assert stream.transform(table).shape == (700, 1)
    assert stream.summary_.unexplained_variance == pytest.approx(memory.summary_.unexplained_variance, abs=0.1)


MEMORY = """
import json, os, sys
from hourglass import Embedder, ParquetStream

def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) / 1024

def peak(path):
    '''Peak resident memory, in MiB, of a forked process that fits a stream, above what it started with.'''
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            before = status("VmRSS")
            settings = dict(recipe="ae", hidden=(8,), max_epochs=1, batch_size=4096, random_state=0, n_threads=1)
            Embedder(2, **settings).fit(ParquetStream(path))
            os.write(writer, str(status("VmHWM") - before).encode())
        finally:
            os._exit(0)
    os.close(writer)
    return float(os.read(reader, 100))

# allocators keep what they were given back, now more, now less: the least of two is nearer to what a fit needs
print(json.dumps([min(peak(path) for _ in range(2)) for path in sys.argv[1:]]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_memory_of_a_streamed_fit_does_not_grow_with_the_rows(tmp_path):
    """Ten times the rows of 20 columns, 320 MB of them as float64: the same peak but for what allocators keep."""
    rng = np.random.default_rng(0)
    group = pyarrow.table({f"c{i}": rng.normal(size=50_000) for i in range(20)})
    for name, n_groups in (("small", 4), ("large", 40)):
        with pyarrow.parquet.ParquetWriter(tmp_path / name, group.schema, compression="none") as writer:
            for _ in range(n_groups):
                writer.write_table(group)
        (tmp_path / name).rename(tmp_path / f"{name}.parquet")
    paths = [str(tmp_path / f"{name}.parquet") for name in ("small", "large")]
    one_heap = os.environ | {"MALLOC_ARENA_MAX": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    command = [sys.executable, "-c", MEMORY, *paths]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, env=one_heap)
    assert run.returncode == 0, run.stderr
    small, large = json.loads(run.stdout)
    assert large < small + 70, (small, large)  # 1,800,000 rows more are 137 MiB as float32


# ---- what lies where ---------------------------------------------------------------------------------------------


def test_a_condition_has_one_row_for_each_example_not_for_each_raw_row():
    raw = torch.arange(10.0)[:, None]
    index = torch.tensor([7, 2, 5, 1])
    rows = Rows(raw, 10 * raw[index], index, encoder_input=-raw)
    assert len(rows) == 4
    parts = [rows.batch(slice(1, 3)), rows.batch(torch.tensor([3, 0])), *rows.batches(3), *rows.epoch(2, 0, 0)]
    some = (rows[torch.tensor([1, 2])], rows.view(torch.tensor([2, 0])), rows[1:])
    parts += [part.batch(slice(None)) for part in some]
    for part in parts:
        assert 1 <= len(part) <= 3
        assert torch.equal(part.condition, 10 * part.raw) and torch.equal(part.encoder_input, -part.raw)
    assert rows.batch(slice(1, 3)).raw.flatten().tolist() == [2, 5]
    assert rows.view(torch.tensor([2, 0])).batch(slice(None)).raw.flatten().tolist() == [5, 7]
    together = concatenate([rows, rows.view(torch.tensor([3]))]).batch(slice(None))
    assert together.raw.flatten().tolist() == [7, 2, 5, 1, 1]
    assert torch.equal(together.condition, 10 * together.raw) and torch.equal(together.encoder_input, -together.raw)


def test_a_mask_takes_rows_too():
    rows = numbered(5)[torch.tensor([True, False, False, True, False])]
    assert rows.raw.flatten().tolist() == [0, 3] and rows.condition.flatten().tolist() == [0, 30]


def test_windows_of_a_series_are_never_copied_as_a_whole():
    """4,000 GB if they were: a strided view on 10 MB."""
    series = torch.arange(2_500_000, dtype=torch.float32)
    windows = series.unfold(0, 500_000, 1)[:, None]  # (N, 1, W)
    assert windows.shape == (2_000_001, 1, 500_000) and not windows.is_contiguous()
    index = torch.tensor([5, 1_999_999, 77, 30])
    rows = Rows(windows, index[:, None].float(), index)
    for part in (*rows.epoch(2, 0, 0), *rows.batches(2)):
        assert part.raw.shape == (2, 1, 500_000) and part.raw.is_contiguous()
        assert torch.equal(part.raw[:, 0, 0], part.condition[:, 0])
        assert torch.equal(part.raw[:, 0, -1], part.condition[:, 0] + 499_999)


@pytest.mark.parametrize("shape", [(4,), (3, 5), (1, 2, 3)])
def test_what_is_gathered_quickly_is_what_indexing_gives(shape):
    raw = torch.randn(20, *shape)
    which = torch.tensor([3, 3, 19, 0])
    for values in (raw, raw.transpose(1, -1)):
        assert torch.equal(Rows(values).batch(which).raw, values[which])
    assert Rows(raw).batch(which[:0]).raw.shape == (0, *shape)
