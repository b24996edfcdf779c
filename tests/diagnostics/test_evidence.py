"""The noise of log_evidence: each row's own, standard normal, and the same in any company."""

import math

import numpy as np
import pytest
import torch
from example_recipes import CODEBOOK, MIXTURE, SHALLOW, ShallowImages
from scipy.stats import kstest

from hourglass import Embedder
from hourglass.diagnostics import evidence
from hourglass.diagnostics.evidence import log_evidence

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 5)) + 0.3 * RNG.normal(size=(300, 5))


@pytest.fixture(scope="module")
def vae():
    fitted = Embedder(2, hidden=(8,), max_epochs=4, random_state=0, n_threads=1).fit(X)
    return fitted.model_, fitted.model_.scaling(torch.from_numpy(X))


def noise(x, n, seed=0):
    return evidence._normal(evidence._keys(torch.as_tensor(x), seed), 0, n)


def test_it_is_standard_normal_and_independent():
    drawn = noise(RNG.normal(size=(2000, 3)).astype(np.float32), 50)
    assert drawn.shape == (2000, 50) and drawn.dtype == np.float32
    for sequence in (drawn[:20].ravel(), drawn[:, 0], drawn[:, 49], drawn[7]):
        assert kstest(sequence, "norm").pvalue > 1e-4
    assert np.abs(np.corrcoef(drawn, rowvar=False) - np.eye(50)).max() < 6 / math.sqrt(2000)
    assert np.abs(np.corrcoef(drawn[:50]) - np.eye(50)).max() < 6 / math.sqrt(50)
    assert len(np.unique(drawn)) > 0.99 * drawn.size


def test_rows_that_differ_in_one_bit_have_other_noise():
    x = np.zeros((40, 8), dtype=np.float32)
    x[np.arange(40), np.arange(40) % 8] = np.nextafter(0, 1, dtype=np.float32) * (1 + np.arange(40) // 8)
    drawn = noise(x, 200)
    assert np.abs(np.corrcoef(drawn) - np.eye(40)).max() < 0.4
    assert np.abs(np.corrcoef(noise(x, 200, 1)[0], drawn[0])[0, 1]) < 0.4


def test_it_comes_in_parts_as_at_once():
    keys = evidence._keys(torch.ones(3, 2), -5)
    np.testing.assert_array_equal(evidence._normal(keys, 0, 12)[:, 4:], evidence._normal(keys, 4, 8))


def test_a_score_is_the_same_alone_in_company_and_in_any_order(vae, monkeypatch):
    model, x = vae
    scores = log_evidence(model, x, n_samples=5)
    order = torch.from_numpy(RNG.permutation(300))
    assert torch.equal(log_evidence(model, x[order], n_samples=5), scores[order])
    for rows in (slice(3, 4), slice(10, 57)):
        assert torch.equal(log_evidence(model, x[rows], n_samples=5), scores[rows])
    assert torch.equal(log_evidence(model, x, n_samples=5, batch_size=71), scores)
    monkeypatch.setattr(evidence, "NUMBERS_AT_ONCE", 1)
    assert torch.equal(log_evidence(model, x, n_samples=5), scores)
    assert not torch.equal(log_evidence(model, x, n_samples=5, seed=1), scores)


@torch.no_grad()
def test_it_is_unbiased_for_every_row(vae):
    """Over seeds a row's score has the mean of its ELBO, whose KL is in closed form."""
    model, x = vae
    x = x[:20]
    scores = torch.stack([log_evidence(model, x, seed=seed) for seed in range(800)])
    posterior, prior = model.encode(x), model.encode.prior()
    torch.manual_seed(0)
    z = posterior.sample(800)
    elbos = model.decode(z).log_prob(x) - prior.divergence(posterior, z[0])
    error = ((scores.var(0) + elbos.var(0)) / 800).sqrt()
    assert bool(((scores.mean(0) - elbos.mean(0)).abs() < 5 * error).all())


def test_the_global_generator_is_not_touched(vae):
    model, x = vae
    before = torch.get_rng_state()
    log_evidence(model, x, n_samples=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_prior_is_the_recipes_own():
    fitted = Embedder(2, recipe=MIXTURE, hidden=(8,), max_epochs=3, random_state=0, n_threads=1).fit(X)
    model, x = fitted.model_, fitted.model_.scaling(torch.from_numpy(X))
    with torch.no_grad():
        posterior, prior = model.encode(x), model.encode.prior()
        torch.manual_seed(0)
        z = posterior.sample(3000)
        log_weight = model.decode(z).log_prob(x) + prior.log_prob(z) - posterior.log_prob(z)
        expected = log_weight.logsumexp(0) - math.log(3000)
    assert fitted.score_samples(X, n_samples=2000).mean() == pytest.approx(float(expected.mean()), abs=0.01)


def test_of_discrete_codes_it_is_the_likelihood_less_the_price_of_the_code():
    fitted = Embedder(2, recipe=CODEBOOK, hidden=(8,), max_epochs=2, random_state=0, n_threads=1).fit(X)
    model, x = fitted.model_, fitted.model_.scaling(torch.from_numpy(X))
    with torch.no_grad():
        expected = model.reconstruct(x).log_prob(x) - math.log(8)
    torch.testing.assert_close(log_evidence(model, x, n_samples=3), expected)


def test_shallow_features_go_with_the_code():
    pictures = (RNG.random((30, 7, 5)) * 255).astype(np.uint8)
    settings = {"modality": ShallowImages(), "max_epochs": 1, "random_state": 0, "n_threads": 1}
    fitted = Embedder(2, recipe=SHALLOW, **settings).fit(pictures)
    x = fitted.model_.scaling(fitted.modality_.examples(pictures).rows())
    with torch.no_grad():
        torch.testing.assert_close(log_evidence(fitted.model_, x), fitted.model_.reconstruct(x).log_prob(x))
