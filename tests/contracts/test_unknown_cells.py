"""What is not known never counts as typical, and what never changed does not move the rest."""

import functools
import warnings

import numpy as np
import pandas
import pytest

from hourglass import Embedder, Tables, datasets

N = 200
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
FRAME = pandas.DataFrame(
    {
        "a": X[:, 0],
        "b": X[:, 1],
        "kind": RNG.choice(["x", "y", "z"], N, p=[0.7, 0.25, 0.05]),
        "flag": RNG.choice([0.0, 1.0], N),
        "code": RNG.choice([10, 20, 30], N),
        "same": "only",
    }
)
pytestmark = pytest.mark.filterwarnings("ignore:column")


def unfitted(**options):
    return Embedder(**{"n_latent": 2, "max_epochs": 20, "hidden": (8,), "n_threads": 1, "random_state": 0, **options})


@functools.cache
def fitted(recipe="vae"):
    return unfitted(recipe=recipe, modality=Tables(categories=["code"])).fit(FRAME)


# ---- unseen values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["vae", "ae"])
@pytest.mark.parametrize(
    ("column", "value"), [("kind", "NEVER"), ("kind", 4.0), ("flag", 0.5), ("flag", 7.0), ("code", 40), ("same", "no")]
)
def test_a_value_never_seen_is_among_the_least_typical(recipe, column, value):
    model = fitted(recipe)
    scores = model.score_samples(FRAME)
    strange = model.score_samples(FRAME.assign(**{column: value}))
    assert strange.mean() < scores.mean() - 2
    assert (strange > scores).mean() < 0.05
    known = [model.score_samples(FRAME.assign(**{column: level})).mean() for level in FRAME[column].unique()]
    if recipe == "vae":  # the code of another recipe may say of a value that is there and odd that it is so
        assert strange.mean() < min(known)


def test_an_unseen_value_is_a_missing_one_to_the_encoder():
    model = fitted()
    strange, missing = FRAME.assign(kind="NEVER", flag=0.5, code=40), FRAME.assign(kind=None, flag=np.nan, code=None)
    np.testing.assert_array_equal(model.transform(strange), model.transform(missing))
    np.testing.assert_array_equal(model.reconstruct(strange)["b"], model.reconstruct(missing)["b"])


def test_attacks_in_nonsense_words_are_no_more_typical_than_in_their_own(real_data):
    """The words of three columns replaced in real test rows: scores must not rise."""
    train, test = (datasets.load("nsl_kdd", split=split).X for split in ("train", "test"))
    rows, test = train.take(RNG.permutation(len(train))[:4000]), test.take(np.arange(1000)).to_pandas()
    model = unfitted(n_latent=5, hidden=(32,), max_epochs=5).fit(rows)
    scores = model.score_samples(test)
    strange = model.score_samples(test.assign(protocol_type="?!", service="?!", flag="?!"))
    assert strange.mean() < scores.mean() - 10
    assert (strange > scores).mean() < 0.05


# ---- missing cells -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["vae", "ae"])
def test_an_empty_row_is_not_the_most_typical(recipe):
    model = fitted(recipe)
    empty = model.score_samples(FRAME[:1].assign(a=np.nan, b=np.nan, kind=None, flag=np.nan, code=None, same=None))
    assert (model.score_samples(FRAME) < empty[0]).mean() < 0.7


def test_rows_with_missing_cells_are_no_more_typical_on_average():
    z = np.random.default_rng(1).normal(size=(600, 2))
    whole = z @ np.random.default_rng(2).normal(size=(2, 6)) + 0.1 * RNG.normal(size=(600, 6))
    model = unfitted(hidden=(32,), max_epochs=40).fit(whole)
    scores = model.score_samples(whole)
    holed = np.where(RNG.random(whole.shape) < 0.3, np.nan, whole)
    changed = np.isnan(holed).any(1)
    assert (model.score_samples(holed) > scores)[changed].mean() < 0.5
    assert (scores < model.score_samples(np.full((1, 6), np.nan))[0]).mean() < 0.3


def test_missing_cells_count_nothing_in_training():
    """The likelihood of a model that is still training leaves them out."""
    holed = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
    modality = Tables().infer(holed)
    likelihood = modality.likelihood(None, "shared")
    x = modality.scaling()(modality.examples(holed).rows())
    cells = likelihood(x.nan_to_num()).cell_log_prob(x)
    assert bool((cells[x.isnan()] == 0).all())


# ---- constant columns --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [123456789012345678, 1.7e9, 0.1, 1e-300, -3, True, "a"])
def test_a_constant_column_changes_nothing(value):
    plain, frame = FRAME[["a", "b"]], FRAME[["a", "b"]].assign(same=value)
    model = unfitted(hidden=None).fit(frame)
    x = model.model_.scaling(model.modality_.examples(frame).rows())
    assert bool((x[:, 2] == 0).all())
    assert model.score(frame) == pytest.approx(unfitted(hidden=None).fit(plain).score(plain), abs=0.2)
    assert model.reconstruct(frame)["same"].tolist() == [value] * N
    assert model.reconstruct(frame)["same"].dtype == frame["same"].dtype
    assert model.sample(2)["same"].tolist() == [value] * 2


@pytest.mark.parametrize(("value", "other"), [(1.7e9, 1.7e9 + 86400), (0.1, 0.2), ("a", "b"), (2**60 + 1, 2**60 + 2)])
def test_another_value_of_a_constant_column_leaves_the_code_and_costs_a_few_nats(value, other):
    model = unfitted(recipe="ae", max_epochs=5).fit(FRAME[["a", "b"]].assign(same=value))
    now, then = FRAME[["a", "b"]].assign(same=other), FRAME[["a", "b"]].assign(same=value)
    np.testing.assert_array_equal(model.transform(now), model.transform(then))
    fall = model.score_samples(then) - model.score_samples(now)
    np.testing.assert_allclose(fall, np.log(180 + 2), atol=0.01)


def test_a_constant_is_the_same_in_single_precision():
    table = np.column_stack([X, np.full(N, 0.1)])
    model = unfitted(max_epochs=2).fit(table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(model.score(table.astype(np.float32)), model.score(table), atol=1e-4)


# ---- numbers of any size -----------------------------------------------------------------------------------------

PLANE = X[:, :2] @ np.random.default_rng(3).normal(size=(2, 4))


@functools.cache
def kept(scale):
    return unfitted(recipe="ae", hidden=(16,), max_epochs=15).fit(PLANE * scale).summary_.unexplained_variance


@pytest.mark.parametrize("scale", [1e-30, 1e-38, 1e-50, 1e-300, 1e30])
def test_the_same_is_learned_at_every_scale(scale):
    assert kept(scale) == pytest.approx(kept(1.0), rel=0.02, abs=1e-6)


@pytest.mark.parametrize("method", ["fit", "transform", "score_samples", "score", "reconstruct", "impute"])
@pytest.mark.parametrize("value", [1e300, -1e38])
def test_a_cell_too_large_for_single_precision(method, value):
    table = FRAME[["a", "b"]].copy()
    model = unfitted(max_epochs=1) if method == "fit" else unfitted(max_epochs=1).fit(table)
    table.loc[1, "b"] = value
    with pytest.raises(ValueError, match=rf"column 'b', row 1 holds {value:g}".replace("+", r"\+") + ", beyond 1e"):
        getattr(model, method)(table)
