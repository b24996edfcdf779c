"""Examples: where each was cut, and the way back. Records that are examples, windows of series, tiles of maps."""

import numpy as np
import pytest
import torch

from hourglass.modalities import Examples

RNG = np.random.default_rng(0)


def windows(lengths, width, stride, before=0):
    """Windows (C=2, W) of series of these lengths, as strided views of one store; `before` each begins its record."""
    series = [RNG.normal(size=(2, n)) for n in lengths]
    cuts, record, start = [], [], []
    for r, values in enumerate(series):
        padded = np.concatenate([np.full((2, before), np.nan), values], axis=1)
        last = padded.shape[1] - width
        for s in sorted({*range(0, last + 1, stride), last}):
            cuts.append(padded[:, s : s + width])
            record.append(r)
            start.append([s - before])
    raw = torch.from_numpy(np.stack(cuts))
    extents = np.array([[n] for n in lengths])
    return series, Examples(raw, raw, np.array(record), np.array(start), extents, axes=(1,))


def tiles(sizes, window, stride):
    """Windows (1, H, W) of maps of these sizes."""
    maps = [RNG.integers(0, 5, size).astype(float) for size in sizes]
    cuts, record, start = [], [], []
    for r, tile_map in enumerate(maps):
        ends = [tile_map.shape[a] - window[a] for a in (0, 1)]
        places = [sorted({*range(0, end + 1, stride), end}) for end in ends]
        for y in places[0]:
            for x in places[1]:
                cuts.append(tile_map[None, y : y + window[0], x : x + window[1]])
                record.append(r)
                start.append([y, x])
    raw = torch.from_numpy(np.stack(cuts))
    return maps, Examples(raw, raw, np.array(record), np.array(start), np.array(sizes), axes=(1, 2))


WHOLE = Examples.whole(torch.arange(12.0).reshape(6, 2))
CASES = {
    "one series": lambda: windows([200], 16, 1),
    "series": lambda: windows([50, 40, 90, 33, 64, 70, 41, 80, 55, 60], 16, 4),
    "before the record": lambda: windows([30, 44], 8, 3, before=5),
    "maps": lambda: tiles([(14, 60), (16, 40), (9, 33), (20, 25)], (8, 8), 2),
}
cases = pytest.mark.parametrize("make", CASES.values(), ids=CASES)


def cells_of(examples, i):
    """The cells of an example, as (record, place) pairs inside the record."""
    grids = np.meshgrid(
        *(np.arange(s, s + w) for s, w in zip(examples.start[i], examples.window, strict=True)), indexing="ij"
    )
    places = np.stack([g.ravel() for g in grids], axis=1)
    inside = ((places >= 0) & (places < examples.extents[examples.record[i]])).all(axis=1)
    return {(int(examples.record[i]), *map(int, place)) for place in places[inside]}


@cases
def test_stitched_examples_are_the_records(make):
    records, examples = make()
    stitched = examples.stitch(examples.rows().numpy())
    assert len(stitched) == len(records) == examples.n_records
    for one, other in zip(records, stitched, strict=True):
        np.testing.assert_allclose(other.reshape(one.shape), one, rtol=1e-12)


def test_stitching_takes_the_mean_of_overlaps_and_what_nothing_covers_is_unknown():
    raw = torch.tensor([[[1.0, 2.0, 3.0]], [[5.0, 7.0, 9.0]]])
    examples = Examples(raw, raw, np.array([0, 0]), np.array([[0], [2]]), np.array([[7]]), axes=(1,))
    (record,) = examples.stitch(raw.numpy())
    np.testing.assert_array_equal(record[0], [1, 2, 4, 7, 9, np.nan, np.nan])


def test_classes_are_stitched_by_votes_and_not_by_means():
    maps, examples = tiles([(14, 30), (10, 22)], (8, 8), 2)
    for one, other in zip(maps, examples.stitch_votes(examples.rows().numpy(), 5), strict=True):
        np.testing.assert_array_equal(other[0], one)
    raw = torch.tensor([[[0.0, 4.0]], [[4.0, 4.0]], [[0.0, 0.0]]])
    examples = Examples(raw, raw, np.zeros(3, int), np.array([[0], [0], [0]]), np.array([[3]]), axes=(1,))
    np.testing.assert_array_equal(examples.stitch_votes(raw.numpy(), 5)[0][0], [0, 4, -1])


