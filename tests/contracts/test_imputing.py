"""Filling in: one round is the reconstruction, more rounds come closer where a code is a distribution."""

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from hourglass import Embedder
from hourglass.diagnostics.hidden_cells import weigh

rng = np.random.default_rng(0)
WHOLE = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(400, 8))
HIDDEN = rng.random(WHOLE.shape) < 0.2
HOLED = np.where(HIDDEN, np.nan, WHOLE)


def fitted(recipe):
    return Embedder(2, recipe=recipe, hidden=(32,), max_epochs=60, random_state=0, n_threads=1).fit(HOLED)


def error(filled):
    return np.sqrt(np.square((filled - WHOLE) / WHOLE.std(axis=0))[HIDDEN].mean())


@pytest.mark.parametrize("recipe", ["vae", "ae"])
def test_a_round_is_there_and_back_again(recipe):
    model = fitted(recipe)
    once = model.impute(HOLED, rounds=1)
    np.testing.assert_array_equal(once[~HIDDEN], HOLED[~HIDDEN])
    np.testing.assert_allclose(once[HIDDEN], model.reconstruct(HOLED)[HIDDEN], rtol=1e-5, atol=1e-6)
    twice = model.impute(HOLED, rounds=2)
    np.testing.assert_allclose(twice[HIDDEN], model.reconstruct(once)[HIDDEN], rtol=1e-4, atol=1e-5)


def test_by_default_numbers_are_a_mean_that_held_out_rows_chose():
    model = fitted("vae")
    filled = model.impute(HOLED)
    assert not model.hidden_cells_.trusts_one
    assert error(filled) < error(model.impute(HOLED, rounds=3))
    np.testing.assert_array_equal(filled[~HIDDEN], HOLED[~HIDDEN])
    np.testing.assert_array_equal(model.impute(HOLED[:3]), filled[:3])


def test_with_conditions_the_code_answers_alone():
    group = np.where(WHOLE[:, 0] > 0, "up", "down")
    model = Embedder(2, hidden=(32,), max_epochs=10, random_state=0, n_threads=1).fit(HOLED, condition=group)
    assert model.hidden_cells_.trusts_one
    np.testing.assert_array_equal(model.impute(HOLED, condition=group), model.impute(HOLED, condition=group, rounds=3))


def test_ranges_hold_what_they_say():
    model = fitted("vae")
    low, high = model.impute(HOLED, interval=0.8, random_state=0)
    inside = (low <= WHOLE) & (high >= WHOLE)
    assert 0.75 < inside[HIDDEN].mean() < 0.92


def test_weights_favour_the_estimate_that_is_right():
    rng = np.random.default_rng(0)
    truth, noise = rng.normal(size=(300, 2)), rng.normal(size=(300, 2))
    right, wrong = truth + 0.1 * noise, rng.normal(size=(300, 2))
    hidden = np.where(rng.random((300, 2)) < 0.5, truth, np.nan)
    learned = weigh(wrong, right, hidden, truth, np.array([True, True]))
    np.testing.assert_allclose(learned.weights, [[0, 0], [1, 1]], atol=0.1)
    learned = weigh(wrong, right, hidden, truth, np.array([False, True]))  # a category keeps the first
    np.testing.assert_array_equal(learned.weights[:, 0], [1, 0])


def test_more_rounds_bring_a_variational_code_closer():
    model = fitted("vae")
    assert error(model.impute(HOLED, rounds=3)) < error(model.impute(HOLED, rounds=1)) < 0.9


def test_no_round_is_none():
    with pytest.raises(ValueError, match=r"rounds=0 must be at least 1"):
        fitted("ae").impute(HOLED, rounds=0)


SIZE = rng.normal(size=200)
TYPED = pandas.DataFrame(
    {
        "size": SIZE,
        "small": SIZE.astype(np.float32),
        "age": pandas.array(np.rint(10 * SIZE).astype(int), dtype="Int64"),
        "level": pandas.array(np.where(SIZE > 0, 10, 0), dtype="UInt8"),
        "tall": pandas.array(SIZE > 0, dtype="boolean"),
        "town": pandas.array(np.where(SIZE > 0.2, "Rome", "Oslo"), dtype="string"),
        "grade": pandas.Categorical(
            np.where(SIZE > 0, "high", "low"), categories=["low", "high", "none"], ordered=True
        ),
        "code": pandas.Categorical(np.where(SIZE > 0, 3, 1)),
    },
    index=[f"row{i}" for i in range(200)],
)
for name in TYPED:
    TYPED.loc[rng.random(200) < 0.2, name] = None


@pytest.fixture(scope="module")
def typed():
    return Embedder(2, max_epochs=20, random_state=0, n_threads=1).fit(TYPED)


def test_columns_keep_their_types(typed):
    full = typed.impute(TYPED)
    assert full.dtypes.tolist() == TYPED.dtypes.tolist()
    assert full.index.equals(TYPED.index)
    assert not full.isna().any().any()
    for name in TYPED:
        known = TYPED[name].notna()
        assert (full[name][known] == TYPED[name][known]).all()
    assert set(full["level"]) == {0, 10}  # never between the two
    assert full["age"].between(TYPED["age"].min(), TYPED["age"].max()).all()


@pytest.mark.parametrize("kind", ["polars", "arrow"])
def test_columns_keep_their_types_in_other_tables(typed, kind):
    given = polars.from_pandas(TYPED) if kind == "polars" else pyarrow.Table.from_pandas(TYPED, preserve_index=False)
    full = typed.impute(given)
    if kind == "polars":
        assert full.schema == given.schema
        assert full.null_count().sum_horizontal().item() == 0
    else:
        assert full.schema.types == given.schema.types
        assert sum(column.null_count for column in full.columns) == 0


def test_what_is_told_otherwise_than_at_fit_comes_back_as_at_fit():
    texts = pandas.DataFrame({"code": ["1", "2", "A", "1"] * 10, "size": np.arange(40.0)})
    model = Embedder(1, max_epochs=2, random_state=0, n_threads=1).fit(texts)
    now = pandas.DataFrame({"code": [1, 2, np.nan], "size": [1.0, 2.0, 3.0]})
    with_strange = pandas.DataFrame({"code": [1.0, 2.0, 77.0], "size": [1.0, 2.0, 3.0]})
    assert set(model.impute(now)["code"].map(str)) <= {"1", "2", "A", "1.0", "2.0"}
    with pytest.warns(UserWarning, match="which was not there at fit"):
        assert model.impute(with_strange).notna().all().all()


def test_what_a_type_cannot_hold_is_the_nearest_it_can():
    size = np.arange(-40.0, 40.0)
    model = Embedder(1, max_epochs=2, random_state=0, n_threads=1).fit(pandas.DataFrame({"a": size * 100, "b": size}))
    small = pyarrow.table({"a": pyarrow.array([None, 5, None], pyarrow.uint8()), "b": [39.0, 0.0, -39.0]})
    full = model.impute(small)
    assert full.schema == small.schema
    assert full["a"].to_pylist()[1] == 5 and full["a"].null_count == 0
    batch = small.to_batches()[0]
    assert isinstance(model.impute(batch), pyarrow.Table) and model.impute(batch).to_batches() == full.to_batches()


def test_categories_that_polars_lists_beforehand(typed):
    town = polars.Series("town", ["Oslo", None, "Rome"], polars.Enum(["Rome", "Oslo", "Bern"]))
    given = polars.from_pandas(TYPED[:3]).with_columns(town)
    full = typed.impute(given.lazy())
    assert full.schema == given.schema
    assert full["town"][0] == "Oslo" and full["town"].null_count() == 0
