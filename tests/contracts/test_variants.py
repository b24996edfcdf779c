"""What every recipe keeps, over all the zoo, on every kind of data, with and without a condition."""

import functools
import json

import example_recipes
import numpy as np
import pandas
import pytest
import torch
from torch import nn

import hourglass
from hourglass import Embedder, variants
from hourglass.likelihoods import Gaussian
from hourglass.model import Autoencoder, Batch, ModelSpace, Sizes
from hourglass.recipe import Recipe
from hourglass.schedules import Weighted
from hourglass.storage import recipe_from_json, recipe_to_json
from hourglass.variants import (
    AE,
    CONTRACTIVE,
    CORRUPTIONS,
    RECIPES,
    Deterministic,
    RandomAffine,
)

N = 48
COLOURS = ("blue", "green", "red")


def a_table():
    factors = np.random.default_rng(0).normal(size=(N, 2))
    return factors @ np.random.default_rng(1).normal(size=(2, 5)) + 3.0


def pictures():
    rng = np.random.default_rng(0)
    return (rng.random((N, 6, 5)) * rng.random((N, 1, 1)) * 255).astype(np.uint8)


def a_mixed_table():
    rng = np.random.default_rng(0)
    size = rng.normal(10.0, 3.0, N)
    frame = pandas.DataFrame(
        {
            "size": np.where(rng.random(N) < 0.2, np.nan, size),
            "age": rng.integers(18, 80, N).astype(float),
            "ill": (size > 10).astype(float),
            "colour": rng.choice(COLOURS, N),
        }
    )
    frame.loc[::7, "colour"] = None
    frame.loc[::9, "ill"] = np.nan
    return frame


DATA = {"table": a_table, "pictures": pictures, "mixed table": a_mixed_table}
CONDITIONS = {
    "no condition": lambda: None,
    "condition": lambda: pandas.DataFrame({"kind": np.arange(N) % 3, "load": np.linspace(-1.0, 5.0, N)}),
}

ALL = {**RECIPES, **example_recipes.RECIPES}
each_recipe = pytest.mark.parametrize("name", ALL)
each_data = pytest.mark.parametrize("data", DATA)
each_condition = pytest.mark.parametrize("given", CONDITIONS)


def unfitted(name, **options):
    settings = {"n_latent": 2, "max_epochs": 2, "hidden": (8,), "batch_size": 16, "random_state": 0}
    return Embedder(recipe=ALL[name] if isinstance(name, str) and name in ALL else name, **{**settings, **options})


@functools.cache
def fitted(name, data, given):
    return unfitted(name).fit(DATA[data](), condition=CONDITIONS[given]())


def a_pass(estimator, data, given, seed=0):
    """All rows through the model as training takes them, and the terms: the loop's own way."""
    model, recipe, modality = estimator.model_, estimator.recipe_, estimator.modality_
    raw, condition = modality._tensor(DATA[data]()), CONDITIONS[given]()
    batch = Batch(raw, None if condition is None else estimator.condition_.tensor(condition, len(raw)))
    torch.manual_seed(seed)
    trip = recipe.trip(model, batch, ModelSpace(model.scaling, modality.noise_mask(), modality.mask_value))
    return trip, recipe.measure(trip, model, recipe.build_critics(model.sizes))


def equal_models(one, other):
    left, right = one.model_.state_dict(), other.model_.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_every_exported_recipe_is_in_the_registry():
    exported = {n.lower() for n in variants.__all__ if isinstance(getattr(variants, n), Recipe)}
    assert exported == set(RECIPES)
    assert all(getattr(variants, name.upper()) is recipe for name, recipe in RECIPES.items())


@each_recipe
@each_data
@each_condition
def test_every_parameter_gets_a_gradient_and_terms_are_one_finite_number_a_sample(name, data, given):
    estimator = fitted(name, data, given)
    model, recipe = estimator.model_, estimator.recipe_
    model.zero_grad()
    trip, measured = a_pass(estimator, data, given)
    assert trip.z.shape == ((N, 2) if recipe.samples == 1 else (recipe.samples, N, 2))
    assert (trip.prior is None) == (recipe.prior is None)
    loss = 0.0
    for term in recipe.terms:
        values = measured[term.name]
        assert values.shape == (N,), term.name
        assert bool(torch.isfinite(values).all()), term.name
        loss = loss + term.objective(values.mean(), term.weight * term.schedule(1.0), 1.0, {})
    loss.backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert bool(torch.isfinite(parameter.grad).all()) and bool((parameter.grad != 0).any()), parameter_name
    model.zero_grad(set_to_none=True)