@cases
@pytest.mark.parametrize("fraction", [0.1, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_no_held_out_example_shares_a_cell_with_a_training_one(make, fraction, seed):
    _, examples = make()
    train, held = examples.split(fraction, 10_000, np.random.default_rng(seed))
    assert len(train) and len(held)
    assert len(np.intersect1d(train, held)) == 0
    cells = set().union(*(cells_of(examples, i) for i in train))
    assert not cells & set().union(*(cells_of(examples, i) for i in held))
    assert len(held) <= max(0.5, 2.5 * fraction) * len(examples)


@pytest.mark.parametrize("seed", range(12))
def test_short_records_leave_something_to_train_on(seed):
    _, examples = windows([12, 12, 12], 6, 1)
    train, held = examples.split(0.1, 10_000, np.random.default_rng(seed))
    assert len(train) >= 3 and len(held) >= 3


def test_whole_records_are_held_out_where_there_are_several():
    _, examples = CASES["series"]()
    train, held = examples.split(0.2, 10_000, np.random.default_rng(0))
    assert not set(examples.record[train]) & set(examples.record[held])
    assert len(train) + len(held) == len(examples)


def test_records_that_are_examples_are_split_at_random():
    train, held = WHOLE.split(0.34, 10, np.random.default_rng(0))
    order = np.random.default_rng(0).permutation(6)
    np.testing.assert_array_equal(held, order[:2])
    np.testing.assert_array_equal(train, order[2:])
    assert len(WHOLE.split(0.9, 3, np.random.default_rng(0))[1]) == 3
    assert len(CASES["one series"]()[1].split(0.0, 10, np.random.default_rng(0))[1]) == 0


@cases
def test_independent_examples_share_no_cell(make):
    _, examples = make()
    chosen = examples.independent()
    found = [cells_of(examples, i) for i in chosen]
    assert sum(map(len, found)) == len(set().union(*found))
    covered = sum(int(np.prod(e)) for e in examples.extents)
    assert sum(map(len, found)) > 0.4 * covered
    assert set(examples.record[chosen]) == set(examples.record)
    np.testing.assert_array_equal(WHOLE.independent(), np.arange(6))


@cases
def test_names_are_unique_and_say_where(make):
    records, examples = make()
    names = examples.names([f"r{i}" for i in range(len(records))])
    assert len(set(names)) == len(names) == len(examples)
    first = ",".join(map(str, examples.start[0]))
    assert names[0] == f"r0@{first}"
    assert WHOLE.names(None) == ["0", "1", "2", "3", "4", "5"]


@cases
def test_values_of_records_and_of_instants_reach_their_examples(make):
    records, examples = make()
    assert examples.per_example(np.arange(len(records)) * 10).tolist() == (examples.record * 10).tolist()
    flags = [np.zeros(tuple(extent)) for extent in examples.extents]
    place = tuple(int(n) // 2 for n in examples.extents[0])
    flags[0][place] = 1.0
    pooled = examples.per_instant(flags, np.max)
    assert pooled.tolist() == [float((0, *place) in cells_of(examples, i)) for i in range(len(examples))]


@cases
def test_some_of_the_examples_keep_their_places(make):
    _, examples = make()
    some = np.array([3, 0, 5])
    part = examples.take(some).take(np.array([2, 0]))
    np.testing.assert_array_equal(part.rows().numpy(), examples.rows().numpy()[[5, 3]])
    np.testing.assert_array_equal(part.start, examples.start[[5, 3]])
    assert torch.cat(list(part.chunks(1))).shape == part.rows().shape


def test_a_view_of_windows_costs_no_memory():
    store = torch.arange(1000.0)
    raw = store.unfold(0, 64, 1)[:, None]  # (937, 1, 64)
    n = len(raw)
    examples = Examples(raw, store, np.zeros(n, int), np.arange(n)[:, None], np.array([[1000]]), axes=(1,))
    assert examples.raw.untyped_storage().data_ptr() == store.untyped_storage().data_ptr()
    assert len(examples.independent()) == 15
    np.testing.assert_array_equal(examples.stitch(examples.rows().numpy())[0][0], store.numpy())


@cases
def test_a_mean_for_each_record(make):
    records, examples = make()
    codes = RNG.normal(size=(len(examples), 3)).astype(np.float32)
    means = examples.mean_per_record(codes)
    assert means.shape == (len(records), 3) and means.dtype == np.float32
    np.testing.assert_allclose(means[0], codes[examples.record == 0].mean(0), rtol=1e-4, atol=1e-6)
