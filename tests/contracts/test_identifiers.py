"""Columns that tell rows apart and nothing about them are left out of the model, and stay where rows stay."""

import warnings

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from hourglass import Embedder, Tables, load
from hourglass.modalities.columns import UnusableColumnsError
from hourglass.readers.containers import as_list

N = 150
RNG = np.random.default_rng(0)
A = RNG.normal(size=N)
TABLE = pandas.DataFrame(
    {
        "id": range(1000, 1000 + N),
        "a": np.where(RNG.random(N) < 0.2, np.nan, A),
        "customer": [f"c{k:04d}" for k in RNG.permutation(N)],
        "b": A + RNG.normal(size=N),
        "comment": [" ".join(RNG.choice(["so", "very", "good", "bad", "it", "is"], 7)) for _ in range(N)],
        "tags": [["x", "y"]] * N,
        "k": np.where(A > 0, "high", "low"),
    }
)
LEFT_OUT = ["id", "customer", "comment", "tags"]
CONTAINERS = {
    "pandas": TABLE,
    "polars": polars.from_pandas(TABLE),
    "arrow": pyarrow.Table.from_pandas(TABLE),
    "objects": TABLE.drop(columns="tags").to_numpy(),
}


def left_out_of(table, **options):
    """The names of columns that are left out, and what is said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = Tables(**options).infer(table)
    return [column.name for column in found.left_out], [str(w.message) for w in caught]


def column_of(table, name):
    if isinstance(table, np.ndarray):
        return table[:, list(TABLE.drop(columns="tags")).index(name)].tolist()
    return [list(v) if name == "tags" else v for v in as_list(table[name])]


def test_they_are_named_once():
    names, said = left_out_of(TABLE)
    assert names == LEFT_OUT
    assert len(said) == 1
    assert said[0].startswith("nothing is learned from 'id', 'customer' (identifier); 'comment' (free text); 'tags' (")
    assert said[0].endswith("If 'id' measures something, give modality=Tables(numbers=['id'])")
    chunks = [TABLE[k : k + 40] for k in range(0, N, 40)]
    assert left_out_of(iter(chunks)) == (names, said)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_they_stay_where_rows_stay(kind, tmp_path):
    X = CONTAINERS[kind]
    with pytest.warns(UserWarning, match="nothing is learned"):
        model = Embedder(2, max_epochs=2, hidden=(4,), random_state=0, n_threads=1, verbose=False).fit(X)
    model.save(tmp_path)
    model = load(tmp_path)
    carried = [name for name in LEFT_OUT if name != "tags" or kind != "objects"]
    assert model.modality_.shape == (3,) and len(model.modality_.left_out) == len(carried)
    for out in (model.reconstruct(X), model.impute(X)):
        assert type(out) is type(X) and out.shape == X.shape
        for name in carried:
            assert column_of(out, name) == column_of(X, name), name
    full = model.impute(X)
    known = ~np.isnan(np.array(TABLE["a"]))
    assert (np.array(column_of(full, "a"), dtype=float)[known] == TABLE["a"][known]).all()
    assert not np.isnan(np.array(column_of(full, "a"), dtype=float)).any()
    samples = model.sample(7, random_state=0)
    assert samples.shape == (7, 3)
    assert model.transform(samples).shape == (7, 2) and model.reconstruct(samples).shape == (7, 3)
    np.testing.assert_array_equal(model.transform(X), model.transform(X))
    if kind == "pandas":
        np.testing.assert_array_equal(model.transform(X.drop(columns=["id", "tags"])), model.transform(X))
        shuffled = X[["k", "id", "a", "b"]]
        with pytest.raises(ValueError, match="'k' is not where"):
            model.transform(shuffled)


NUMBERS = {"x": RNG.normal(size=N)}
PERMUTED = RNG.permutation(N)


@pytest.mark.parametrize(
    ("name", "values", "is_identifier"),
    [
        ("row", range(N), True),
        ("n", PERMUTED + 7, True),
        ("n", np.sort(RNG.choice(3 * N, N, replace=False)), True),
        ("customerId", RNG.choice(10**9, N, replace=False), True),
        ("order_id", RNG.choice(10**9, N, replace=False), True),
        ("salary", RNG.choice(10**6, N, replace=False), False),
        ("population", np.exp(RNG.normal(10, 2, N)).astype(int), False),
        ("visits", RNG.poisson(3, N), False),
        ("idle", RNG.choice(10**9, N, replace=False), False),
        ("x2", np.arange(N) / 2, False),
        ("grid", np.arange(float(N)), False),
        ("key", [f"k{k}" for k in range(N)], True),
        ("city", RNG.choice([f"city {k}" for k in range(40)], N), False),
        ("answer", RNG.choice(["yes it is", "no, not at all, never", "do not know what to say"], N), False),
    ],
)
def test_what_is_an_identifier(name, values, is_identifier):
    table = pandas.DataFrame(NUMBERS | {name: values})
    assert left_out_of(table)[0] == [name] * is_identifier
    few = table[:60]
    assert left_out_of(few)[0] == []


def test_arrays_of_numbers_have_none():
    assert left_out_of(np.stack([np.arange(N), PERMUTED], 1))[0] == []


def test_options_overrule_what_is_noticed():
    names, said = left_out_of(TABLE, numbers=["id"], identifiers=["k"], categories=["customer"])
    assert names == ["comment", "tags", "k"]
    assert "'k' (declared an identifier)" in said[0]
    with pytest.raises(ValueError, match="identifiers='z' is not a column of X"):
        Tables(identifiers=["z"]).infer(TABLE)
    with pytest.raises(ValueError, match="column 'id' is declared both a category and a number"):
        Tables(categories=["id"], numbers=["id"]).infer(TABLE)


def test_a_table_of_nothing_else_is_refused():
    with pytest.raises(UnusableColumnsError, match="'customer' holds nothing to learn from"):
        Tables().infer(TABLE[["id", "customer"]])


def test_many_texts_are_left_out_in_chunks():
    cities = [[f"{letter} {k % 600}" for k in range(700)] for letter in "ab"]
    names, said = left_out_of(pandas.DataFrame({"x": RNG.normal(size=700), "city": texts}) for texts in cities)
    assert names == ["city"] and "more than 1,000 different texts" in said[0]
