"""Units do not matter: the same data times 0.1 or times 10 are learnt equally well."""

import functools

import numpy as np
import pytest

from hourglass import Embedder

RNG = np.random.default_rng(0)
FACTORS = RNG.normal(size=(300, 2))
TABLE = np.tanh(FACTORS @ RNG.normal(size=(2, 6))) + 0.05 * RNG.normal(size=(300, 6)) + 1.0
GRID = np.stack(np.meshgrid(np.linspace(-2, 2, 8), np.linspace(-2, 2, 8)))
PICTURES = np.exp(-np.square(GRID[None] - FACTORS[:, :, None, None]).sum(1)) + 0.02 * RNG.random((300, 8, 8))
DATA = {"table": TABLE, "pictures": PICTURES}


@functools.cache
def fitted(data, recipe, factor, shift=0.0):
    X = DATA[data] * factor + shift
    return Embedder(
        2, recipe=recipe, hidden=(32,), max_epochs=25, batch_size=32, learning_rate=3e-3, random_state=0, n_threads=1
    ).fit(X), X  # fmt: skip


def unexplained_variance(estimator, X):
    return np.square(X - estimator.reconstruct(X)).sum() / np.square(X - X.mean(0)).sum()


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("recipe", ["ae", "vae", "sparse", "contractive", "denoising"])
@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_the_same_unexplained_variance_in_other_units(data, recipe, factor):
    plain, X = fitted(data, recipe, 1.0)
    scaled, Y = fitted(data, recipe, factor)
    error = unexplained_variance(plain, X)
    assert error < 0.6  # something was learnt
    assert unexplained_variance(scaled, Y) == pytest.approx(error, rel=0.02)
    assert scaled.summary_.unexplained_variance == pytest.approx(plain.summary_.unexplained_variance, rel=0.02)
    # of a single sample the mean over 300 rows is good to 0.1 nats
    scores = [each.score_samples(rows, n_samples=50).mean() for each, rows in ((scaled, Y), (plain, X))]
    assert scores[0] == pytest.approx(scores[1], rel=0.02, abs=0.1)


@pytest.mark.parametrize("data", DATA)
def test_nor_does_the_origin_matter(data):
    plain, X = fitted(data, "vae", 1.0)
    moved, Y = fitted(data, "vae", 1.0, 50.0)
    assert unexplained_variance(moved, Y) == pytest.approx(unexplained_variance(plain, X), rel=0.02)


def test_columns_in_different_units_count_alike():
    units = np.geomspace(1e-6, 1e6, 6)
    plain, X = fitted("table", "vae", 1.0)
    mixed = Embedder(
        2, recipe="vae", hidden=(32,), max_epochs=25, batch_size=32, learning_rate=3e-3, random_state=0, n_threads=1
    ).fit(X * units)
    errors = [np.square(A - B).mean(0) / A.var(0) for A, B in (
        (X, plain.reconstruct(X)), (X * units, mixed.reconstruct(X * units)))]  # fmt: skip
    np.testing.assert_allclose(errors[1], errors[0], rtol=0.02)


def test_grey_levels_of_any_depth_are_the_same_pictures():
    levels = (PICTURES / PICTURES.max() * 255).astype(np.uint8)
    runs = [
        Embedder(2, hidden=(32,), max_epochs=10, random_state=0, n_threads=1).fit(X)
        for X in (levels, levels.astype(np.uint16) * 257, levels / 255.0)
    ]
    errors = [run.summary_.unexplained_variance for run in runs]
    assert errors[1] == pytest.approx(errors[0], rel=0.02)
    assert errors[2] == pytest.approx(errors[0], rel=0.02)
