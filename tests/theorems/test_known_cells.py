"""Codes given the known cells: of a linear decoder and Gaussian codes the posterior is known in closed form."""

import numpy as np
import pytest
import torch

from hourglass.assemble import Architecture, assemble
from hourglass.diagnostics.density import CodeDensity
from hourglass.diagnostics.known_cells import draw_codes
from hourglass.modalities import Tables
from hourglass.randomness import seeded
from hourglass.variants import AE

D, L, N = 6, 3, 4000
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(5000, L)) @ RNG.normal(size=(L, L)) + [1.0, -2.0, 0.5]


@pytest.fixture(scope="module")
def linear():
    """A model whose decoder is linear, and the Gaussian density of its codes."""
    modality = Tables().infer(RNG.normal(size=(50, D)))
    torch.manual_seed(0)
    model = assemble(AE, modality, modality.likelihood(None, 0.05), Architecture(L, 0, hidden=()))
    model.decode.likelihood.mask_missing()
    return model.eval(), CodeDensity.fit(Z, n_components=1)


@torch.no_grad()
def posterior(model, density, x):
    """Mean and covariance of p(z | known cells of x): Bishop 2006, equations 2.116 and 2.117."""
    mixture = density.rows_of(None, 1)[0][0]
    mean, covariance = mixture.means[0], mixture.factors[0] @ mixture.factors[0].T
    offset = model.decode(torch.zeros(1, L)).mean[0].double().numpy()
    W = model.decode(torch.eye(L)).mean.double().numpy() - offset  # (L, D)
    known = np.isfinite(x)
    precision = np.linalg.inv(covariance) + W[:, known] @ W[:, known].T / 0.05
    weighted = np.linalg.solve(covariance, mean) + W[:, known] @ (x[known] - offset[known]) / 0.05
    return np.linalg.solve(precision, weighted), np.linalg.inv(precision)


@pytest.mark.parametrize("known", [[], [2], [0, 3], [0, 1, 2, 3, 4, 5]])
def test_draws_have_the_exact_posterior(linear, known):
    model, density = linear
    x = model.decode(torch.tensor([[2.0, -1.0, 1.5]])).mean.detach().double().numpy()
    rows = np.full((2, D), np.nan)
    rows[:, known] = x[:, known]
    rows[1, known] += 0.3
    with seeded(0):
        z = draw_codes(model, density, torch.from_numpy(rows).float(), n=N, seed=0)
    assert z.shape == (N, 2, L)
    for row in range(2):
        mean, covariance = posterior(model, density, rows[row])
        drawn = z[:, row].double().numpy()
        scale = np.sqrt(np.diag(covariance))
        assert (np.abs(drawn.mean(0) - mean) < 0.12 * scale).all()
        np.testing.assert_allclose(np.cov(drawn.T / scale[:, None]), covariance / np.outer(scale, scale), atol=0.15)
