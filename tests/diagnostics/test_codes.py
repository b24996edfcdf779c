"""Statistics of codes against hand-made answers."""

import numpy as np
import pytest

from hourglass.diagnostics.codes import active_units


def test_active_units():
    mean = np.random.default_rng(0).normal(size=(1000, 3)) * [1.0, 0.05, 0.2]
    assert active_units(mean).tolist() == [True, False, True]
    assert active_units(mean, threshold=0.5).sum() == 1


def test_bad_shapes_are_named():
    with pytest.raises(ValueError, match="mean has shape"):
        active_units(np.zeros(3))
