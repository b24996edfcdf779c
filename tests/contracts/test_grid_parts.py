"""Bottlenecks, priors, terms and heads on codes with axes of their own."""

import pytest
import torch
from example_recipes import GridDecoder, GridEncoder
from torch import nn

from hourglass import variants
from hourglass.likelihoods import Gaussian
from hourglass.model import Autoencoder, Sizes
from hourglass.networks.heads import ChannelLinear
from hourglass.recipe import Term
from hourglass.variants import (
    Deterministic,
    Sampled,
    Standard,
)


def grid_model(bottleneck, n_condition=0):
    torch.manual_seed(0)
    scaling = nn.Identity()
    sizes = Sizes((3, 8, 8), GridEncoder.n_features + n_condition, 2, (4, 4), n_condition)
    prior = Standard(sizes) if bottleneck is Sampled else None
    parts = GridEncoder(3), bottleneck(sizes), GridDecoder(2 + n_condition, 3), Gaussian((3, 8, 8)), prior
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
