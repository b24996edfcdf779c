"""VUS-PR equals that of the authors' package; the period of a series is found."""

import numpy as np
import pytest

from hourglass.detection.volume import period, volume_under_pr

# seed, width, VUS-PR by `RangeAUC_volume_opt` of the package TSB-AD 1.5 (thre=250)
PUBLISHED = [
    (0, 10, 0.18369918696138818),
    (0, 45, 0.2587250119135082),
    (1, 10, 0.42346385079369514),
    (1, 45, 0.4712597185505325),
    (2, 10, 0.32327657695366696),
    (2, 45, 0.42163845417652335),
    (3, 10, 0.23911160215809052),
    (3, 45, 0.2969200574151124),
]


def made(seed):
    """Labels and scores of 600 instants: of seed 2 with stretches at both ends, of seed 3 with ties."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(600, dtype=int)
    for _ in range(3):
        first = rng.integers(0, 560)
        truth[first : first + rng.integers(1, 40)] = 1
    if seed == 2:
        truth[:8] = truth[-4:] = 1
    scores = rng.normal(size=600) + truth
    return truth, np.round(scores) if seed == 3 else scores


@pytest.mark.parametrize(("seed", "width", "expected"), PUBLISHED)
def test_it_is_what_the_authors_package_gives(seed, width, expected):
    assert volume_under_pr(*made(seed), width) == pytest.approx(expected, abs=1e-12)


def test_perfect_scores_have_1_and_only_their_order_matters():
    truth, scores = made(0)
    assert volume_under_pr(truth, truth.astype(float), 0) == pytest.approx(1.0)
    assert volume_under_pr(truth, np.exp(scores), 20) == volume_under_pr(truth, scores, 20)


def test_scores_and_labels_must_fit_together():
    with pytest.raises(ValueError, match="an anomaly among them"):
        volume_under_pr(np.zeros(5), np.zeros(5), 2)
    with pytest.raises(ValueError, match=r"labels \(5,\)"):
        volume_under_pr(np.ones(5), np.zeros(6), 2)


def test_the_period_of_a_wave_is_found_and_noise_has_the_usual_one():
    instants = np.arange(2_000)
    assert abs(period(np.sin(2 * np.pi * instants / 48)) - 48) <= 1
    assert period(np.linspace(0, 1, 2_000)) == 125
