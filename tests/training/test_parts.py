"""Parts that start from data, follow the batches, or are trained beside the model."""

import warnings
from dataclasses import replace

import example_recipes
import numpy as np
import pandas
import pytest
import torch
import torch.nn.functional as F
from example_recipes import CODEBOOK, FACTOR, PSEUDO, Codebook, DensityRatio

from hourglass import Embedder
from hourglass.assemble import Architecture, assemble
from hourglass.modalities import Images, Tables
from hourglass.model import Batch, ModelSpace
from hourglass.recipe import Part
from hourglass.training import Trainer, TrainingState
from hourglass.variants import AE, RECIPES, VAE, GaussianNoise, Masking, SaltAndPepper

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(60, 5))
SETTINGS = {"n_latent": 2, "hidden": (8,), "max_epochs": 2, "batch_size": 16, "random_state": 0, "n_threads": 1}
ADAPTING = {n: r for n, r in {**RECIPES, **example_recipes.RECIPES}.items() if hasattr(r.bottleneck.kind, "adapt")}


def model_of(recipe):
    torch.manual_seed(0)
    modality = Tables().infer(X)
    model = assemble(recipe, modality, modality.likelihood(None, "shared"), Architecture(2, hidden=(8,)))
    return model, ModelSpace(model.scaling, modality.noise_mask(), modality.mask_value)


def buffers(model):
    return {n: b.clone() for n, b in model.encode.named_buffers()}


# ---- parts that follow the batches -------------------------------------------------------------------------------


def moves(recipe, adapt):
    """Whether a buffer of the bottleneck or the prior moves in one pass."""
    model, space = model_of(recipe)
    before = buffers(model)
    recipe.trip(model, Batch(torch.from_numpy(X)), space, adapt=adapt)
    return any(not torch.equal(b, before[n]) for n, b in model.encode.named_buffers())


@pytest.mark.parametrize("name", ADAPTING)
def test_what_adapts_moves_in_training_and_nowhere_else(name):
    assert moves(ADAPTING[name], 0.1)
    assert not moves(ADAPTING[name], 0.0)


class Still(Codebook):
    """A book that is never written in."""

    def adapt(self, posterior, rate):
        pass


def test_a_book_that_never_moves_is_noticed():
    assert not moves(CODEBOOK.with_bottleneck(Still), 0.1)
    assert "codebook" in ADAPTING


def test_a_book_is_the_running_mean_of_what_chose_it():
    model, space = model_of(CODEBOOK)
    batch, book = Batch(torch.from_numpy(X)), model.encode.bottleneck.book
    model.begin(model.scaling(batch.raw))
    expected = book.clone()
    for rate in (1.0, 0.3):
        with torch.no_grad():
            posterior = model.encode(model.scaling(batch.raw))
        for v in range(len(book)):
            chosen = posterior.encoded[posterior.index == v]
            if len(chosen):
                expected[v] += rate * (chosen.mean(0) - expected[v])
        CODEBOOK.trip(model, batch, space, adapt=rate)
        torch.testing.assert_close(book, expected)


def test_the_gradient_goes_straight_through_the_choice():
    model, _ = model_of(CODEBOOK)
    posterior = model.encode(model.scaling(torch.from_numpy(X)))
    posterior.encoded.retain_grad()
    weights = torch.randn(60, 2)
    (posterior.mode * weights).sum().backward()
    torch.testing.assert_close(posterior.encoded.grad, weights)
    assert bool((posterior.mode[:, None] - model.encode.bottleneck.book).abs().sum(-1).amin(1).lt(1e-5).all())


# ---- parts that start from data ----------------------------------------------------------------------------------


def test_a_part_starts_from_training_rows_before_its_weights_are_copied():
    states = []
    Embedder(recipe=CODEBOOK, **{**SETTINGS, "learning_rate": 1e-30, "max_epochs": 1}).fit(
        X, watch=lambda state: states.append(state)
    )
    model, averaged = states[0].model, states[0].averaged
    fresh = model_of(CODEBOOK)[0].encode.bottleneck.book
    assert not torch.equal(averaged.encode.bottleneck.book, fresh)
    # the entries are codes of rows, moved by a few batches: within the hull of all codes
    with torch.no_grad():
        codes = averaged.encode(averaged.scaling(torch.from_numpy(X))).encoded
    for book in (averaged.encode.bottleneck.book, model.encode.bottleneck.book):
        assert bool((book >= codes.amin(0) - 1e-4).all() and (book <= codes.amax(0) + 1e-4).all())


