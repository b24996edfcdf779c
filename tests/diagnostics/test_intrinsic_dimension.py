"""TwoNN on data of known dimension, and what it does with bad data."""

import numpy as np
import pytest

from hourglass.diagnostics.intrinsic_dimension import suggest_n_latent, two_nn


def embedded(n, dimension, features, seed=0):
    """Rows spread evenly over a cube of ``dimension``, turned into a space of ``features``."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(features, dimension)))
    return rng.random((n, dimension)) @ turn.T


@pytest.mark.parametrize(
    ("dimension", "features", "tolerance"), [(1, 3, 0.08), (2, 10, 0.15), (5, 5, 0.5), (5, 20, 0.5)]
)
def test_known_dimensions(dimension, features, tolerance):
    assert two_nn(embedded(4000, dimension, features)) == pytest.approx(dimension, abs=tolerance)


def test_neither_scale_nor_place_nor_repeated_rows_matter():
    X = embedded(1000, 2, 6)
    assert two_nn(1e-3 * X + 50) == pytest.approx(two_nn(X), rel=1e-3)
    assert two_nn(np.vstack([X, X, X[:10]])) == pytest.approx(two_nn(X), rel=1e-3)


def test_a_subset_is_drawn_by_the_seed():
    X = embedded(3000, 3, 6)
    assert two_nn(X, max_rows=500, seed=1) == two_nn(X, max_rows=500, seed=1) != two_nn(X, max_rows=500, seed=2)


def test_tiny_and_constant_data():
    assert two_nn(np.ones((50, 4))) == 0
    assert two_nn([[0.0, 1.0, 2.0], [1.0, 0.0, 5.0]]) == 1
    assert two_nn(np.arange(5.0)[:, None]) <= 1
    assert two_nn(np.array(np.meshgrid([0.0, 1], [0.0, 1], [0.0, 1])).reshape(3, -1).T) == 3  # all ratios 1: the most


def test_not_finite_is_refused_with_its_place():
    X = embedded(20, 2, 3)
    X[4, 1] = np.nan
    with pytest.raises(ValueError, match="nan at row 4, column 1"):
        two_nn(X)
    with pytest.raises(ValueError, match="at least one row"):
        two_nn(np.empty((0, 3)))


def test_the_suggestion_is_twice_the_dimension_within_bounds():
    assert suggest_n_latent(embedded(4000, 3, 30), 30) == 6
    assert suggest_n_latent(embedded(4000, 3, 8), 8) == 4
    assert suggest_n_latent(embedded(500, 1, 30), 30) == 2
    assert suggest_n_latent(embedded(500, 2, 2), 1) == 1
    assert suggest_n_latent(np.random.default_rng(0).normal(size=(2000, 400)), 400) == 64
