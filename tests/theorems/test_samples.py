"""Several samples of the code for every example: in the right order, and with the bounds that they promise."""

import numpy as np
import pytest
import torch
from example_recipes import IWAE, ShallowDecoder, ShallowEncoder
from torch import nn

from hourglass.assemble import Architecture, assemble
from hourglass.likelihoods import Gaussian
from hourglass.modalities import Tables
from hourglass.model import Autoencoder, Batch, ModelSpace, Sizes
from hourglass.recipe import Term
from hourglass.variants import AE, SPARSE, SPARSE_KL, VAE, Deterministic

X = np.random.default_rng(0).normal(size=(6, 4))


def model_of(recipe, n_condition=0):
    torch.manual_seed(0)
    modality = Tables().infer(X)
    sizes = Architecture(3, n_condition, hidden=(8,))
    model = assemble(recipe, modality, modality.likelihood(None, "shared"), sizes)
    return model, ModelSpace(model.scaling, modality.noise_mask(), modality.mask_value)


def a_trip(recipe, seed=1, model_and_space=None):
    model, space = model_and_space or model_of(recipe)
    torch.manual_seed(seed)
    trip = recipe.trip(model, Batch(torch.from_numpy(X)), space)
    return trip, recipe.measure(trip, model, recipe.build_critics(model.sizes))


@torch.no_grad()
@pytest.mark.parametrize("K", [1, 2, 6])  # as many as rows, too
@pytest.mark.parametrize("n_condition", [0, 2])
def test_several_codes_decode_each_as_alone(K, n_condition):
    model, _ = model_of(VAE, n_condition)
    condition = torch.randn(6, n_condition) if n_condition else None
    z = torch.randn(K, 6, 3)
    together = model.decode(z, condition).mean
    assert together.shape == (K, 6, 4)
    for k in range(K):
        torch.testing.assert_close(together[k], model.decode(z[k], condition).mean)


@torch.no_grad()
def test_several_codes_beside_shallow_features():
    torch.manual_seed(0)
    sizes = Sizes((1, 9, 7), 8, 2, (5, 4))
    model = Autoencoder(
        sizes, nn.Identity(), ShallowEncoder(1), Deterministic(sizes), ShallowDecoder(2, 1), Gaussian((1, 9, 7))
    )
    posterior = model.encode(torch.randn(3, 1, 9, 7))
    z = torch.randn(4, 3, 2, 5, 4)
    together = model.decode(z, shallow=posterior.shallow).mean
    assert together.shape == (4, 3, 1, 9, 7)
    for k in range(4):
        torch.testing.assert_close(together[k], model.decode(z[k], shallow=posterior.shallow).mean)


def test_a_pass_with_several_samples():
    trip, measured = a_trip(IWAE)
    assert trip.z.shape == (4, 6, 3)
    assert trip.output.log_prob(trip.x).shape == (4, 6)
    assert measured["bound"].shape == (6,)
    assert not torch.equal(trip.z[0], trip.z[1])
    torch.testing.assert_close(trip.z.mean(0), trip.posterior.mode, atol=3.0, rtol=0)


def test_one_sample_of_the_bound_is_the_elbo():
    trip, measured = a_trip(IWAE.with_samples(1))
    log_ratio = trip.posterior.log_prob(trip.z) - trip.prior.log_prob(trip.z)
    torch.testing.assert_close(measured["bound"], log_ratio - trip.output.log_prob(trip.x))
    # in the mean it is what the VAE minimises, whose KL is in closed form
    one, n, built = IWAE.with_samples(1), 600, model_of(VAE)
    with torch.no_grad():
        bounds = torch.stack([a_trip(one, seed, built)[1]["bound"] for seed in range(n)])
        elbos = torch.stack([sum(a_trip(VAE, seed, built)[1].values()) for seed in range(n)])
    error = ((bounds.var(0) + elbos.var(0)) / n).sqrt()
    assert bool(((bounds.mean(0) - elbos.mean(0)).abs() < 5 * error).all())


@torch.no_grad()
def test_more_samples_are_a_tighter_bound():
    built = model_of(IWAE)
    bounds = [
        torch.stack([a_trip(IWAE.with_samples(K), seed, built)[1]["bound"].mean() for seed in range(200)]).mean()
        for K in (1, 4, 32)
    ]
    assert bounds[0] > bounds[1] + 0.02 > bounds[2] + 0.03


@pytest.mark.parametrize("recipe", [AE, VAE, SPARSE, SPARSE_KL], ids=repr)
@torch.no_grad()
def test_terms_of_the_zoo_average_over_samples(recipe):
    trip, measured = a_trip(recipe.with_samples(5))
    assert trip.z.shape == (5, 6, 3)
    assert all(values.shape == (6,) for values in measured.values())
    expected = -trip.output.log_prob(trip.x).mean(0)
    torch.testing.assert_close(measured["reconstruction"], expected)


def of_shape(*shape):
    def measure(trip, model):
        return torch.zeros(shape) if shape != (None,) else 0.0

    return measure


@pytest.mark.parametrize("shape", [(), (6, 3), (4, 6), (6, 1), (4,), (None,)], ids=str)
@pytest.mark.parametrize("recipe", [VAE, IWAE], ids=repr)
def test_a_term_that_is_not_one_number_per_example_is_named(shape, recipe):
    with pytest.raises(ValueError, match=r"the term 'wrong' returns .* one number per example, shape \(6,\)"):
        a_trip(recipe.with_term(Term(of_shape(*shape), name="wrong")))
