"""Pictures given as rows of a table are noticed, and tables that merely have as many columns are not."""

import warnings

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hourglass import Tables
from hourglass.modalities.flattened import picture_shape

generator = np.random.default_rng(0)  # of the tables that are not pictures, when this file is imported


def smooth(shape, sigma):
    X = gaussian_filter(np.random.default_rng(1).normal(size=shape), sigma)
    return (255 * (X - X.min()) / (X.max() - X.min())).round()


def columns(X):
    return {f"x{i}": column for i, column in enumerate(X.reshape(len(X), -1).T)}


@pytest.mark.parametrize("scale", [1, 1 / 255])
def test_pictures_are_noticed(scale):
    assert picture_shape(columns(scale * smooth((60, 20, 20), (0, 2, 2)))) == (20, 20)
    assert picture_shape(columns(scale * smooth((60, 16, 16, 3), (0, 2, 2, 0)))) == (16, 16, 3)


def test_the_note_has_the_remedy():
    X = smooth((60, 20, 20), (0, 2, 2))
    with pytest.warns(UserWarning, match=r"400 columns look like .* 20 x 20.*X\.reshape\(-1, 20, 20\)"):
        Tables().infer(X.reshape(60, -1))


@pytest.mark.parametrize(
    "X",
    [
        generator.integers(0, 255, (60, 400)).astype(float),  # no neighbours alike
        smooth((60, 400), (0, 3)),  # alike along one axis: a series
        np.clip(generator.normal(0.5, 0.1, (60, 1)) + generator.normal(0, 0.01, (60, 400)), 0, 1),  # all alike
        1000 * smooth((60, 20, 20), (0, 2, 2)),  # no pixels
        smooth((60, 20, 19), (0, 2, 2)),  # no square
    ],
)
def test_other_tables_are_not(X):
    assert picture_shape(columns(X)) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Tables().infer(X.reshape(60, -1))
