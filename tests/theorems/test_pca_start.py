"""A network with a linear path starts at PCA, a variational one at probabilistic PCA."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from hourglass.assemble import Architecture, assemble
from hourglass.diagnostics.evidence import log_evidence
from hourglass.modalities import Images
from hourglass.networks import linear_path
from hourglass.networks.linear_path import principal_axes, regression
from hourglass.variants import AE, SPARSE_KL, VAE

L, N = 3, 120


def pictures(shape=(2, 10, 9), n=N):
    """Grey levels near a plane of six dimensions of falling size."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(n, 6)) * np.array([8, 5, 3, 2, 1.5, 1]) @ rng.normal(size=(6, int(np.prod(shape))))
    return (60 * plane / plane.std() + 5 * rng.normal(size=plane.shape)).reshape(n, *shape).astype(np.float32)


def begun(recipe, X, network="conv", n_condition=0, hidden=(16,), likelihood=None):
    modality = Images(channels="first").infer(X)
    torch.manual_seed(0)
    sizes = Architecture(L, n_condition, hidden, network)
    model = assemble(recipe, modality, modality.likelihood(likelihood, "shared"), sizes)
    x = model.scaling(modality.examples(X).rows())
    condition = torch.eye(n_condition)[torch.arange(len(x)) % n_condition] if n_condition else None
    model.begin(x, condition)
    return model, x, condition


def pca_of(x, n=L):
    flat = x.flatten(1).double().numpy()
    pca = PCA(n, svd_solver="full").fit(flat)
    projection = pca.inverse_transform(pca.transform(flat))
    return projection, np.square(flat - projection).sum() / np.square(flat - flat.mean(0)).sum()


@pytest.mark.parametrize("network", ["conv", "residual"])
@pytest.mark.parametrize("recipe", [AE, VAE], ids=repr)
def test_reconstruction_starts_as_the_projection_of_pca(recipe, network):
    model, x, _ = begun(recipe, pictures(), network)
    made = model.reconstruct(x).mean.flatten(1).detach().numpy()
    projection, left = pca_of(x)
    np.testing.assert_allclose(made, projection, atol=1e-4)
    assert 0.01 < left < 0.5  # there is something to miss


@pytest.mark.parametrize("recipe", [AE, VAE], ids=repr)
def test_the_code_starts_as_whitened_components_largest_first(recipe):
    model, x, _ = begun(recipe, pictures())
    z = model.encode(x).mode.detach().double().numpy()
    np.testing.assert_allclose(z.T @ z / len(z), np.eye(L), atol=1e-3)
    flat = x.flatten(1).double().numpy()
    scores = PCA(L, svd_solver="full").fit_transform(flat)
    correlations = np.abs((z * scores).mean(0)) / scores.std(0)
    np.testing.assert_allclose(correlations, 1.0, atol=1e-4)


def test_more_features_than_rows_leave_the_others_alone():
    model, x, _ = begun(AE, pictures(n=5), hidden=(16,))
    assert len(model.encode.encoder.principal) == 4  # five rows have four axes
    assert bool(model.encode.encoder.out.weight[4:].any()) and not bool(model.encode.encoder.out.weight[:4].any())
    projection, _ = pca_of(x)
    np.testing.assert_allclose(model.reconstruct(x).mean.flatten(1).detach().numpy(), projection, atol=1e-3)


def test_what_a_condition_says_is_regressed_out():
    """The condition's columns repeat each other, as those of categories do; with them the error is smaller."""
    X = pictures()
    X += 200 * (np.arange(N) % 4 == 1)[:, None, None, None]
    model, x, condition = begun(VAE, X, n_condition=4)
    made = model.reconstruct(x, condition).mean
    z = torch.cat([model.encode(x, condition).mode, condition], 1).detach().double().numpy()
    flat = x.flatten(1).double().numpy()
    best = z @ np.linalg.lstsq(z, flat, rcond=None)[0]
    np.testing.assert_allclose(made.flatten(1).detach().numpy(), best, atol=1e-3)


