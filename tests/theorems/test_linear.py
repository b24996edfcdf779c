"""Linear models have closed forms: the autoencoder is PCA, the variational one is probabilistic PCA."""

import functools

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from hourglass import Embedder
from hourglass.diagnostics.evidence import log_evidence
from hourglass.variants import VAE, kl

L, D, N = 2, 6, 600


@functools.cache
def data():
    """Rows near a plane in six dimensions, the columns correlated and of different scales."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(L, D))
    X = rng.normal(size=(N, L)) @ W + 0.4 * rng.normal(size=(N, D)) + rng.normal(size=D)
    return X * np.geomspace(0.1, 10.0, D)


def fit(recipe):
    return Embedder(
        L, recipe=recipe, hidden=(), validation_fraction=0.0, max_epochs=200, batch_size=100, learning_rate=1e-2,
        random_state=0, n_threads=1, variance="shared",
    ).fit(data())  # fmt: skip


fitted = functools.cache(fit)


def standardised():
    """The data as the model sees them."""
    return (data() - data().mean(0)) / data().std(0)


def errors(recipe):
    """(model's, PCA's) squared error relative to the variance, both in model space."""
    estimator, x = fitted(recipe), standardised()
    made = (estimator.reconstruct(data()) - data().mean(0)) / data().std(0)
    pca = PCA(L).fit(x)
    total = np.square(x).sum()
    return np.square(x - made).sum() / total, np.square(x - pca.inverse_transform(pca.transform(x))).sum() / total


def test_a_linear_autoencoder_reaches_the_error_of_pca():
    ours, pca = errors("ae")
    assert pca < ours * (1 + 1e-6)  # nothing linear is better
    assert ours < 1.01 * pca


def test_a_linear_autoencoder_spans_the_plane_of_pca():
    decoder = fitted("ae").model_.decode.decoder.out.weight.detach().double().numpy()  # (D, L)
    encoder = fitted("ae").model_.encode.bottleneck.head.weight.detach().double().numpy()  # (L, D)
    plane = PCA(L).fit(standardised()).components_.T
    assert np.degrees(subspace_angles(decoder, plane)).max() < 2.0
    assert np.degrees(subspace_angles(encoder.T, plane)).max() < 2.0
    assert np.degrees(subspace_angles(decoder[::-1], plane)).max() > 20.0  # another plane would be seen


def evidence_of_ppca(x, q):
    """Mean log p(x) at the maximum likelihood of probabilistic PCA with q factors, nats per sample.

    -(D ln 2 pi + sum_{j <= q} ln l_j + (D - q) ln s^2 + D) / 2, l_j the eigenvalues of the covariance and s^2 the mean
    of the ones left out. Source: Tipping and Bishop 1999, JRSS B 61:611, equations 3, 7 and 8.
    """
    values = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    d = len(values)
    noise = values[q:].mean()
    return -0.5 * (d * np.log(2 * np.pi) + np.log(values[:q]).sum() + (d - q) * np.log(noise) + d)


def own_evidence(estimator, x):
    """log p(x) under the model's own weights, (N,): x ~ N(b, W W^T + v I)."""
    out = estimator.model_.decode.decoder.out
    W, b = out.weight.detach().double(), out.bias.detach().double()
    v = estimator.model_.decode.likelihood.log_variance.double().exp()
    covariance = W @ W.T + v * torch.eye(len(W), dtype=torch.float64)
    return torch.distributions.MultivariateNormal(b, covariance).log_prob(x.double())


@pytest.fixture(scope="module")
def vae():
    estimator = fitted("vae")
    return estimator, torch.from_numpy(standardised()).float()


def test_elbo_below_importance_weighted_bound_below_evidence(vae):
    estimator, x = vae
    evidence = own_evidence(estimator, x).mean().item()
    elbo, tighter, tight = (log_evidence(estimator.model_, x, n_samples=k).mean().item() for k in (1, 10, 100))
    # each is unbiased for its own bound: over 600 rows the mean's error is below 0.02 nats
    assert elbo < tighter + 0.02
    assert tighter < tight + 0.02
    assert tight < evidence + 0.02
    assert tight == pytest.approx(evidence, abs=0.03)


def test_far_from_the_optimum_the_bound_is_loose_and_importance_sampling_closes_the_gap():
    """The same theorem where the gap can be seen: the posterior of an early model is wide of the true one."""
    early = Embedder(
        L, hidden=(), validation_fraction=0.0, max_epochs=3, learning_rate=3e-3, random_state=0, n_threads=1
    ).fit(data())
    x = torch.from_numpy(standardised()).float()
    evidence = own_evidence(early, x).mean().item()
    elbo, tighter, tight = (log_evidence(early.model_, x, n_samples=k).mean().item() for k in (1, 10, 300))
    assert elbo + 0.1 < tighter < tight < evidence + 0.02
    assert tight == pytest.approx(evidence, abs=0.05)


def test_a_linear_vae_comes_near_the_maximum_likelihood_of_probabilistic_pca(vae):
    estimator, x = vae
    best = evidence_of_ppca(x.double().numpy(), L)
    assert own_evidence(estimator, x).mean() < best + 1e-3  # no weights do better
    elbo = np.mean([log_evidence(estimator.model_, x, seed=s).mean() for s in range(5)])
    assert best - 0.08 < elbo < best + 0.02


def test_a_linear_vae_spans_the_plane_of_pca_and_finds_its_noise(vae):
    """At the optimum the decoder's columns are the principal axes themselves: the diagonal posterior forbids rotations
    (Lucas et al. 2019, arXiv:1911.02469)."""
    estimator, x = vae
    W = estimator.model_.decode.decoder.out.weight.detach().double().numpy()
    pca = PCA(L).fit(x)
    assert np.degrees(subspace_angles(W, pca.components_.T)).max() < 3.0
    values = np.linalg.eigvalsh(np.cov(x.T.double().numpy(), bias=True))[::-1]
    noise = values[L:].mean()
    assert float(estimator.model_.decode.likelihood.log_variance.exp().mean()) == pytest.approx(noise, rel=0.05)
    # W W^T has the eigenvalues l_j - s^2
    np.testing.assert_allclose(np.linalg.eigvalsh(W.T @ W)[::-1], values[:L] - noise, rtol=0.1)


def test_the_weight_of_the_kl_is_paid_in_reconstruction():
    """A larger beta gives a smaller KL and a larger error, on the same data."""
    runs = [fit(VAE.with_term(kl, weight=w)).history_[-1]["train"] for w in (0.2, 1.0, 5.0)]
    kls, reconstructions = ([run[name] for run in runs] for name in ("kl", "reconstruction"))
    assert kls[0] > kls[1] > kls[2]
    assert reconstructions[0] < reconstructions[1] < reconstructions[2]
