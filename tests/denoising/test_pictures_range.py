"""Float pictures: levels from 0 to 1, or from 0 to 255."""

import numpy as np
import pytest

from hourglass.denoising.pictures import Pictures


@pytest.mark.parametrize("sigma", [0, 25, 50, 200])
def test_strong_noise_makes_no_other_units(sigma):
    noisy = np.random.default_rng(0).random((64, 64)) + np.random.default_rng(1).normal(0, sigma / 255, (64, 64))
    np.testing.assert_allclose(Pictures.of([noisy])[0][0], noisy * 255, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(Pictures.of([noisy * 255])[0][0], noisy * 255, rtol=1e-5, atol=1e-3)
