"""The Frechet distance against its closed forms."""

import numpy as np
import pytest

from hourglass.diagnostics.frechet import frechet_distance


def with_moments(mean, covariance, n=50, seed=0):
    """Rows whose sample mean and covariance are exactly these."""
    rows = np.random.default_rng(seed).normal(size=(n, len(mean)))
    rows -= rows.mean(axis=0)
    rows @= np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return rows @ np.linalg.cholesky(covariance).T + mean


def test_commuting_covariances():
    a = with_moments([0.0, 1.0, 2.0], np.diag([1.0, 4.0, 9.0]))
    b = with_moments([3.0, 1.0, 0.0], np.diag([4.0, 4.0, 1.0]), n=80, seed=1)
    # |m_a - m_b|^2 + sum (s_a - s_b)^2
    assert frechet_distance(a, b) == pytest.approx(13 + 1 + 0 + 4)


def test_covariances_that_do_not_commute():
    A, B = np.array([[2.0, 0.8], [0.8, 1.0]]), np.array([[1.0, -0.5], [-0.5, 3.0]])
    # In two dimensions tr sqrt(AB) = sqrt(tr AB + 2 sqrt(det AB)).
    trace = np.sqrt(np.trace(A @ B) + 2 * np.sqrt(np.linalg.det(A @ B)))
    expected = np.trace(A) + np.trace(B) - 2 * trace
    a, b = with_moments([0.0, 0.0], A), with_moments([0.0, 0.0], B, seed=1)
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(b, a) == pytest.approx(expected)


def test_singular_covariances():
    a = np.random.default_rng(0).normal(size=(10, 64)) * 1e3  # fewer rows than features
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-3)
    assert frechet_distance(a, a + 2.0) == pytest.approx(64 * 4.0, rel=1e-6)
    assert frechet_distance(np.zeros((3, 2)), np.ones((3, 2))) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (np.zeros((4, 2)), np.zeros((4, 3)), "2 features and b has 3"),
        (np.zeros((1, 2)), np.zeros((4, 2)), "a has shape"),
        (np.zeros((4, 2)), np.full((4, 2), np.nan), "b holds NaN"),
    ],
)
def test_bad_input_is_named(a, b, says):
    with pytest.raises(ValueError, match=says):
        frechet_distance(a, b)
