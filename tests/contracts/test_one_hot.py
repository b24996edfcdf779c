"""One-hot columns are one category, and come back as they came."""

import numpy as np
import pandas as pd
import pytest

from hourglass import Embedder, load
from hourglass.modalities import Tables

rng = np.random.default_rng(0)
N = 300
KIND = rng.integers(0, 4, N)
FRAME = pd.DataFrame(
    np.column_stack([KIND + 0.2 * rng.normal(size=N), np.eye(4)[KIND], rng.integers(0, 2, N)]),
    columns=["size", "colour_red", "colour_green", "colour_blue", "colour_grey", "coin"],
).astype({"colour_red": "int64", "colour_green": "bool"})
MEMBERS = ["colour_red", "colour_green", "colour_blue", "colour_grey"]


@pytest.fixture(scope="module")
def model():
    return Embedder(2, hidden=(32,), max_epochs=150, random_state=0, n_threads=1).fit(FRAME)


@pytest.mark.parametrize("kind", ["array", "frame", "chunks"])
def test_they_are_found_in_all_rows(kind):
    whole = {"array": FRAME.to_numpy(float), "frame": FRAME, "chunks": iter([FRAME[:200], FRAME[200:]])}[kind]
    columns = Tables().infer(whole).columns
    assert [c.kind for c in columns] == ["numeric", "category", "binary"]
    assert len(columns[1].members) == 4
    assert (columns[1].name, columns[1].categories) == (
        ("x1 to x4", ("x1", "x2", "x3", "x4")) if kind == "array" else ("colour", ("red", "green", "blue", "grey"))
    )


def test_they_are_not_where_a_row_is_otherwise_or_it_is_not_wanted():
    two, hole = FRAME.copy(), FRAME.copy()
    two.loc[280, ["colour_red", "colour_grey"]] = 1
    hole.loc[280, "colour_grey"] = np.nan
    for frame, options in (two, {}), (hole, {}), (FRAME, {"one_hot": False}), (FRAME, {"categories": ["colour_red"]}):
        assert not any(c.members for c in Tables(**options).infer(frame).columns)
    assert "one_hot=False" in repr(Tables(one_hot=False))


def test_everything_comes_back_as_it_came(model, tmp_path):
    model.save(tmp_path)
    for estimator in (model, load(tmp_path)):
        drawn = estimator.sample(50, random_state=0)
        assert drawn.columns.tolist() == FRAME.columns.tolist() and drawn.dtypes.tolist() == FRAME.dtypes.tolist()
        assert (drawn[MEMBERS].astype(int).sum(axis=1) == 1).all()
    made = model.reconstruct(FRAME)
    assert made[MEMBERS].dtypes.tolist() == FRAME[MEMBERS].dtypes.tolist()
    assert (made[MEMBERS].astype(int).to_numpy().argmax(1) == KIND).mean() > 0.9
    assert "colour" in model.modality_.describe()


def test_a_category_is_scored_once(model):
    cells = model.model_.decode.likelihood.shape
    assert cells == (3,)
    np.testing.assert_array_equal(model.score_samples(FRAME[:5]), model.score_samples(FRAME)[:5])


def test_missing_cells_are_filled_with_one_1(model):
    holed = FRAME.astype(float).astype(object).astype(float)
    holed.loc[:99, MEMBERS] = np.nan
    holed.loc[100:149, "colour_blue"] = np.nan
    filled = model.impute(holed)
    assert (filled[MEMBERS].sum(axis=1) == 1).all()
    assert (filled[MEMBERS].to_numpy().argmax(1)[:100] == KIND[:100]).mean() > 0.9
    np.testing.assert_array_equal(filled[MEMBERS].to_numpy().argmax(1)[100:], KIND[100:])


def test_rows_with_none_or_several_are_of_an_unknown_category(model):
    odd = FRAME.assign(colour_red=0, colour_green=False, colour_blue=0.0, colour_grey=0.0)
    with pytest.warns(UserWarning, match=r"always one of them was 1, and in row 0 none are; 300 such rows"):
        low = model.score_samples(odd)
    assert low.mean() < model.score_samples(FRAME).mean()


def test_given_cells(model):
    drawn = model.sample(4, given={"colour_blue": 1}, random_state=0)
    assert drawn.colour_blue.tolist() == [1] * 4 and (drawn[MEMBERS].astype(int).sum(axis=1) == 1).all()
    with pytest.raises(ValueError, match="give the one that is 1"):
        model.sample(4, given={"colour_blue": 0})


def test_pairs_rare_categories_and_constants():
    kinds = rng.integers(0, 2, 1500)
    rare = np.where(np.arange(1500) == 1400, 2, rng.integers(0, 2, 1500))
    X = np.column_stack([np.zeros(1500), np.ones(1500), np.eye(2)[kinds], np.eye(3)[rare], kinds])
    found = Tables().infer(X).columns
    assert [len(c.members) for c in found] == [0, 0, 2, 3, 0]
    assert found[3].name == "x4 to x6"
    few = np.column_stack([np.eye(2)[[0, 1, 1, 0]], [0.1, 0.2, 0.3, 0.5]])
    assert not any(c.members for c in Tables().infer(few).columns)
