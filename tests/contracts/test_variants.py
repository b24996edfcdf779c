"""What every recipe keeps, over all the zoo, on every kind of data, with and without a condition."""

import dataclasses
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
from hourglass.estimators.names import named_recipe
from hourglass.likelihoods import Gaussian
from hourglass.model import Autoencoder, Batch, ModelSpace, Sizes
from hourglass.networks.heads import ChannelLinear
from hourglass.recipe import Recipe, Term
from hourglass.schedules import Weighted
from hourglass.storage import recipe_from_json, recipe_to_json
from hourglass.variants import (
    AE,
    BETA_VAE,
    CONTRACTIVE,
    CORRUPTIONS,
    RECIPES,
    VAE,
    Deterministic,
    GaussianNoise,
    Masking,
    RandomAffine,
    SaltAndPepper,
    Sampled,
    Standard,
    contraction,
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
        torch.testing.assert_close(off[term], values.detach())


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


@pytest.mark.parametrize(
    ("words", "recipe"),
    [
        ("vae", VAE),
        ("vae kl=1", VAE),
        ("VAE  kl=4", BETA_VAE),
        ("vae contraction=0.1", VAE.with_term(contraction, weight=0.1)),
        ("ae randomaffine GaussianNoise=1", AE.with_corruption(RandomAffine(), GaussianNoise(1.0))),
        ("denoising GaussianNoise=2", AE.with_corruption(GaussianNoise(2.0))),
        ("denoising Masking", AE.with_corruption(GaussianNoise(0.3), Masking())),
    ],
)
def test_a_recipe_in_words(words, recipe):
    assert repr(named_recipe(words)) == repr(recipe)
    assert recipe_to_json(named_recipe(words)) == recipe_to_json(recipe)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("vea kl=1", "did you mean vae"),
        ("", "Known: "),
        ("vae kll=1", "did you mean kl"),
        ("vae kl=0.1 KL=0.2", "says kl twice"),
        ("vae kl", "kl= needs a number of at least 0"),
        ("vae kl=one", "kl=one needs a number"),
        ("vae kl=nan", "kl=nan needs a number"),
        ("ae Masking=-1", "Masking=-1 needs a number"),
        ("ae SaltAndPepper=1.5", r"SaltAndPepper\(rate=1.5\): rate must be at least 0 and at most 1"),
    ],
)
def test_a_recipe_in_wrong_words(words, says):
    with pytest.raises(ValueError, match=says):
        named_recipe(words)


def test_a_kl_needs_a_distribution():
    with pytest.raises(ValueError, match="take a variational recipe, vae or beta_vae"):
        unfitted("ae kl=1").fit(a_table())


def test_corruptions_follow_one_another():
    two = AE.with_corruption(SaltAndPepper(0.5), RandomAffine(degrees=0, zoom=0, shift=0.25))
    assert repr(two).endswith("sees SaltAndPepper(rate=0.5) then RandomAffine(degrees=0, zoom=0, shift=0.25))")
    assert recipe_from_json(json.loads(json.dumps(recipe_to_json(two))), {}) == two
    x, space = torch.rand(6, 1, 8, 8), ModelSpace(nn.Identity(), torch.ones(1, 8, 8, dtype=torch.bool), 0.0)
    torch.manual_seed(0)
    once = two.corruptions[1](two.corruptions[0](x, space), space)
    torch.manual_seed(0)
    assert torch.equal(two.corrupted(x, space), once)


