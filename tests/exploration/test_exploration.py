"""What exploration promises: shapes, places on the code, and one condition at a time."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError

from hourglass import Embedder
from hourglass.diagnostics.density import CodeDensity
from hourglass.exploration import (
    code_centre,
    code_quantiles,
    concept,
    dimension_use,
    interpolate,
    latent_map,
    manifold,
    traversal,
)

DIGITS = load_digits()
PICTURES, LABELS = DIGITS.images[:300], DIGITS.target[:300]
IRIS = load_iris().data


def fitted(X, condition=None, **options) -> Embedder:
    options = {"n_latent": 2, "max_epochs": 2, "random_state": 0, "n_threads": 1} | options
    return Embedder(**options).fit(X, condition=condition)


@pytest.fixture(scope="module")
def vae() -> Embedder:
    return fitted(PICTURES)


@pytest.fixture(scope="module")
def autoencoder() -> Embedder:
    return fitted(IRIS, recipe="ae")


@pytest.fixture(scope="module")
def conditional() -> Embedder:
    return fitted(PICTURES, condition=LABELS)


@pytest.fixture(scope="module")
def wide() -> Embedder:
    return fitted(PICTURES, n_latent=5)


def test_quantiles_of_the_prior_are_those_of_a_standard_normal(vae):
    q = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(code_quantiles(vae, q, source="prior"), np.stack([norm.ppf(q)] * 2, axis=1))
    np.testing.assert_array_equal(code_centre(vae, source="prior"), [0, 0])


@pytest.mark.parametrize("name", ["vae", "autoencoder"])
def test_quantiles_are_those_of_the_codes(name, request):
    embedder, X = request.getfixturevalue(name), {"vae": PICTURES, "autoencoder": IRIS}[name]
    found = code_quantiles(embedder, [0.1, 0.5, 0.9])
    codes = embedder.transform(X)
    # a mixture fitted to the codes stands for them: a quarter of a deviation is near enough
    assert (np.abs(found - np.quantile(codes, [0.1, 0.5, 0.9], axis=0)) < 0.25 * codes.std(axis=0)).all()


def test_what_is_shown_covers_the_codes_however_far_from_the_prior(vae, monkeypatch):
    """Codes with a small weight of the KL, or after few epochs, lie far outside of the prior."""
    far = CodeDensity.fit(np.random.default_rng(0).normal([20, -5], [9, 1], (500, 2)), seed=0)
    monkeypatch.setattr(vae, "density_", far)
    walk = traversal(vae, 0)
    assert walk.values[0] < 5 and walk.values[-1] > 35
    grid = manifold(vae, 5)
    assert grid.x[0] < 12 and grid.x[-1] > 28 and -7 < grid.y[0] < grid.y[-1] < -3
    assert abs(traversal(vae, 0, source="prior").values).max() < 2.1
    assert abs(manifold(vae, 5, source="prior").x).max() < 1.3


def test_quantiles_of_a_prior_that_is_not_there_are_refused(autoencoder, vae):
    with pytest.raises(ValueError, match="source='prior': this recipe has no prior"):
        code_quantiles(autoencoder, [0.5], source="prior")
    with pytest.raises(ValueError, match="source='data' is unknown"):
        code_quantiles(vae, [0.5], source="data")


def test_a_concept_is_the_difference_of_two_mean_codes():
    codes = np.array([[0.0, 1.0], [2.0, 3.0], [7.0, 7.0], [10.0, 0.0]])
    for labels in (["a", "a", None, "b"], pd.Series([1, 1, 2, 3]), np.array([1, 1, 2, 3]), pl.Series([1, 1, None, 3])):
        a, b = ("a", "b") if labels[0] == "a" else (1, 3)
        np.testing.assert_array_equal(concept(codes, labels, a, b), [9, -2])
    with pytest.raises(ValueError, match=r"b='dog' is the label of no code; the labels are 'a', 'b'$"):
        concept(codes, ["a", "a", "b", "b"], "a", "dog")
    with pytest.raises(ValueError, match="labels 2 entries"):
        concept(codes, [1, 2], 1, 2)


@pytest.mark.parametrize("q", [[0.0, 0.5], [1.0], 0.5, [1.5]])
def test_quantiles_outside_the_open_interval_are_refused(vae, q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        code_quantiles(vae, q)


def test_a_traversal_moves_one_dimension_and_holds_the_others(wide):
    start = np.arange(5) / 10
    walk = traversal(wide, 3, steps=7, start=start)
    assert walk.codes.shape == (7, 5)
    assert walk.examples.shape == (7, 8, 8)
    assert (np.diff(walk.values) > 0).all()
    np.testing.assert_array_equal(walk.codes[:, 3], walk.values)
    np.testing.assert_array_equal(np.delete(walk.codes, 3, axis=1), np.repeat(np.delete(start, 3)[None], 7, axis=0))
    np.testing.assert_array_equal(walk.examples, wide.inverse_transform(walk.codes))


@pytest.mark.parametrize(
    "options, message",
    [({"dimension": 5}, "dimension=5"), ({"dimension": 0, "steps": 1}, "steps=1"),
     ({"dimension": 0, "start": [0.0]}, "start has shape")],
)  # fmt: skip
def test_an_impossible_traversal_names_its_argument(wide, options, message):
    with pytest.raises(ValueError, match=message):
        traversal(wide, **options)


def test_the_manifold_goes_from_the_top_left_to_the_bottom_right(vae):
    grid = manifold(vae, side=4, source="prior")
    assert grid.side == 4
    assert grid.examples.shape == (16, 8, 8)
    np.testing.assert_allclose(grid.codes[0], [grid.x[0], grid.y[-1]])
    np.testing.assert_allclose(grid.codes[3], [grid.x[-1], grid.y[-1]])
    np.testing.assert_allclose(grid.codes[-1], [grid.x[-1], grid.y[0]])
    # equal shares of the prior's probability
    np.testing.assert_allclose(norm.cdf(grid.x), [0.125, 0.375, 0.625, 0.875])


def test_a_manifold_needs_two_dimensions(wide):
    with pytest.raises(ValueError, match="n_latent=5"):
        manifold(wide)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_path_begins_and_ends_at_its_codes(wide, path):
    a, b = wide.transform(PICTURES[:2])
    between = interpolate(wide, a, b, steps=5, path=path)
    np.testing.assert_allclose(between[[0, -1]], wide.inverse_transform([a, b]), atol=1e-3)


def test_a_spherical_path_keeps_the_length(wide, monkeypatch):
    seen = []
    monkeypatch.setattr(wide, "inverse_transform", lambda Z, condition=None: seen.append(Z))
    interpolate(wide, [2.0, 0, 0, 0, 0], [0, 2.0, 0, 0, 0], steps=9, path="spherical")
    np.testing.assert_allclose(np.linalg.norm(seen[0], axis=1), 2.0)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_path_between_equal_or_empty_codes_stays_finite(wide, path):
    assert np.isfinite(interpolate(wide, np.zeros(5), np.zeros(5), path=path)).all()
    assert np.isfinite(interpolate(wide, np.ones(5), -np.ones(5), path=path)).all()


def test_impossible_paths_name_their_argument(wide):
    with pytest.raises(ValueError, match="path='round'"):
        interpolate(wide, np.zeros(5), np.ones(5), path="round")
    with pytest.raises(ValueError, match="b has shape"):
        interpolate(wide, np.zeros(5), np.ones(4))


@pytest.mark.parametrize("show", [
    lambda e, c: traversal(e, 0, condition=c).examples,
    lambda e, c: manifold(e, 2, condition=c).examples,
    lambda e, c: interpolate(e, [0, 0], [1, 1], condition=c),
])  # fmt: skip
def test_one_condition_serves_all_codes(conditional, show):
    of_three = show(conditional, 3)
    np.testing.assert_array_equal(of_three, show(conditional, [3]))
    np.testing.assert_array_equal(of_three, show(conditional, pd.DataFrame({"x0": [3]})))
    assert np.abs(of_three - show(conditional, 7)).max() > 0
    with pytest.raises(ValueError, match="condition="):
        show(conditional, None)
    with pytest.raises(ValueError, match="one condition at a time"):
        show(conditional, [1, 2])


def test_a_condition_of_several_columns_is_one_row():
    side = np.stack([LABELS, LABELS % 2], axis=1)
    embedder = fitted(PICTURES, condition=side)
    np.testing.assert_array_equal(
        traversal(embedder, 0, condition=[3, 1]).examples, traversal(embedder, 0, condition=[[3, 1]]).examples
    )


def test_a_deterministic_code_with_a_condition_has_a_range_of_its_own():
    embedder = fitted(PICTURES, condition=LABELS, recipe="ae")
    assert np.abs(code_quantiles(embedder, [0.5], condition=0) - code_quantiles(embedder, [0.5], condition=1)).max() > 0


def test_maps_have_a_point_for_each_example(vae, wide):
    two = latent_map(vae, PICTURES)
    assert (two.method, two.axes) == ("code", ("dimension 0", "dimension 1"))
    np.testing.assert_allclose(two.points, vae.transform(PICTURES))
    five = latent_map(wide, PICTURES)
    assert five.method == "pca"
    assert five.points.shape == (300, 2)
    assert np.var(five.points[:, 0]) >= np.var(five.points[:, 1])
    assert "% of the variance" in five.axes[0]


def test_tsne_takes_at_most_2000_rows(wide, monkeypatch):
    monkeypatch.setattr("hourglass.exploration.maps.MAX_TSNE_ROWS", 60)
    sheet = latent_map(wide, PICTURES, method="tsne")
    assert sheet.points.shape == (60, 2)
    assert len(np.unique(sheet.rows)) == 60
    assert np.isfinite(sheet.points).all()


def test_a_code_of_one_dimension_has_a_map():
    sheet = latent_map(fitted(IRIS, n_latent=1), IRIS)
    assert sheet.points.shape == (150, 2)
    assert sheet.axes == ("dimension 0", "")


def test_impossible_maps_say_what_would_do(wide):
    with pytest.raises(ValueError, match="use 'pca' or 'tsne'"):
        latent_map(wide, PICTURES, method="code")
    with pytest.raises(ValueError, match="method='umap'"):
        latent_map(wide, PICTURES, method="umap")
    with pytest.raises(ValueError, match="needs at least 5"):
        latent_map(wide, PICTURES[:3], method="tsne")


def test_use_ranks_dimensions(wide, autoencoder):
    use = dimension_use(wide)
    assert use.unit == "nats"
    np.testing.assert_allclose(use.values, wide.summary_.kl_per_dimension)
    assert (np.diff(use.values[use.order]) <= 0).all()
    use = dimension_use(autoencoder)
    assert use.unit == "standard deviation"
    assert use.active.all()


def test_nothing_is_shown_of_an_estimator_that_is_not_fitted():
    for show in (dimension_use, manifold, lambda e: traversal(e, 0), lambda e: latent_map(e, PICTURES)):
        with pytest.raises(NotFittedError):
            show(Embedder())
