"""Drawn numbers mapped onto the distribution of the data: by rank, row by row, with spikes, levels and decimals."""

import numpy as np
import pytest
from scipy.stats import kstest, norm, spearmanr

from hourglass.diagnostics.marginals import MAX_KNOTS, Marginals

RNG = np.random.default_rng(0)
N = 5000
SPIKED = np.where(RNG.random(N) < 0.9, 0.0, RNG.lognormal(8, 1, N).round(2))
COLUMNS = {
    "lognormal": RNG.lognormal(0, 1, N),
    "levels": RNG.choice([0.0, 0.5, 2.5], N, p=[0.7, 0.2, 0.1]),
    "ages": RNG.integers(17, 91, N).astype(float),
    "spiked": SPIKED,
    "stamps": 1.7e9 + RNG.random(N) * 1e6,
    "hundreds": 100.0 * RNG.integers(1, 5000, N),
}
DATA = np.stack(list(COLUMNS.values()), 1)
DRAWS = RNG.normal(size=(20_000, len(COLUMNS)))
FITTED = Marginals.fit(np.arange(len(COLUMNS)), DATA, DRAWS[:10_000])
MAPPED = FITTED.apply(DRAWS[10_000:], seed=0)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_distribution_is_that_of_the_data(name):
    i = list(COLUMNS).index(name)
    real, made = COLUMNS[name], MAPPED[:, i]
    grid = np.unique(real)
    below = [np.searchsorted(np.sort(values), grid, "right") / len(values) for values in (real, made)]
    assert np.abs(below[0] - below[1]).max() < 0.02
    assert real.min() <= made.min() and made.max() <= real.max()
    assert spearmanr(DRAWS[10_000:, i], made).statistic > (0.99 if name in ("lognormal", "stamps", "hundreds") else 0.3)


def test_levels_spikes_and_decimals_are_exact():
    made = dict(zip(COLUMNS, MAPPED.T, strict=True))
    assert set(made["levels"]) == {0.0, 0.5, 2.5}
    assert set(made["ages"]) <= set(COLUMNS["ages"])
    assert abs((made["spiked"] == 0).mean() - (SPIKED == 0).mean()) < 0.01
    assert not ((made["spiked"] > 0) & (made["spiked"] < SPIKED[SPIKED > 0].min())).any()
    np.testing.assert_array_equal(made["spiked"], made["spiked"].round(2))
    assert (made["hundreds"] % 100 == 0).all()


def test_decimals_of_float32_are_those_that_were_meant():
    cents = RNG.integers(1, 10_000, 600) / 100
    marginals = Marginals.fit([0], cents[:, None].astype(np.float32), DRAWS[:1000, :1])
    made = marginals.apply(DRAWS[:50, :1])
    np.testing.assert_array_equal(made, made.round(2))


def test_a_row_does_not_depend_on_the_rows_beside_it():
    some = FITTED.apply(DRAWS[10_000:10_007], seed=0)
    np.testing.assert_array_equal(some, MAPPED[:7])


def test_equal_draws_are_spread_over_their_ranks():
    """A model that draws few values: where its distribution jumps, ranks are uniform within the jump."""
    model = RNG.choice([0.0, 1.0], (8000, 1), p=[0.25, 0.75])
    data = RNG.normal(size=(5000, 1))
    made = Marginals.fit([0], data, model[:4000]).apply(model[4000:], seed=1)
    assert kstest(made.ravel(), norm.cdf).statistic < 0.04
    assert made[model[4000:] == 0].max() <= made[model[4000:] == 1].min()


def test_a_group_with_rows_enough_has_a_map_of_its_own():
    groups = np.repeat(["a", "b", "rare"], [2000, 2000, 50])
    data = np.where(groups == "a", 10.0, -10.0)[:, None] + RNG.random((len(groups), 1))
    draws = RNG.normal(size=(len(groups), 1))
    marginals = Marginals.fit([0], data, draws, groups, groups)
    made = marginals.apply(np.zeros((3, 1)), ["a", "b", "rare"])
    assert made[0, 0] == pytest.approx(10.5, abs=0.05) and made[1, 0] == pytest.approx(-9.5, abs=0.05)
    assert -10 <= made[2, 0] <= 11


def test_what_is_kept_is_bounded_and_comes_back():
    arrays = FITTED.to_arrays()
    assert arrays["data"].shape[-1] <= 2 * MAX_KNOTS
    again = Marginals.from_arrays(arrays)
    np.testing.assert_array_equal(again.apply(DRAWS[10_000:], seed=0), MAPPED)
    assert repr(again) == repr(FITTED) == "Marginals(6 columns, 1 distributions each)"
    nothing = Marginals.from_arrays(Marginals.fit([], np.empty((0, 0)), np.empty((0, 0))).to_arrays())
    assert len(nothing) == 0
    np.testing.assert_array_equal(nothing.apply(DRAWS[:2]), DRAWS[:2])
    with pytest.raises(ValueError, match="arrays lack cells"):
        Marginals.from_arrays({name: array for name, array in arrays.items() if name != "cells"})


def test_missing_numbers_do_not_count():
    holed = np.where(RNG.random(DATA.shape) < 0.3, np.nan, DATA)
    made = Marginals.fit([0], holed[:, :1], DRAWS[:10_000, :1]).apply(DRAWS[10_000:, :1])
    assert np.isfinite(made).all()
    assert np.median(made) == pytest.approx(np.median(DATA[:, 0]), rel=0.1)
