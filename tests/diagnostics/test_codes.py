"""Statistics of codes against hand-made answers."""

import numpy as np
import pytest

from hourglass.diagnostics.codes import active_units, effective_dimension, kl_per_dimension


def test_kl_against_sampling():
    rng = np.random.default_rng(0)
    mean, log_variance = np.array([[0.7, 0.0, -1.5]]), np.array([[-1.0, 0.0, 0.5]])
    z = mean + np.exp(log_variance / 2) * rng.normal(size=(400_000, 3))
    log_ratio = -0.5 * ((z - mean) ** 2 / np.exp(log_variance) + log_variance) + 0.5 * z**2
    np.testing.assert_allclose(kl_per_dimension(mean, log_variance), log_ratio.mean(axis=0), atol=0.02)


def test_a_posterior_that_is_the_prior_has_no_kl():
    kl = kl_per_dimension([[0.0, 1.0], [0.0, -1.0]], np.zeros((2, 2)))
    np.testing.assert_allclose(kl, [0.0, 0.5])


def test_active_units():
    mean = np.random.default_rng(0).normal(size=(1000, 3)) * [1.0, 0.05, 0.2]
    assert active_units(mean).tolist() == [True, False, True]
    assert active_units(mean, threshold=0.5).sum() == 1


def test_effective_dimension_counts_the_directions_in_use():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(20_000, 6)) * [1, 1, 1, 0, 0, 0]
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    assert effective_dimension(Z @ turn + 9) == pytest.approx(3, rel=1e-2)
    assert effective_dimension(np.ones((5, 3))) == 0
    eigenvalues = np.linalg.eigvalsh(np.cov((Z * [1, 2, 3, 4, 5, 6]).T))
    assert effective_dimension(Z * [1, 2, 3, 4, 5, 6]) == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())


def test_bad_shapes_are_named():
    with pytest.raises(ValueError, match="log_variance has shape"):
        kl_per_dimension(np.zeros((3, 2)), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="mean has shape"):
        active_units(np.zeros(3))
