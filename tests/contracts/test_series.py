"""Series: windows of any lengths, time stamps with gaps, channels of all kinds, and the way back as they came."""

import numpy as np
import pandas
import polars
import pyarrow
import pytest

import hourglass
from hourglass import Embedder, readers
from hourglass.modalities import Series, Tables, named_modality
from hourglass.readers.series import Records

RNG = np.random.default_rng(0)
T = np.arange(400)
WAVES = np.stack([np.sin(T / 5), 100 + 3 * np.cos(T / 9)], axis=1) + 0.1 * RNG.normal(size=(400, 2))
FRAME = pandas.DataFrame(
    {"load": WAVES[:, 0], "heat": WAVES[:, 1], "on": WAVES[:, 0] > 0, "mode": np.array(["a", "b", "c"])[T // 7 % 3]},
    index=pandas.date_range("2024-01-01", periods=400, freq="h"),
)
QUICK = {"max_epochs": 2, "hidden": (16,), "random_state": 0, "n_latent": 3}


def fitted(X, words="series window=24", **options):
    return Embedder(modality=words, **QUICK).fit(X, **options)


def accepted(X, modality):
    return modality.accept(readers.read(X))


# ---- windows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [[400], [50, 24, 7, 200], [24, 24]])
@pytest.mark.parametrize("dense", [True, False])
def test_windows_put_together_are_the_series(lengths, dense):
    X = [RNG.normal(size=(n, 2)) for n in lengths]
    modality = Series(window=24).infer(accepted(X, Series()))
    examples = modality.examples(accepted(X, modality), dense)
    assert examples.rows().shape[1:] == (2, 24)
    for one, other in zip(X, modality.stitch(examples, examples.rows(), accepted(X, modality)), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6)


def test_windows_are_views_of_the_series():
    X = RNG.normal(size=(60_000, 25)).astype(np.float32)
    modality = Series(window=96).infer(accepted(X, Series()))
    examples = modality.examples(accepted(X, modality), dense=True)
    assert len(examples) > 9_000
    assert examples.raw.untyped_storage().nbytes() == X.nbytes


def test_the_usual_window():
    assert Series().infer(accepted(WAVES, Series())).width == 96
    assert Series().infer(accepted(WAVES[:100], Series())).width == 24
    many = Series().infer(Records([WAVES[:n] for n in range(30, 40)]))
    assert many.width == 39 and not many.is_cut and many.noun == "series"


def test_a_record_shorter_than_a_window_is_seen():
    model = fitted([WAVES[:200], WAVES[:10]])
    assert [len(part) for part in model.reconstruct([WAVES[:200], WAVES[:10]])] == [200, 10]
    assert np.isfinite(model.score_samples([WAVES[:9]])).all()


# ---- time stamps -------------------------------------------------------------------------------------------------


def test_gaps_in_time_are_missing_instants():
    X = FRAME.drop(FRAME.index[100:130])
    with pytest.warns(UserWarning, match="30 instants are absent, and taken as missing"):
        modality = Series(window=24).infer(accepted(X, Series()))
    with pytest.warns(UserWarning, match="30 instants"):
        examples = modality.examples(accepted(X, modality), dense=True)
    assert examples.extents.tolist() == [[394]]  # a gap is no longer than a window
    inside = examples.take(np.flatnonzero((examples.start[:, 0] <= 99) & (examples.start[:, 0] > 90)))
    assert inside.rows()[:, 0].isnan().any(1).all()


def test_rows_out_of_order_and_double_ones_are_said():
    order = np.r_[1, 0, 2:400]
    with pytest.warns(UserWarning, match="one record is not in order of time, and seen in it"):
        modality = Series(window=24).infer(accepted(FRAME.iloc[order], Series()))
        examples = modality.examples(accepted(FRAME.iloc[order], modality))
    np.testing.assert_allclose(examples.rows()[0, 0], FRAME["load"][:24], rtol=1e-6)
    back = modality.stitch(examples, examples.rows(), accepted(FRAME.iloc[order], modality))
    assert back.index.equals(FRAME.index[order])
    np.testing.assert_allclose(back["load"], FRAME["load"].iloc[order], rtol=1e-6)
    with pytest.warns(UserWarning, match="1 occur twice"):
        Series(window=24).infer(accepted(FRAME.iloc[np.r_[0, 0:400]], Series()))


def test_uneven_steps_are_said():
    X = FRAME.set_index(FRAME.index[0] + pandas.to_timedelta(np.cumsum(RNG.exponential(size=400)), unit="h"))
    with pytest.warns(UserWarning, match="one record is at uneven steps"):
        modality = Series(window=24).infer(accepted(X, Series()))
        assert modality.examples(accepted(X, modality)).extents.tolist() == [[400]]


def test_a_column_of_times_is_found_or_named():
    table = pyarrow.table({"when": [str(t) for t in FRAME.index], "x": WAVES[:, 0]})
    modality = Series(window=24).infer(accepted(table, Series()))
    assert modality.clock == "when" and [c.name for c in modality.channels.columns] == ["x"]
    seconds = pyarrow.table({"s": np.arange(400) * 0.5, "x": WAVES[:, 0]})
    assert Series(window=24, time="s").infer(accepted(seconds, Series())).shape == (1, 24)
    with pytest.raises(ValueError, match="time='t' is not a column"):
        Series(time="t").infer(accepted(seconds, Series()))
    with pytest.raises(ValueError, match="column 's' is missing in row 3; every instant of a series needs its time"):
        Series(time="s").infer(accepted(pyarrow.table({"s": [0, 1, 2, None, 4], "x": range(5)}), Series()))


# ---- what comes in comes out -------------------------------------------------------------------------------------


def test_a_frame_comes_back_with_its_index_and_types():
    model = Embedder(**QUICK).fit(FRAME)
    assert isinstance(model.modality_, Series)
    back = model.reconstruct(FRAME)
    assert back.index.equals(FRAME.index) and list(back.columns) == list(FRAME.columns)
    assert back["on"].dtype == bool and set(back["mode"]) <= set("abc")
    assert model.score_samples(FRAME).shape == (400,)
    assert [list(window.columns) for window in model.sample(2, random_state=0)] == [list(FRAME.columns)] * 2


@pytest.mark.parametrize("make", [polars.DataFrame, pyarrow.table])
def test_frames_of_other_libraries(make):
    X = make({"when": FRAME.index.to_numpy(), "load": WAVES[:, 0], "heat": WAVES[:, 1]})
    back = fitted(X).reconstruct(X)
    assert type(back) is type(X) and back.shape == X.shape
    assert readers.containers.column(back, "when").equals(readers.containers.column(X, "when"))


@pytest.mark.parametrize(
    ("X", "shape"), [(WAVES[:, 0], (400,)), (WAVES, (400, 2)), (WAVES.reshape(4, 100, 2), (4, 100, 2))]
)
def test_arrays(X, shape):
    model = fitted(X)
    assert model.reconstruct(X).shape == shape
    assert model.sample(3, random_state=0).shape == (3, 24, *([2] * (len(shape) > 1)))
    assert model.score_samples(X).shape == (400,)


def test_lists_of_arrays():
    X = [WAVES[:150, 0], WAVES[150:, 0]]
    model = fitted(X)
    assert [part.shape for part in model.reconstruct(X)] == [(150,), (250,)]
    assert model.examples(X).names(["p", "q"])[:2] == ["p@0", "p@6"]


def test_a_long_table_of_several_records_comes_back_in_its_order():
    long = FRAME.assign(when=FRAME.index, who=np.where(T % 2, "x", "y")).reset_index(drop=True)
    model = fitted(long, "series window=24 record=who")
    back = model.reconstruct(long)
    assert back["who"].tolist() == long["who"].tolist() and back["when"].tolist() == long["when"].tolist()
    examples = model.examples(long)
    assert examples.n_records == 2 and examples.names(None)[0] == "y@0"
    x = np.arange(400.0)
    ramp = pandas.DataFrame({"x": x, "y": x**2, "who": long["who"]})
    modality = Series(window=8, record="who").infer(accepted(ramp, Series(record="who")))
    cut = modality.examples(accepted(ramp, modality))
    np.testing.assert_allclose(modality.stitch(cut, cut.rows(), accepted(ramp, modality))["x"], x)


def test_missing_cells_are_filled_in_and_others_left_alone():
    X = FRAME.astype({"on": object})
    X.iloc[50:60, 0] = np.nan
    X.iloc[5, 3] = None
    model = fitted(X)
    full = model.impute(X)
    assert not full.isna().any().any()
    known = ~X.isna()
    assert (full[known.all(axis=1)]["load"] == X[known.all(axis=1)]["load"]).all()
    assert full.index.equals(X.index)


def test_scores_do_not_depend_on_other_series():
    model = fitted([WAVES, WAVES[:200]])
    alone = model.score_samples([WAVES[:200]])
    np.testing.assert_array_equal(model.score_samples([WAVES, WAVES[:200]])[400:], alone)
    assert model.score_samples([WAVES[:200]]).shape == (200,)


def test_series_that_are_seen_whole_have_one_score_each():
    X = [WAVES[i : i + 30] for i in range(0, 300, 30)]
    model = Embedder(modality="series", **QUICK).fit(X)
    assert model.score_samples(X).shape == (10,) and model.transform(X).shape == (10, 3)


def test_saved_and_loaded(tmp_path):
    model = fitted(FRAME)
    again = hourglass.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(FRAME), model.transform(FRAME))
    assert again.modality_ == model.modality_


def test_conditions_per_record_and_per_instant():
    X = [WAVES[:200], WAVES[200:]]
    model = fitted(X, condition=["a", "b"])
    assert model.sample(2, condition="a").shape == (2, 24, 2)
    day = np.where(T % 24 < 12, "day", "night")
    model = fitted(WAVES, condition=day)
    assert model.reconstruct(WAVES, condition=day).shape == (400, 2)
    model = fitted(FRAME, condition="mode")
    assert list(model.reconstruct(FRAME, condition="mode").columns) == ["load", "heat", "on"]
    with pytest.raises(ValueError, match="condition has 7 rows, but X has 1"):
        fitted(WAVES, condition=day[:7])


def test_levels_of_windows_are_taken_off_and_come_back():
    walk = pandas.DataFrame({"x": RNG.normal(size=400).cumsum() + 50.0, "on": T % 20 < 9})
    modality = Series(window=24, centre=True).infer(accepted(walk, Series()))
    examples = modality.examples(accepted(walk, modality))
    assert float(examples.rows()[:, 0].mean(1).abs().max()) < 1e-4
    assert set(examples.rows()[:, 1].unique().tolist()) == {0.0, 1.0}
    back = modality.stitch(examples, examples.rows(), accepted(walk, modality))
    np.testing.assert_allclose(back["x"], walk["x"], rtol=1e-5)
    model = fitted(walk, "series window=24 centre=yes")
    model.fit(walk)
    far = walk.assign(x=walk["x"] + 1e4)
    near, other = model.reconstruct(walk)["x"], model.reconstruct(far)["x"]
    np.testing.assert_allclose(other - 1e4, near, atol=0.1)
    holed = walk.assign(x=walk["x"].where(T % 50 > 3))
    assert np.abs(model.impute(holed)["x"] - walk["x"]).max() < 25


def test_channels_with_heavy_tails_and_spikes_are_seen_as_columns_are():
    n = 2_000
    tail = np.exp(1.5 * RNG.normal(size=n))
    spiked = np.where(RNG.random(n) < 0.5, 0.0, RNG.normal(size=n) + 5)
    levels = RNG.integers(0, 4, n) * 2.5
    X = pandas.DataFrame({"tail": tail, "spiked": spiked, "levels": levels, "plain": RNG.normal(size=n)})
    model = fitted(X)
    columns = {c.name: c for c in model.modality_.channels.columns}
    assert columns["tail"].tail is not None and columns["spiked"].spikes == (0.0,) and columns["levels"].discrete
    assert model.score_samples(X).shape == (n,) and np.isfinite(model.score_samples(X)).all()
    assert model.reconstruct(X).shape == X.shape
    level = (0.0 - columns["spiked"].offset) / columns["spiked"].scale
    atoms = [a for block in model.model_.decode.likelihood.blocks for some in getattr(block, "atoms", []) for a in some]
    assert np.isclose(atoms, level, atol=1e-5).any()


def test_constant_channels_and_counts():
    X = pandas.DataFrame({"x": WAVES[:, 0], "same": 4.0, "n": RNG.poisson(3, 400)})
    model = fitted(X, "series window=24 counts=n")
    assert model.modality_.constant_names == ("same",)
    assert (model.reconstruct(X)["same"] == 4.0).all()


def test_what_is_judged_is_counted_in_examples_that_share_no_instant():
    model = fitted(WAVES)
    assert 0 < model.summary_.n_independent < model.summary_.n_rows / 10
    assert "of which share no cell" in model.advice_[0] or "of which share no cell" in " ".join(model.advice_)


# ---- splits, wrong input ----------------------------------------------------------------------------------------


def test_splits_of_the_data_are_whole_series_or_the_end_of_one():
    modality = Series(window=24).infer(accepted(WAVES, Series()))
    (train, _), (test, _) = modality.split(accepted(WAVES, modality), 0.2, 1000, np.random.default_rng(0))
    np.testing.assert_array_equal(np.concatenate([train[0], test[0]]), WAVES)
    several = Records([WAVES[:100], WAVES[100:200], WAVES[200:]])
    (train, r), (test, s) = modality.split(several, 0.2, 1000, np.random.default_rng(0))
    assert sorted([*r, *s]) == [0, 1, 2] and len(train) == len(r) and len(test) == len(s)


@pytest.mark.parametrize("words", ["series window=0", "series stride=-1", "series window=long"])
def test_options_that_cannot_be(words):
    with pytest.raises(ValueError, match="must be a number of instants, at least 1"):
        named_modality(words, readers.read(WAVES))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([WAVES, np.array([["a"]])], "series 1 is an array"),
        (np.zeros((1, 3)), "has 1 instants; at least two are needed"),
        ([FRAME, FRAME.rename(columns={"load": "other"})], "table 1 has the columns other, heat"),
    ],
)
def test_what_is_no_series(X, message):
    with pytest.raises(ValueError, match=message):
        fitted(X)


def test_tables_stay_tables():
    assert isinstance(named_modality(None, readers.read(FRAME.reset_index(drop=True))), Tables)
    assert isinstance(named_modality(None, readers.read(FRAME)), Series)
    assert isinstance(named_modality(None, readers.read([FRAME, FRAME])), Series)