def test_encoder_and_decoder_may_start_from_data_too():
    calls = []
    model, _ = model_of(PSEUDO)
    assert model.begins
    for part in (model.encode.encoder, model.decode.decoder):
        kind = type(part)
        begin = {"begin": lambda self, *given: calls.append((type(self).__name__, *given))}
        part.__class__ = type(kind.__name__, (kind,), begin)
    before = model.encode.prior_module.features.clone()
    x = model.scaling(torch.from_numpy(X))
    model.begin(x)
    (encoder, encode, rows, condition), (decoder, z, parameters) = calls
    assert (encoder, decoder, condition) == ("MLPEncoder", "MLPDecoder", None)
    assert encode is model.encode and torch.equal(rows, x)
    torch.testing.assert_close(z, encode(x).mode)  # codes of encoders and bottlenecks that have begun
    torch.testing.assert_close(parameters, x)
    assert not torch.equal(model.encode.prior_module.features, before)


# ---- critics -----------------------------------------------------------------------------------------------------


def trainer_of(recipe, **settings):
    """A trainer as `fit` makes it, stopped before its first step."""

    class Stop(Exception):
        pass

    found = []

    def stop(self):
        found.append(self)
        raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "run", stop)
        with pytest.raises(Stop):
            Embedder(recipe=recipe, **{**SETTINGS, **settings}).fit(X)
    return found[0]


def test_a_critic_learns_from_its_own_loss_alone():
    """Neither the model's gradient moves the critic nor the critic's the model."""
    trainer = trainer_of(FACTOR)
    batch = Batch(torch.from_numpy(X[:16]))
    critic = trainer.state.critics["total_correlation"]
    seen = {}
    step = critic.optimiser.step

    def noted(rate):
        seen.update({n: p.grad.clone() for n, p in critic.module.named_parameters()})
        seen["model"] = [p.grad for p in trainer.model.parameters()]
        step(rate)

    critic.optimiser.step = noted
    trips = []
    trip_of = type(trainer.recipe).trip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(trainer.recipe), "trip", lambda *a, **k: trips.append(trip_of(*a, **k)) or trips[-1])
        torch.manual_seed(3)
        trainer._step(batch)
    fresh = DensityRatio(trainer.model.sizes)
    fresh.load_state_dict(
        {k: v for k, v in trainer_of(FACTOR).state.critics["total_correlation"].module.state_dict().items()}
    )
    z = trips[0].z.detach()
    # the same shuffle cannot be drawn again here; the part of the loss that has none is enough to tell
    (own,) = torch.autograd.grad(F.softplus(-fresh(z)).mean(), [fresh.layers[2].bias])
    (shuffled,) = torch.autograd.grad(F.softplus(fresh(z)).mean(), [fresh.layers[2].bias])
    assert float((seen["layers.2.bias"] - own - shuffled).abs()) < 0.2 * float(own.abs())
    assert all(gradient is None for gradient in seen["model"])
    assert any(not torch.equal(p, q) for p, q in zip(critic.module.parameters(), fresh.parameters(), strict=True))


def test_a_critic_becomes_better_at_its_task():
    """Codes of two dimensions that depend on each other: after some steps it tells them from shuffled ones."""
    trainer = trainer_of(FACTOR, learning_rate=1e-2)
    z = torch.randn(256, 1) * torch.tensor([[1.0, 1.0]]) + 0.1 * torch.randn(256, 2)
    critic = trainer.state.critics["total_correlation"]
    trip = replace(FACTOR.trip(trainer.model, Batch(torch.from_numpy(X[:16])), trainer.space), z=z)
    losses = []
    for _ in range(200):
        losses.append(float(critic.module.loss(trip).mean().detach()))
        trainer._train_critic("total_correlation", critic, trip, 1e-2)
    assert np.mean(losses[-10:]) < 0.9 * losses[0]


