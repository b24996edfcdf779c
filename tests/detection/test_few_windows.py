"""The threshold of scores that depend on one another: a prediction limit for as many as are independent."""

import numpy as np
import pytest
from scipy import stats

from hourglass.detection.calibration import Calibration

SCORES = np.random.default_rng(0).normal(size=120)


def test_the_threshold_is_the_prediction_limit_of_the_independent_scores():
    found = Calibration.fit(SCORES, 0.01, n_independent=6)
    spread = SCORES.std() * np.sqrt(6 / 5) * np.sqrt(1 + 1 / 6)
    assert found.threshold == pytest.approx(SCORES.mean() + stats.t.isf(0.01, 5) * spread)
    assert found.threshold > Calibration.fit(SCORES, 0.01).threshold


def test_p_values_go_with_the_threshold():
    new = np.linspace(-3, 12, 400)
    for n in (1, 2, 6, 60):
        found = Calibration.fit(SCORES, 0.02, n_independent=n)
        np.testing.assert_array_equal(found.p_values(new) <= 0.02, new > found.threshold)


def test_independent_and_constant_scores_keep_their_quantile():
    assert Calibration.fit(SCORES, 0.05, n_independent=120).threshold == np.sort(SCORES)[-6]
    assert Calibration.fit(np.ones(50), 0.05, n_independent=3).threshold == 1.0