@torch.no_grad()
def test_the_elbo_starts_at_that_of_probabilistic_pca():
    """Below its evidence by at most half a nat times the posterior variance per dimension, for the mean is not shrunk.

    Source: Tipping and Bishop 1999, JRSS B 61:611, equation 8, for the evidence at maximum likelihood.
    """
    model, x, _ = begun(VAE, pictures(), hidden=(16,))
    flat = x.flatten(1).double()
    values = torch.linalg.eigvalsh((flat - flat.mean(0)).T @ (flat - flat.mean(0)) / len(flat)).flip(0)
    d, noise = len(values), values[L:].mean()
    model.decode.likelihood.log_scale.fill_(noise.log() / 2)
    best = -0.5 * (d * np.log(2 * np.pi) + values[:L].log().sum() + (d - L) * noise.log() + d)
    variance = model.encode(x).log_variance.exp()
    torch.testing.assert_close(variance[0].double(), noise / (values[:L] + noise), rtol=1e-3, atol=0)
    assert bool((variance == variance[0]).all())
    elbo = torch.stack([log_evidence(model, x, seed=s).mean() for s in range(20)]).mean()
    assert best - 0.5 * float(variance[0].sum()) - 0.1 < float(elbo) < best + 0.1


@torch.no_grad()
def test_a_sampled_code_costs_little():
    model, x, _ = begun(VAE, pictures())
    torch.manual_seed(1)
    made = model.round_trip(x).output.mean
    _, left = pca_of(x)
    error = float((x - made).square().sum() / (x - x.mean(0)).square().sum())
    assert left < error < 1.05 * left


@torch.no_grad()
@pytest.mark.parametrize("likelihood", ["gaussian", "laplace", "bernoulli"])
@pytest.mark.parametrize("recipe", [AE, SPARSE_KL], ids=repr)
def test_the_start_is_better_than_no_code_under_every_likelihood(recipe, likelihood):
    X = pictures()
    X = (X > 0).astype(np.float32) if likelihood == "bernoulli" else X
    model, x, _ = begun(recipe, X, likelihood=likelihood)
    output = model.decode.parameters_of(model.encode(x).mode)
    model.decode.likelihood.update_scale(output, x, 1.0)
    with_code = model.decode.likelihood(output).log_prob(x).mean()
    constant = model.decode.likelihood.fit_baseline(x).expand_as(output)
    assert with_code > model.decode.likelihood(constant).log_prob(x).mean() + 5.0


@torch.no_grad()
def test_large_pictures_start_at_the_plane_of_smaller_ones(monkeypatch):
    monkeypatch.setattr("hourglass.networks.conv.MAX_CELLS_FOR_LINEAR", 300)
    smooth = np.repeat(np.repeat(pictures((1, 10, 9)), 3, axis=2), 3, axis=3)
    model, x, _ = begun(AE, smooth)
    made = model.reconstruct(x).mean
    _, left = pca_of(x)
    error = float((x - made).square().sum() / (x - x.mean(0)).square().sum())
    assert model.encode.encoder.size == (15, 14)
    assert left < error < 1.0


def test_axes_by_random_projections_are_those_of_pca(monkeypatch):
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(300, 20, generator=rng) * torch.linspace(5, 1, 20) @ torch.randn(20, 400, generator=rng)
    x = x + 0.1 * torch.randn(300, 400, generator=rng)
    exact, variances = principal_axes(x, 10)
    monkeypatch.setattr(linear_path, "MAX_EXACT", 100)
    torch.manual_seed(0)
    axes, approximate = principal_axes(x, 10)
    torch.testing.assert_close((axes @ exact.T).abs(), torch.eye(10), atol=1e-3, rtol=0)
    torch.testing.assert_close(approximate, variances, rtol=1e-4, atol=0)
    np.testing.assert_allclose(variances, PCA(10).fit((x - x.mean(0)).numpy()).explained_variance_ * 299 / 300 + 0,
                               rtol=0.05)  # fmt: skip


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_axes_are_orthonormal_and_no_more_than_vary(shape):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    x = x - x.mean(0)
    axes, variances = principal_axes(x, 100)
    assert len(axes) == min(shape[0] - 1, shape[1])
    torch.testing.assert_close(axes @ axes.T, torch.eye(len(axes)), atol=1e-4, rtol=0)
    torch.testing.assert_close((x @ axes.T).square().mean(0), variances, rtol=1e-3, atol=1e-6)


def test_regression_ignores_what_repeats_and_what_is_constant():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(50, 3, generator=generator)
    z = torch.cat([z, z[:, :1], torch.full((50, 1), 7.0)], 1)
    x = torch.randn(50, 4, generator=generator)
    weight, bias = regression(z, x)
    with_one = np.column_stack([z, np.ones(50)])
    best = with_one @ np.linalg.lstsq(with_one, x.numpy(), rcond=None)[0]
    np.testing.assert_allclose((z @ weight.T + bias).numpy(), best, atol=1e-4)
