"""The density of codes: it finds what it was given, survives poor data, and comes back from its arrays."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from hourglass import Embedder
from hourglass.diagnostics import gaussian_mixture
from hourglass.diagnostics.density import CodeDensity
from hourglass.diagnostics.frechet import frechet_distance

CENTRES = np.array([[-40.0, 0.0, 0.0], [40.0, 0.0, 0.0], [0.0, 60.0, 0.0], [0.0, -60.0, 0.0], [0.0, 0.0, 50.0]])


def clusters(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    which = rng.integers(5, size=n)
    return CENTRES[which] + rng.normal(size=(n, 3)) * [1.0, 2.0, 0.5], which


def test_clusters_are_found_and_sampled():
    Z, _ = clusters()
    density = CodeDensity.fit(Z, seed=0)
    assert density.n_components == {None: 5}
    drawn = density.sample(4000, seed=1)
    assert drawn.shape == (4000, 3) and drawn.dtype == np.float32
    nearest = ((drawn[:, None] - CENTRES) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_allclose(np.bincount(nearest) / 4000, 0.2, atol=0.04)
    np.testing.assert_allclose((drawn - CENTRES[nearest]).std(axis=0), [1.0, 2.0, 0.5], rtol=0.1)


def test_one_gaussian_is_told_from_many():
    Z = np.random.default_rng(0).normal(size=(3000, 4)) @ np.random.default_rng(1).normal(size=(4, 4)) + 7
    density = CodeDensity.fit(Z)
    assert density.n_components == {None: 1}
    drawn = density.sample(20_000, seed=0)
    assert frechet_distance(drawn, Z) < 0.02 * Z.var(axis=0).sum()


def test_each_group_has_its_own_density():
    Z, which = clusters()
    density = CodeDensity.fit(Z, groups=np.array(list("abcde"))[which])
    assert density.groups == list("abcde")
    drawn = density.sample(6, groups=["e", "a", "e", "b", "a", "c"], seed=0)
    nearest = ((drawn[:, None] - CENTRES) ** 2).sum(axis=2).argmin(axis=1)
    assert nearest.tolist() == [4, 0, 4, 1, 0, 2]
    assert density.sample(3, groups="b").shape == (3, 3)


@pytest.mark.parametrize("groups", [None, np.repeat([3, 7], 300), np.repeat(["left", "right"], 300)])
def test_arrays_hold_the_whole_state(groups):
    Z, _ = clusters(600)
    density = CodeDensity.fit(Z, groups)
    arrays = density.to_arrays()
    assert all(array.dtype.kind in "fiu" for array in arrays.values())
    again = CodeDensity.from_arrays(arrays)
    assert again.groups == density.groups
    asked = None if groups is None else groups[::60]
    np.testing.assert_array_equal(again.sample(10, asked, seed=3), density.sample(10, asked, seed=3))
    del arrays["means"]
    with pytest.raises(ValueError, match="'means'"):
        CodeDensity.from_arrays(arrays)


def test_the_seed_decides_and_the_global_state_is_left_alone():
    Z, _ = clusters(400)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    a, b = CodeDensity.fit(Z, seed=4), CodeDensity.fit(Z, seed=4)
    np.testing.assert_array_equal(a.sample(9, seed=1), b.sample(9, seed=1))
    assert not np.array_equal(a.sample(9, seed=1), a.sample(9, seed=2))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("n", [1, 2, 3, 15])
def test_few_rows_and_constant_dimensions(n):
    rng = np.random.default_rng(0)
    Z = np.column_stack([rng.normal(size=n), np.full(n, 5.0), 1e-3 * rng.normal(size=n), np.zeros(n)])
    drawn = CodeDensity.fit(Z).sample(50, seed=0)
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn[:, 1], 5.0, atol=1e-5)
    np.testing.assert_allclose(drawn[:, 3], 0.0, atol=1e-5)
    assert (np.abs(drawn[:, 2]) < 0.02).all()
    assert CodeDensity.fit(Z, n_components=10).sample(3).shape == (3, 4)


def test_a_group_of_one_row_borrows_the_spread_of_all():
    Z = np.random.default_rng(0).normal(size=(201, 2))
    drawn = CodeDensity.fit(Z, groups=[0] * 200 + [1]).sample(2000, groups=1, seed=0)
    np.testing.assert_allclose(drawn.mean(axis=0), Z[-1], atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0), Z.std(axis=0), rtol=0.1)


def test_heavy_duplication_and_great_scales():
    Z = np.repeat(np.random.default_rng(0).normal(size=(4, 3)) * [1e6, 1.0, 1e-6], 200, axis=0)
    drawn = CodeDensity.fit(Z).sample(500, seed=0)
    assert np.isfinite(drawn).all()
    assert (np.abs(drawn).max(axis=0) < 4 * np.abs(Z).max(axis=0)).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda Z: CodeDensity.fit(Z, [0, 1] * 50).sample(2, groups=[0, 5]),
            "5 was not among the data; there are 0, 1",
        ),
        (lambda Z: CodeDensity.fit(Z, ["a", "b"] * 50).sample(2), "fitted with groups; give one of 'a', 'b'"),
        (lambda Z: CodeDensity.fit(Z).sample(2, groups=[0, 1]), "without groups; leave it out"),
        (lambda Z: CodeDensity.fit(Z, [0, 1]), "100 rows"),
        (lambda Z: CodeDensity.fit(Z * np.nan), "NaN"),
        (lambda Z: CodeDensity.fit(Z[0]), "shape"),
        (lambda Z: CodeDensity.fit(Z, n_components=0), "n_components=0"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call(np.random.default_rng(0).normal(size=(100, 3)))


def test_the_passes_are_those_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(gaussian_mixture, "PRIOR_ROWS", 0.0)
    rng = np.random.default_rng(0)
    Z = np.concatenate([rng.normal(size=(700, 3)) @ rng.normal(size=(3, 3)) + 4 * rng.normal(size=3) for _ in range(3)])
    start = gaussian_mixture._seeded_on(Z, 4, np.eye(3), rng)
    ours = gaussian_mixture._expectation_maximisation(Z, start, 7, n_batches=1)
    precisions = np.linalg.inv(start.factors @ start.factors.transpose(0, 2, 1))
    theirs = GaussianMixture(
        4, max_iter=7, tol=0.0, reg_covar=gaussian_mixture.RIDGE,
        weights_init=start.weights, means_init=start.means, precisions_init=precisions,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(Z)
    np.testing.assert_allclose(ours.weights, theirs.weights_, rtol=1e-6)
    np.testing.assert_allclose(ours.means, theirs.means_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.factors @ ours.factors.transpose(0, 2, 1), theirs.covariances_, atol=1e-5)
    np.testing.assert_allclose(ours.log_prob(Z), theirs.score_samples(Z), rtol=1e-6)
    rounded = gaussian_mixture._expectation_maximisation(Z.astype(np.float32), start, 7, n_batches=1)
    np.testing.assert_allclose(rounded.means, ours.means, rtol=1e-3, atol=1e-3)


def test_batches_arrive_where_passes_do_and_sooner():
    Z = clusters(2000)[0] / 40
    Z = Z + 0.3 * np.random.default_rng(3).normal(size=Z.shape)
    start = gaussian_mixture._seeded_on(Z, 5, np.cov(Z.T), np.random.default_rng(1))
    fit = lambda passes, n: gaussian_mixture._expectation_maximisation(Z, start, passes, n)  # noqa: E731
    mean = lambda mixture: mixture.log_prob(Z).mean()  # noqa: E731
    assert mean(fit(4, 10)) > mean(fit(4, 1))
    np.testing.assert_allclose(mean(fit(60, 10)), mean(fit(200, 1)), rtol=1e-4)


@pytest.mark.parametrize("far", [1e3, 1e6])
def test_a_single_code_far_out_leaves_the_others_as_they_are(far):
    Z = np.random.default_rng(0).normal(size=(5000, 2))
    Z[0] = far
    drawn = CodeDensity.fit(Z, n_components=5).sample(5000, seed=0)
    np.testing.assert_allclose(np.quantile(drawn, (0.05, 0.95), axis=0), [[-1.64] * 2, [1.64] * 2], atol=0.2)


def test_a_cluster_far_out_does_not_break_single_precision():
    rng = np.random.default_rng(0)
    Z = np.concatenate([rng.normal(size=(4000, 6)), 3000 + 1e-3 * rng.normal(size=(40, 6))])
    drawn = CodeDensity.fit(Z, n_components=5).sample(4000, seed=0)
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose((drawn[:, 0] > 1500).mean(), 0.01, atol=0.005)


def test_the_density_integrates_to_one_and_is_that_of_its_samples():
    Z, _ = clusters(600)
    density = CodeDensity.fit(Z[:, :2] / 20)
    grid = np.linspace(-6, 6, 601)
    p = np.exp(density.log_prob(np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)))
    assert p.sum() * (grid[1] - grid[0]) ** 2 == pytest.approx(1.0, abs=1e-3)
    assert density.log_prob(density.sample(4000, seed=0)).mean() == pytest.approx(
        density.log_prob(density.sample(4000, seed=1)).mean(), abs=0.1
    )


def test_without_groups_the_log_density_is_that_of_all_groups_together():
    Z, which = clusters(900)
    density = CodeDensity.fit(Z, groups=which)
    of_each = np.stack([density.log_prob(Z, groups=g) for g in range(5)])
    shares = np.bincount(which)[:, None] / len(which)
    np.testing.assert_allclose(density.log_prob(Z), np.log((shares * np.exp(of_each)).sum(0)), rtol=1e-9)
    mixed = density.log_prob(Z, groups=which)
    np.testing.assert_allclose(mixed, of_each[which, np.arange(len(Z))])
    again = CodeDensity.from_arrays(density.to_arrays())
    np.testing.assert_array_equal(again.log_prob(Z), density.log_prob(Z))


def test_a_group_that_is_known_and_had_no_rows_is_sampled_from_all_groups():
    Z, which = clusters(900)
    density = CodeDensity.fit(Z, groups=np.array(list("abcde"))[which], known=["a", "z"])
    assert density.groups == [*"abcde", "z"]
    for each in (density, CodeDensity.from_arrays(density.to_arrays())):
        drawn = each.sample(3000, groups="z", seed=0)
        nearest = ((drawn[:, None] - CENTRES) ** 2).sum(axis=2).argmin(axis=1)
        np.testing.assert_allclose(np.bincount(nearest) / 3000, np.bincount(which) / 900, atol=0.04)
        np.testing.assert_allclose(each.log_prob(Z, groups="z"), each.log_prob(Z))
    with pytest.raises(ValueError, match="'y' was not among the data; there are 'a', 'b', 'c', 'd', 'e', 'z'"):
        density.sample(1, groups="y")


def test_rows_that_depend_on_one_another_are_no_evidence_for_more_gaussians():
    """Forty tight bunches of a hundred rows from one Gaussian: as independent rows they look like forty clusters."""
    rng = np.random.default_rng(0)
    bunch = np.repeat(np.arange(40), 100)
    Z = rng.normal(size=(40, 2))[bunch] + 0.02 * rng.normal(size=(4000, 2))
    assert CodeDensity.fit(Z).n_components[None] >= 20
    assert CodeDensity.fit(Z, blocks=bunch).n_components[None] <= 2
    assert CodeDensity.fit(Z, blocks=np.repeat([0, 1, 2], [1000, 1000, 2000])).n_components[None] == 1
    Z, _ = clusters(1500)
    assert CodeDensity.fit(Z, blocks=np.arange(1500) // 3).n_components[None] == 5


def test_shares_that_vanish_are_no_floating_point_error():
    with np.errstate(all="raise"):
        Z, which = clusters(600)
        density = CodeDensity.fit(100 * Z, groups=which)
        assert np.isfinite(density.log_prob(100 * Z)).all()
        assert np.isfinite(CodeDensity.fit(100 * Z).log_prob(100 * Z)).all()


def test_its_repr_says_how_large_it_is():
    Z, which = clusters(300)
    assert repr(CodeDensity.fit(Z)) == "CodeDensity(5 Gaussians over 3 dimensions)"
    assert repr(CodeDensity.fit(Z, n_components=1)) == "CodeDensity(1 Gaussian over 3 dimensions)"
    grouped = CodeDensity.fit(Z, groups=which, known=[7], n_components=1)
    assert repr(grouped) == "CodeDensity(6 groups, each 1 Gaussian over 3 dimensions)"


def test_every_combination_of_conditions_can_be_sampled():
    rng = np.random.default_rng(0)
    condition = np.array([["red", "big"], ["red", "small"], ["blue", "big"]] * 20, dtype=object)  # no small blue one
    fitted = Embedder(2, max_epochs=1, hidden=(4,), random_state=0, n_threads=1)
    fitted.fit(rng.normal(size=(60, 3)), condition=condition)
    assert len(fitted.density_.groups) == 4
    wanted = np.array([["blue", "small"]] * 3, dtype=object)
    assert fitted.sample(3, condition=wanted, random_state=0).shape == (3, 3)
    with pytest.raises(ValueError, match="'green'"):
        fitted.sample(1, condition=np.array([["green", "small"]], dtype=object))