@each_recipe
@each_data
@each_condition
def test_terms_do_not_depend_on_autograd_being_off(name, data, given):
    """The held-out terms, measured without a graph, are those that training minimises."""
    estimator = fitted(name, data, given)
    with torch.no_grad():
        _, off = a_pass(estimator, data, given)
    for term, values in a_pass(estimator, data, given)[1].items():
        assert not off[term].requires_grad
        torch.testing.assert_close(off[term], values.detach(), rtol=1e-4, atol=1e-3)


@each_recipe
@each_data
@each_condition
def test_history_holds_every_term_unweighted(name, data, given):
    estimator = fitted(name, data, given)
    names = {t.name for t in estimator.recipe_.terms}
    assert [entry["epoch"] for entry in estimator.history_] == [1, 2]
    for entry in estimator.history_:
        assert set(entry["train"]) == set(entry["held_out"]) == names
        assert np.isfinite([*entry["train"].values(), *entry["held_out"].values(), entry["objective"]]).all()
        judged = [t for t in estimator.recipe_.terms if t.judged]
        total = sum(t.objective.judged(entry["held_out"][t.name], t.weight * t.schedule(1.0)) for t in judged)
        assert entry["objective"] == pytest.approx(total, rel=1e-5)
        if all(t.objective == Weighted() for t in judged):
            weighted = sum(t.weight * t.schedule(1.0) * entry["held_out"][t.name] for t in judged)
            assert entry["objective"] == pytest.approx(weighted, rel=1e-5)


@each_recipe
@each_data
@each_condition
def test_shapes_of_codes_and_what_comes_back(name, data, given):
    estimator, X, condition = fitted(name, data, given), DATA[data](), CONDITIONS[given]()
    Z = estimator.transform(X, condition=condition)
    assert Z.shape == (N, 2) and Z.dtype == np.float32 and np.isfinite(Z).all()
    few = None if condition is None else condition[:5]
    for made, n in (
        (estimator.inverse_transform(Z, condition=condition), N),
        (estimator.reconstruct(X, condition=condition), N),
        (estimator.sample(5, condition=few, random_state=0), 5),
    ):
        assert type(made) is type(X)
        assert made.shape == (n, *X.shape[1:])
        if data == "mixed table":
            assert list(made.columns) == list(X.columns)
            assert not made.isna().any().any()
            assert set(made["colour"]) <= set(COLOURS)
        else:
            assert np.isfinite(made).all()
        if data == "pictures":
            assert made.min() >= 0 and made.max() <= 255
    scores = estimator.score_samples(X, condition=condition)
    assert scores.shape == (N,) and np.isfinite(scores).all()
    first, again, other = (estimator.sample(5, condition=few, random_state=seed) for seed in (3, 3, 4))
    assert np.array_equal(np.asarray(first), np.asarray(again))
    assert not np.array_equal(np.asarray(first), np.asarray(other))
    if estimator.recipe_.prior is not None:
        assert estimator.sample(5, condition=few, prior=True).shape == (5, *X.shape[1:])
    else:
        with pytest.raises(ValueError, match="prior=True"):
            estimator.sample(5, condition=few, prior=True)


@each_recipe
@each_data
@each_condition
def test_saved_and_loaded_is_the_same(name, data, given, tmp_path):
    estimator, X, condition = fitted(name, data, given), DATA[data](), CONDITIONS[given]()
    estimator.save(tmp_path / "model")
    loaded = hourglass.load(tmp_path / "model", custom=example_recipes.PARTS)
    assert equal_models(estimator, loaded)
    assert not loaded.model_.training
    for attribute in ("recipe_", "modality_", "architecture_", "settings_", "history_", "advice_", "condition_"):
        assert getattr(loaded, attribute) == getattr(estimator, attribute), attribute
    Z = estimator.transform(X, condition=condition)
    few = None if condition is None else condition[:5]
    np.testing.assert_array_equal(loaded.transform(X, condition=condition), Z)
    for one, other in (
        (estimator.inverse_transform(Z, condition=condition), loaded.inverse_transform(Z, condition=condition)),
        (estimator.sample(5, condition=few, random_state=1), loaded.sample(5, condition=few, random_state=1)),
        (estimator.score_samples(X, condition=condition), loaded.score_samples(X, condition=condition)),
    ):
        assert type(one) is type(other)
        assert np.array_equal(np.asarray(one), np.asarray(other))


