"""Drawn rows of a table: numbers have the distribution of their columns, whatever else is drawn with them."""

import numpy as np
import pandas
import pytest

from hourglass import Embedder, load

RNG = np.random.default_rng(0)
N = 600
SIZE = RNG.normal(size=N)
TOWN = np.where(SIZE + RNG.normal(size=N) > 0, "Oslo", "Rome")
TABLE = pandas.DataFrame(
    {
        "gain": np.where(RNG.random(N) < 0.8, 0, RNG.integers(1, 90, N) * 100),
        "age": (40 + 12 * SIZE).round().astype(int).clip(18, 80),
        "price": np.exp(SIZE + 3).round(2),
        "size": SIZE,
        "town": TOWN,
    }
)


def fitted(**options):
    return Embedder(2, hidden=(16,), max_epochs=8, random_state=0, n_threads=1, **options)


@pytest.fixture(scope="module")
def model():
    return fitted().fit(TABLE)


def distance(one, other):
    """Kolmogorov and Smirnov's."""
    grid = np.union1d(one, other)
    return np.abs(np.subtract(*(np.searchsorted(np.sort(v), grid, "right") / len(v) for v in (one, other)))).max()


def test_numbers_are_distributed_as_in_the_data(model):
    made, plain = model.sample(2000, random_state=1), model.sample(2000, marginals="model", random_state=1)
    for name in ("gain", "age", "price", "size"):
        assert distance(TABLE[name], made[name]) < 0.08
    beside = [v["gain"][v["gain"] > 0] for v in (TABLE, made, plain)]  # the spike stays where it was drawn
    assert distance(beside[0], beside[1]) < distance(beside[0], beside[2]) / 2
    assert set(made["gain"]) <= set(TABLE["gain"]) | set(range(0, 9000, 100))
    assert (made.dtypes == TABLE.dtypes).all()
    np.testing.assert_array_equal(made["price"], made["price"].round(2))
    # the rank of each number, and all that is no number, stay as they were drawn
    assert made["town"].tolist() == plain["town"].tolist()
    order = np.lexsort((made["size"], plain["size"]))  # what lay beyond the data is one number
    assert (np.diff(made["size"].to_numpy()[order]) >= 0).all()


def test_what_is_drawn_survives_a_folder(model, tmp_path):
    again = load(model.save(tmp_path / "run"))
    pandas.testing.assert_frame_equal(again.sample(20, random_state=3), model.sample(20, random_state=3))


def test_each_condition_has_its_own_distribution():
    rows = TABLE.assign(size=np.where(TABLE["town"] == "Oslo", 100, -100) + TABLE["size"])
    model = fitted().fit(rows, condition="town")
    for town, low, high in (("Oslo", 90, 110), ("Rome", -110, -90)):
        assert model.sample(300, condition=town, random_state=0)["size"].between(low, high).all()
    mixed = model.sample(4, condition=["Oslo", "Rome", "Oslo", "Rome"], random_state=0)["size"]
    assert (mixed > 0).tolist() == [True, False, True, False]


def test_means_and_draws_of_the_prior_are_left_alone(model):
    for option in ({"noise": False}, {"prior": True}):
        one, other = (model.sample(5, random_state=0, marginals=m, **option) for m in ("data", "model"))
        pandas.testing.assert_frame_equal(one, other)
    with pytest.raises(ValueError, match="marginals='both' is unknown; choose 'data' or 'model'"):
        model.sample(3, marginals="both")