def test_an_affine_corruption_moves_as_far_as_it_says():
    """Distances from the middle of a wide picture grow by the zoom and keep across turns; shifts stay within theirs."""
    B, H, W = 400, 21, 41
    space = ModelSpace(nn.Identity(), torch.ones(1, H, W, dtype=torch.bool), 0.0)
    down, right = torch.meshgrid(torch.arange(H) - H // 2, torch.arange(W) - W // 2, indexing="ij")
    places = torch.stack([right, down]).float().expand(B, 2, H, W).contiguous()
    torch.manual_seed(0)
    middle = lambda moved: moved[:, :, H // 2 - 4 : H // 2 + 5, W // 2 - 4 : W // 2 + 5]  # noqa: E731 - no border there
    turned = middle(RandomAffine(degrees=30, zoom=0, shift=0)(places, space))
    assert torch.allclose(turned.norm(dim=1), middle(places).norm(dim=1), atol=1e-4)
    angle = torch.rad2deg(torch.atan2(turned[:, 1, 4, -1], turned[:, 0, 4, -1]))
    assert 28 < angle.max() <= 30.01
    assert -30.01 <= angle.min() < -28
    zoomed = middle(RandomAffine(degrees=0, zoom=0.5, shift=0)(places, space))
    factor = zoomed[:, 0, 4, -1] / 4
    assert 1.45 < factor.max() <= 1.5001
    assert 1 / 1.5001 <= factor.min() < 1 / 1.45
    shifted = middle(RandomAffine(degrees=0, zoom=0, shift=0.1)(places, space))[:, :, 4, 4]
    assert torch.allclose(shifted.abs().amax(0), torch.tensor([0.1 * W, 0.1 * H]), rtol=0.03)


def test_contraction_on_categories_alone_is_nothing():
    X = pandas.DataFrame({"a": list("xyz") * 10, "b": list("uvwuv") * 6})
    estimator = unfitted("contractive").fit(X)
    assert all(entry["train"]["contraction"] == 0 for entry in estimator.history_)


# ---- codes on a grid ---------------------------------------------------------------------------------------------


class GridEncoder(nn.Module):
    """x (B, 3, 8, 8) -> features (B, H, 4, 4)."""

    def __init__(self, n_features=6):
        super().__init__()
        self.n_features = n_features
        self.layer = nn.Conv2d(3, n_features, 2, stride=2)

    def forward(self, x):
        return self.layer(x).tanh()


class GridDecoder(nn.Module):
    """code (B, L + C, 4, 4) -> parameters (B, 3, 8, 8)."""

    def __init__(self, n_code):
        super().__init__()
        self.layer = nn.ConvTranspose2d(n_code, 3, 2, stride=2)

    def forward(self, z):
        return self.layer(z)


def grid_model(bottleneck, n_condition=0):
    torch.manual_seed(0)
    scaling = nn.Identity()
    sizes = Sizes((3, 8, 8), 6 + n_condition, 2, (4, 4), n_condition)
    prior = Standard(sizes) if bottleneck is Sampled else None
    parts = GridEncoder(), bottleneck(sizes), GridDecoder(2 + n_condition), Gaussian((3, 8, 8)), prior
    return Autoencoder(sizes, scaling, *parts)


TERMS = [value for n in variants.__all__ if isinstance(value := getattr(variants, n), Term)]


@pytest.mark.parametrize("n_condition", [0, 2])
@pytest.mark.parametrize("term", TERMS, ids=lambda t: t.name)
@pytest.mark.parametrize("bottleneck", [Deterministic, Sampled])
def test_codes_on_a_grid_fit(bottleneck, term, n_condition):
    if term.name == "kl" and bottleneck is Deterministic:
        pytest.skip("a point has no KL")
    model = grid_model(bottleneck, n_condition)
    x = torch.randn(7, 3, 8, 8)
    condition = torch.randn(7, n_condition) if n_condition else None
    trip = model.round_trip(x, condition)
    assert trip.z.shape == (7, 2, 4, 4)
    assert trip.output.mean.shape == (7, 3, 8, 8)
    values = term(trip, model)
    assert values.shape == (7,)
    assert bool(torch.isfinite(values).all()) and bool((values != 0).any())
    (values.mean() - 2 * trip.output.log_prob(x).mean()).backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in model.parameters())


def test_densities_of_grid_codes_are_one_number_a_sample():
    model = grid_model(Sampled)
    posterior = model.encode(torch.randn(7, 3, 8, 8))
    z = torch.stack([posterior.sample() for _ in range(3)])  # (K, B, L, *G)
    expected = torch.distributions.Normal(posterior.mean, posterior.deviation).log_prob(z).flatten(2).sum(2)
    torch.testing.assert_close(posterior.log_prob(z), expected)
    normal = torch.distributions.Normal(0.0, 1.0)
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(posterior.mean, posterior.deviation), normal
    ).flatten(1)
    prior = model.encode.prior()
    torch.testing.assert_close(prior.divergence(posterior, z), kl.sum(1))
    torch.testing.assert_close(prior.log_prob(z), normal.log_prob(z).flatten(2).sum(2))
    assert prior.sample(5).shape == (5, 2, 4, 4)


def test_a_head_acts_on_dimension_one():
    head = ChannelLinear(5, 3)
    features = torch.randn(4, 5, 2, 6)
    out = head(features)
    assert out.shape == (4, 3, 2, 6)
    torch.testing.assert_close(out[:, :, 1, 4], head(features[:, :, 1, 4]))


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


def test_with_term_replaces_the_term_of_that_name():
    assert [t.name for t in VAE.with_term(variants.kl, weight=2.0).terms] == ["reconstruction", "kl"]
    assert VAE.with_term(variants.kl, weight=1.0) == VAE
    assert repr(RECIPES["beta_vae"]) == "Recipe(Sampled; prior Standard; reconstruction + 4 kl)"


def test_two_terms_of_one_name_are_refused():
    other = Term(lambda trip, model: trip.z.flatten(1).sum(1), name="kl")
    with pytest.raises(ValueError, match=r"two terms are called 'kl'.*give one another name"):
        dataclasses.replace(VAE, terms=(*VAE.terms, other))
    assert [term.name for term in VAE.with_term(other).terms] == ["reconstruction", "kl"]  # takes the place


def test_no_two_terms_of_the_zoo_share_a_name():
    """Saved recipes find a term by its name."""
    for recipe in RECIPES.values():
        for term in recipe.terms:
            assert variants.TERMS[term.name].measure is term.measure
