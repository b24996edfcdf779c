"""Figures of drawn rows: right for rows of the same distribution, for shuffled columns, and for copies."""

import math

import numpy as np
import pytest

from hourglass.diagnostics.synthesis import MEANINGS, measure_synthesis

RNG = np.random.default_rng(0)
NAMES = ["size", "weight", "kind", "flag", "same"]
CATEGORICAL = [False, False, True, True, False]


def rows(n, seed):
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    kind = np.digitize(size + 0.3 * rng.normal(size=n), [-0.5, 0.5])
    return np.stack([size, 2 * size + 0.5 * rng.normal(size=n), kind, size > 0, np.full(n, 7.0)], 1).astype(float)


REAL, TEST = rows(600, 0), rows(300, 1)


def measured(drawn, **options):
    return measure_synthesis(REAL, drawn, TEST, CATEGORICAL, NAMES, **options)


def test_rows_of_the_same_distribution():
    found = measured(rows(600, 2))
    assert set(found.columns) == {"size", "weight", "kind", "flag"}  # what never changes is not measured
    assert found.column_error < 0.06 and found.pair_error < 0.06
    assert abs(found.detection - 0.5) < 0.06
    assert found.target == "flag" and found.from_drawn > 0.97 and abs(found.from_drawn - found.from_real) < 0.02
    assert found.distance == pytest.approx(1.0, abs=0.2)
    assert found.copies == found.copies_held_out == 0
    assert set(found.figures()) == set(MEANINGS)


def test_shuffled_columns_keep_columns_and_lose_pairs():
    shuffled = np.stack([RNG.permutation(column) for column in REAL.T], 1)
    found = measured(shuffled, target="kind")
    assert found.column_error == 0
    assert found.pairs["size", "weight"] > 0.8 and found.pairs["size", "kind"] > 0.5
    assert found.detection > 0.8
    assert found.from_drawn < 0.7 and found.from_real > 0.85
    assert found.distance > 1.5


def test_copies_are_counted_and_close():
    found = measured(REAL)
    assert found.copies == 1 and found.distance == 0 and found.copies_held_out == 0


def test_errors_of_columns_have_the_right_values():
    shifted = REAL.copy()
    shifted[:, 3] = 1.0
    shifted[:, 0] += 100
    found = measured(shifted)
    assert found.columns["size"] == 1
    assert found.columns["flag"] == pytest.approx(1 - REAL[:, 3].mean())
    assert found.columns["weight"] == 0
    assert found.detection > 0.99


def test_a_number_can_be_the_target_and_cells_may_be_missing():
    holed = np.where(RNG.random(REAL.shape) < 0.1, np.nan, REAL)
    found = measure_synthesis(holed, rows(400, 3), TEST, CATEGORICAL, NAMES, target="weight")
    assert 0.85 < found.from_drawn <= 1 and 0.7 < found.from_real <= 1
    assert found.column_error < 0.1
    numbers = measure_synthesis(REAL[:, :2], rows(400, 3)[:, :2], TEST[:, :2], [False, False], NAMES[:2])
    assert numbers.target == "" and math.isnan(numbers.from_drawn)


def test_what_is_no_target_is_named():
    with pytest.raises(ValueError, match="target='same' is not a column that changes; those are size, weight"):
        measured(REAL, target="same")