@each_recipe
def test_recipes_are_json_and_back(name):
    recipe = ALL[name]
    written = json.loads(json.dumps(recipe_to_json(recipe)))
    again = recipe_from_json(written, example_recipes.PARTS)
    assert again == recipe
    assert recipe_to_json(again) == recipe_to_json(recipe)


@each_recipe
@each_data
def test_the_seed_decides_and_the_callers_state_is_left_as_it_was(name, data, tmp_path):
    X = DATA[data]()
    np.random.seed(7)  # noqa: NPY002 - the global state is the point
    torch.manual_seed(7)
    torch.set_num_threads(2)
    before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    estimator = unfitted(name, n_threads=1).fit(X)
    estimator.transform(X)
    estimator.inverse_transform(estimator.transform(X))
    estimator.sample(3, random_state=0)
    estimator.score_samples(X)
    estimator.save(tmp_path)
    hourglass.load(tmp_path, custom=example_recipes.PARTS)
    assert torch.equal(torch.get_rng_state(), before[0])
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(after, before[1], strict=True))
    assert torch.get_num_threads() == 2
    torch.manual_seed(8)
    assert equal_models(estimator, fitted(name, data, "no condition"))
    assert not equal_models(estimator, unfitted(name, random_state=1).fit(X))


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=CORRUPTIONS)
@each_data
def test_every_corruption_works_on_every_kind_of_data(corruption, data):
    X = DATA[data]()
    recipe = AE.with_corruption(corruption())
    if corruption is RandomAffine and data != "pictures":
        with pytest.raises(ValueError, match=r"is for pictures .* shape \(.*: corrupt them with GaussianNoise"):
            unfitted(recipe).fit(X)
        return
    estimator = unfitted(recipe).fit(X)
    trip, _ = a_pass(estimator, data, "no condition")
    x, seen = trip.x, trip.encoder_input
    assert seen.shape == x.shape
    changed = (seen != x) & ~(seen.isnan() & x.isnan())
    assert bool(changed.any())
    numeric = estimator.modality_.noise_mask().expand_as(x)
    blanked = seen.isnan() if np.isnan(estimator.modality_.mask_value) else seen == estimator.modality_.mask_value
    assert not bool((changed & ~numeric & ~blanked).any())  # a category or a flag is hidden or left alone
    assert np.isfinite(estimator.transform(X)).all()
    assert recipe_from_json(json.loads(json.dumps(recipe_to_json(recipe))), {}) == recipe


def test_a_kl_needs_a_distribution():
    with pytest.raises(ValueError, match="take a variational recipe, vae or beta_vae"):
        unfitted("ae kl=1").fit(a_table())


def test_contraction_on_categories_alone_is_nothing():
    X = pandas.DataFrame({"a": list("xyz") * 10, "b": list("uvwuv") * 6})
    estimator = unfitted("contractive").fit(X)
    assert all(entry["train"]["contraction"] == 0 for entry in estimator.history_)


class OwnEncoder(nn.Module):
    """An encoder with parameters of its own and no submodules."""

    n_features = 3

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))

    def forward(self, x):
        return (x @ self.weight.T).sin()


def test_an_own_encoder_without_submodules_is_not_taken_for_one_layer():
    torch.manual_seed(0)
    sizes = Sizes((4,), 3, 2)
    model = Autoencoder(sizes, nn.Identity(), OwnEncoder(), Deterministic(sizes), nn.Linear(2, 4), Gaussian((4,)))
    trip = model.round_trip(torch.randn(400, 4))
    contraction = CONTRACTIVE.terms[-1]
    jacobian = torch.func.vmap(torch.func.jacrev(lambda x: model.encode(x[None]).mode[0]))(trip.x)
    exact = jacobian.square().sum((1, 2)) / trip.z.var(0, correction=0).sum()
    estimate = torch.stack([contraction(trip, model) for _ in range(50)])
    torch.testing.assert_close(estimate.mean(), exact.mean(), rtol=0.03, atol=0)
