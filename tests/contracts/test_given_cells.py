"""Rows drawn around given cells, and missing cells drawn several times: what is known stays, the rest goes with it."""

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from hourglass import Embedder

RNG = np.random.default_rng(0)
N = 800
SIZE = RNG.normal(size=N)
TABLE = pandas.DataFrame(
    {
        "size": SIZE,
        "weight": (70 + 12 * SIZE + 2 * RNG.normal(size=N)).round().astype(int),
        "town": np.where(SIZE + 0.3 * RNG.normal(size=N) > 0, "Oslo", "Rome"),
        "tall": SIZE > 0.5,
        "same": 7,
    }
)


def fitted(table=TABLE, **options):
    settings = {"hidden": (32,), "max_epochs": 60, "random_state": 0, "n_threads": 1}
    return Embedder(2, **settings).fit(table, **options)


@pytest.fixture(scope="module")
def model():
    return fitted()


def test_given_cells_come_back_and_the_others_go_with_them(model):
    high = model.sample(200, given={"weight": 95, "town": "Oslo"}, random_state=0)
    low = model.sample(200, given={"weight": 50.5}, random_state=0)
    assert (high["weight"] == 95).all() and (high["town"] == "Oslo").all() and (low["weight"] == 50.5).all()
    assert high["weight"].dtype == TABLE["weight"].dtype
    assert high["size"].mean() > 1.2 and low["size"].mean() < -1
    assert high["tall"].mean() > 0.8 > 0.2 > low["tall"].mean()
    assert (low["town"] == "Rome").mean() > 0.9
    assert high["size"].nunique() > 100 and (high["same"] == 7).all()


def test_a_table_of_given_cells_has_some_draws_of_each_row(model):
    given = pandas.DataFrame({"town": ["Oslo", None, "Rome"], "size": [np.nan, 0.123456789, -2.0]})
    made = model.sample(2, given=given, random_state=0)
    assert list(made.columns) == list(TABLE.columns) and len(made) == 6
    assert made["town"][[0, 1, 4, 5]].tolist() == ["Oslo", "Oslo", "Rome", "Rome"]
    assert made["size"][2:].tolist() == [0.123456789] * 2 + [-2.0] * 2
    assert made["weight"].notna().all()
    for other in (polars.from_pandas(given), pyarrow.Table.from_pandas(given)):
        pandas.testing.assert_frame_equal(model.sample(2, given=other, random_state=0), made)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wheight": 3}, "given: 'wheight' is not a column that the model knows; did you mean 'weight'"),
        ({"town": "Oslow"}, "given: 'town' is 'Oslow', which was not there at fit; known values: Oslo, Rome"),
        ({"same": 8}, "given: 'same' is 8.0, which was not there at fit; it was always 7"),
        ({"weight": "heavy"}, "column 'weight', row 0 holds 'heavy', a text where there were numbers"),
        ({}, "given names no column"),
        ({"size": [1, 2], "weight": [3]}, "columns of different lengths"),
    ],
)
def test_what_cannot_be_given_is_named(model, given, message):
    with pytest.raises(ValueError, match=message):
        model.sample(given=given)


def test_given_is_of_the_density_and_of_tables(model):
    for option in ({"prior": True}, {"noise": False}):
        with pytest.raises(ValueError, match="leave out prior=True and noise=False"):
            model.sample(given={"size": 1.0}, **option)
    with pytest.raises(TypeError, match="given must name its columns"):
        model.sample(given=np.ones((1, 2)))
    pictures = Embedder(1, max_epochs=1, n_threads=1).fit(RNG.random((40, 4, 4)), condition=None)
    with pytest.raises(TypeError, match="given= is for tables"):
        pictures.sample(given={"x0": 1.0})


def test_with_a_condition():
    model = fitted(condition="town")
    made = model.sample(50, given={"size": [2.0, -2.0]}, condition=["Oslo", "Rome"], random_state=0)
    assert len(made) == 100 and (made["size"][:50] == 2).all() and (made["size"][50:] == -2).all()
    assert made["weight"][:50].mean() > 85 > 55 > made["weight"][50:].mean()


def test_missing_cells_are_drawn_several_times(model):
    holed = TABLE.copy().astype({"weight": "Int64"})
    holed.loc[::4, "weight"] = pandas.NA
    holed.loc[::6, "town"] = None
    draws = model.impute(holed, n_draws=20, random_state=0)
    assert len(draws) == 20
    known = holed["weight"].notna()
    for draw in draws:
        assert draw.notna().all().all() and (draw.dtypes == holed.dtypes).all()
        assert (draw.loc[known, "weight"] == holed.loc[known, "weight"]).all()
    weights = np.array([draw.loc[~known, "weight"].astype(float) for draw in draws])
    assert 0.5 < weights.std(axis=0).mean() < 8
    assert np.corrcoef(weights.mean(axis=0), TABLE.loc[~known, "weight"])[0, 1] > 0.9
    again = model.impute(holed, n_draws=20, random_state=0)
    pandas.testing.assert_frame_equal(again[7], draws[7])


def test_draws_of_arrays_and_of_complete_tables():
    X = RNG.normal(size=(60, 3))
    model = Embedder(1, max_epochs=2, random_state=0, n_threads=1).fit(X)
    one, other = model.impute(X, n_draws=2)
    np.testing.assert_array_equal(one, X)
    X[3, 1] = np.nan
    one, other = model.impute(X, n_draws=2)
    assert np.isfinite(one).all() and one[3, 1] != other[3, 1]
    with pytest.raises(ValueError, match="n_draws=0 must be a whole number of at least 1"):
        model.impute(X, n_draws=0)
    with pytest.raises(ValueError, match="rounds=2 is of the one best filling"):
        model.impute(X, n_draws=2, rounds=2)
    assert model.sample(3, given={"x1": 0.25})[:, 1].tolist() == [0.25] * 3


def test_intervals_hold_what_was_hidden_and_leave_the_rest(model):
    holed = TABLE.copy()
    holed["size"] = holed["size"].where(np.arange(N) % 4 > 0)
    holed["town"] = holed["town"].where(np.arange(N) % 5 > 0)
    lower, upper = model.impute(holed, interval=0.9, random_state=0)
    hidden = holed["size"].isna()
    inside = (lower["size"] <= TABLE["size"]) & (TABLE["size"] <= upper["size"])
    assert 0.75 < inside[hidden].mean() <= 1
    assert (upper["size"] - lower["size"])[hidden].mean() < 0.6 * np.ptp(np.quantile(SIZE, [0.05, 0.95]))
    assert (lower["town"] == upper["town"]).all() and set(lower["town"]) == {"Oslo", "Rome"}
    assert (lower["size"] == upper["size"])[~hidden].all()
    narrow = model.impute(holed, interval=0.5, random_state=0)
    assert (narrow[0]["size"] >= lower["size"])[hidden].all() and (narrow[1]["size"] <= upper["size"])[hidden].all()


def test_an_interval_is_a_probability_and_has_no_draws(model):
    with pytest.raises(ValueError, match="interval=90 is a probability"):
        model.impute(TABLE, interval=90)
    with pytest.raises(ValueError, match="give one of them"):
        model.impute(TABLE, interval=0.9, n_draws=3)
