"""Every prior is a density, draws from it, and knows its divergence; seen on all that the zoo and the examples have."""

import math
from dataclasses import dataclass

import example_recipes
import numpy as np
import pytest
import torch
from example_recipes import CODEBOOK, GaussianMixture

from hourglass import Embedder
from hourglass.assemble import Architecture, assemble
from hourglass.modalities import Tables
from hourglass.variants import RECIPES

X = np.random.default_rng(0).normal(size=(40, 4))
CLUSTERS = np.random.default_rng(1).normal(size=(3, 4))[np.arange(600) % 3] * 3 + np.resize(X, (600, 4)) / 3
N = 200_000
WIDE = 4.0  # deviation of the density r that importance sampling draws from
CONTINUOUS = {
    name: recipe
    for name, recipe in {**RECIPES, **example_recipes.RECIPES}.items()
    if recipe.prior is not None and recipe.bottleneck != CODEBOOK.bottleneck
}
each_prior = pytest.mark.parametrize("name", CONTINUOUS)


def model_of(recipe):
    torch.manual_seed(0)
    modality = Tables().infer(X)
    model = assemble(recipe, modality, modality.likelihood(None, "shared"), Architecture(2, hidden=(8,)))
    model.begin(rows(model))
    with torch.no_grad():  # posteriors that differ, with deviations other than 1
        head = model.encode.bottleneck.head
        head.weight.mul_(2.0)
        head.bias[2:] -= 0.7
    return model


def rows(model):
    return model.scaling(torch.from_numpy(X))


def wide():
    """Draws of r = N(0, WIDE^2 I) and their log-density."""
    torch.manual_seed(1)
    r = torch.distributions.Normal(0.0, WIDE)
    z = r.sample((N, 2))
    return z, r.log_prob(z).sum(1)


def mass(prior):
    """E_r[p / r] and the error of its estimate."""
    z, log_r = wide()
    ratio = torch.exp(prior.log_prob(z) - log_r)
    return float(ratio.mean()), float(ratio.std()) / N**0.5


@torch.no_grad()
@each_prior
def test_a_density_integrates_to_one(name):
    total, error = mass(model_of(CONTINUOUS[name]).encode.prior())
    assert total == pytest.approx(1.0, abs=5 * error)
    assert error < 0.01


@dataclass(frozen=True)
class Unnormalised(GaussianMixture):
    def log_prob(self, z):
        return super().log_prob(z) + math.log(len(self.mean))


def test_a_density_that_does_not_is_noticed():
    total, error = mass(Unnormalised(torch.randn(3, 2), torch.zeros(3, 2)))
    assert abs(total - 1.0) > 20 * error


@torch.no_grad()
@each_prior
def test_samples_have_the_moments_of_the_density(name):
    prior = model_of(CONTINUOUS[name]).encode.prior()
    z, log_r = wide()
    weight = torch.exp(prior.log_prob(z) - log_r)[:, None]
    drawn = prior.sample(N)
    assert drawn.shape == (N, 2) and drawn.dtype == torch.float32
    for moment in (lambda z: z, torch.square, torch.sin):
        weighted, sampled = weight * moment(z), moment(drawn)
        error = (weighted.var(0) / N + sampled.var(0) / N).sqrt()
        assert bool(((weighted.mean(0) - sampled.mean(0)).abs() < 5 * error).all())
        assert bool((error < 0.1).all())


@torch.no_grad()
@each_prior
def test_the_divergence_is_the_mean_of_the_log_ratio(name):
    model = model_of(CONTINUOUS[name])
    posterior, prior = model.encode(rows(model)[:5]), model.encode.prior()
    torch.manual_seed(2)
    z = posterior.sample(20_000)
    ratio = posterior.log_prob(z) - prior.log_prob(z)  # (K, B)
    estimate = torch.stack([prior.divergence(posterior, posterior.sample()) for _ in range(2000)])
    error = (ratio.var(0) / len(ratio) + estimate.var(0) / len(estimate)).sqrt()
    assert estimate.shape == (2000, 5)
    assert bool(((estimate.mean(0) - ratio.mean(0)).abs() < 5 * error + 1e-5).all())
    assert bool((error < 0.1).all())
    # of many samples at once it is their mean
    torch.testing.assert_close(prior.divergence(posterior, z), ratio.mean(0), atol=0.05, rtol=0)
    each = prior.divergence_per_dimension(posterior, z[0])
    if each is not None:
        assert each.shape == posterior.mode.shape
        torch.testing.assert_close(each.flatten(1).sum(1), prior.divergence(posterior, z[0]))


@torch.no_grad()
def test_a_prior_over_a_book_gives_every_entry_its_share():
    model = model_of(CODEBOOK)
    prior, posterior = model.encode.prior(), model.encode(rows(model))
    book = model.encode.bottleneck.book
    assert float(prior.log_prob(book).exp().sum()) == pytest.approx(1.0)
    torch.testing.assert_close(prior.divergence(posterior, posterior.mode), torch.full((len(X),), math.log(len(book))))
    drawn = prior.sample(8000)
    is_entry = (drawn[:, None] == book).all(-1)  # (N, V)
    assert bool((is_entry.sum(1) == 1).all())
    counts = is_entry.sum(0)
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 30  # chi-squared with 7 degrees of freedom


@pytest.mark.parametrize("recipe", [example_recipes.MIXTURE, example_recipes.PSEUDO], ids=["mixture", "pseudo"])
def test_the_figures_of_a_fit_take_the_kl_from_its_own_prior(recipe):
    fitted = Embedder(
        2, recipe=recipe, variance=0.05, hidden=(8,), max_epochs=10, learning_rate=1e-2, validation_fraction=0,
        random_state=0, n_threads=1,
    )  # fmt: skip
    summary = fitted.fit(CLUSTERS).summary_
    model = fitted.model_
    with torch.no_grad():
        posterior, prior = model.encode(model.scaling(torch.from_numpy(CLUSTERS))), model.encode.prior()
        z = posterior.sample(100)
        ratio = (posterior.log_prob(z) - prior.log_prob(z)).mean()
        standard = (posterior.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)).mean()
    assert summary.kl == pytest.approx(float(ratio), abs=0.1)
    assert abs(float(standard - ratio)) > 0.3  # the KL to N(0, I) is another number, and would be seen
    assert summary.active_units >= 0 and summary.kl_per_dimension == []
    assert any(f"carries {summary.kl:.1f} nats" in line for line in fitted.advice_)