def test_a_loss_of_a_critic_that_is_not_finite_is_named():
    class Broken(DensityRatio):
        def loss(self, trip):
            return super().loss(trip) * torch.nan

    recipe = VAE.with_term(replace(example_recipes.total_correlation, critic=Part(Broken)))
    with pytest.raises(FloatingPointError, match="the loss of the critic of 'total_correlation' became nan"):
        Embedder(recipe=recipe, **SETTINGS).fit(X)


def test_a_term_without_its_critic_says_so():
    model, space = model_of(FACTOR)
    trip = FACTOR.trip(model, Batch(torch.from_numpy(X)), space)
    with pytest.raises(ValueError, match=r"'total_correlation' needs its critic: .*build_critics"):
        FACTOR.measure(trip, model)


# ---- the recipe's wishes -----------------------------------------------------------------------------------------


def test_a_recipe_wishes_for_a_network_that_the_data_may_lack():
    pictures = (RNG.random((4, 8, 8)) * 255).astype(np.uint8)
    modality = Images().infer(pictures)

    def encoder(recipe, network=None, of=modality):
        likelihood = of.likelihood(None, "shared")
        return type(assemble(recipe, of, likelihood, Architecture(2, hidden=(8,), network=network)).encode.encoder)

    assert encoder(VAE).__name__ == "MLPEncoder"
    assert encoder(VAE.on("conv")).__name__ == "ConvEncoder"
    assert encoder(VAE.on("conv"), "mlp").__name__ == "MLPEncoder"  # what the user says comes first
    assert encoder(VAE.on("grid")).__name__ == "MLPEncoder"
    assert encoder(VAE.on("conv"), of=Tables().infer(X)).__name__ == "MLPEncoder"
    with pytest.raises(ValueError, match=r"network='grid' is unknown; .*'mlp', 'conv'"):
        encoder(VAE, "grid")
    with pytest.raises(ValueError, match=r"network='conv' is not for tables; choose 'mlp'"):
        encoder(VAE, "conv", Tables().infer(X))


def test_a_recipe_without_one_of_its_terms():
    assert [t.name for t in VAE.without("kl").terms] == ["reconstruction"]
    assert VAE.without() == VAE
    with pytest.raises(ValueError, match=r"'kll' is not a term of this recipe; its terms are reconstruction, kl"):
        VAE.without("kll")


@pytest.mark.parametrize("samples", [0, -1, 2.0, True])
def test_a_number_of_samples_is_a_whole_number(samples):
    with pytest.raises(ValueError, match=r"samples=.* must be a whole number of at least 1"):
        VAE.with_samples(samples)


# ---- corruptions that can do nothing -----------------------------------------------------------------------------

COLOURS = pandas.DataFrame({"a": list("xyz") * 10, "b": list("uvwuv") * 6})


@pytest.mark.parametrize("corruption", [GaussianNoise(), SaltAndPepper()], ids=repr)
def test_noise_that_touches_no_cell_is_not_silently_a_plain_autoencoder(corruption):
    with pytest.warns(UserWarning, match=rf"{type(corruption).__name__}\(.* changes nothing in these data.*Masking'"):
        Embedder(recipe=AE.with_corruption(corruption), **SETTINGS).fit(COLOURS)


def test_noise_that_touches_one_is_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Embedder(recipe=AE.with_corruption(Masking()), **SETTINGS).fit(COLOURS)
        Embedder(recipe=AE.with_corruption(GaussianNoise()), **SETTINGS).fit(X)


def test_a_corruption_of_ones_own_must_say_what_it_touches():
    class Blind:
        pass

    with pytest.raises(TypeError, match="must be a value of a dataclass"):
        AE.with_corruption(Blind())
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Mute:
        def __call__(self, x, space):
            return x

    with pytest.raises(TypeError, match=r"needs a method touches\(space\)"):
        AE.with_corruption(Mute())


def test_training_states_of_recipes_without_critics_have_none():
    assert TrainingState(model_of(VAE)[0], VAE, trainer_of(VAE).state.settings).critics == {}
