"""dSprites computed from its factors: sizes, turns, places, and the official frames."""

import numpy as np
import pytest

from hourglass import datasets
from hourglass.datasets import dsprites


def test_a_seeded_sample_without_repetition():
    first, again, other = (datasets.load("dsprites", n=300, seed=seed) for seed in (1, 1, 2))
    assert first.X.shape == (300, 1, 64, 64) and first.X.dtype == np.uint8 and set(np.unique(first.X)) == {0, 1}
    np.testing.assert_array_equal(first.X, again.X)
    assert (first.labels != other.labels).any() and len(np.unique(first.labels, axis=0)) == 300
    np.testing.assert_array_equal(first.X, dsprites.render(first.labels))
    assert (first.labels.max(0) < dsprites.LEVELS).all() and set(first.labels[:, 0]) == {0, 1, 2}


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_places_and_sizes(shape):
    left, right, down = dsprites.render([[shape, 5, 0, 0, 0], [shape, 5, 0, 31, 0], [shape, 5, 0, 0, 31]])[:, 0]
    np.testing.assert_array_equal(right, np.roll(left, 32, axis=1))
    np.testing.assert_array_equal(down, np.roll(left, 32, axis=0))
    small, large = dsprites.render([[shape, 0, 0, 15, 15], [shape, 5, 0, 15, 15]]).sum((1, 2, 3), dtype=float)
    assert large / small == pytest.approx(4, rel=0.15)


def test_turns_and_mirrors():
    heart = dsprites.render([[2, 5, 0, 0, 0], [2, 5, 39, 0, 0], [2, 5, 10, 0, 0], [2, 5, 29, 0, 0]])[:, 0, :32, :32]
    np.testing.assert_array_equal(heart[0], heart[1])  # a full turn
    np.testing.assert_array_equal(heart[0], heart[0, :, ::-1])  # a heart is its own mirror image
    np.testing.assert_array_equal(heart[2], heart[3, :, ::-1])  # and turned left, that of itself turned right


@pytest.mark.parametrize(
    ("latents", "words"),
    [
        ([[0, 6, 0, 0, 0]], r"latents\[0\]: scale=6 is outside 0..5"),
        ([[0, 0, 0, 0, 0], [-1, 0, 0, 0, 0]], r"latents\[1\]: shape=-1"),
        ([[0, 0, 0, 0]], r"integers \(N, 5\)"),
        ([[0.5, 0, 0, 0, 0]], "got float64"),
    ],
)
def test_wrong_factors(latents, words):
    with pytest.raises(ValueError, match=words):
        dsprites.render(latents)


@pytest.mark.parametrize("n", [0, 737281])
def test_wrong_number(n):
    with pytest.raises(ValueError, match=f"n={n}: dsprites has 737280"):
        datasets.load("dsprites", n=n)


def sweep(shape, travels):
    """The factors of the official frames: growing, shrinking, growing, a full turn, for hearts a tour, shrinking."""
    up, along = range(6), range(32)
    frames = [(shape, s, 0, 0, 0) for s in [*up, *up[::-1], *up]] + [(shape, 5, k, 0, 0) for k in range(40)]
    if travels:
        frames += [(shape, 5, 39, 0, k) for k in along] + [(shape, 5, 39, k, 31) for k in along]
        frames += [(shape, 5, 39, 31, k) for k in along[::-1]] + [(shape, 5, 39, k, 0) for k in along[::-1]]
    return frames + [(shape, s, 39, 0, 0) for s in up[::-1]]


def test_official_frames(real_data):
    official = np.load(real_data / "images/dsprites/dsprites_official_frames_320x64x64_bool.npy")
    latents = np.array(sweep(2, True) + sweep(1, False) + sweep(0, False))
    wrong = (dsprites.render(latents)[:, 0] != official).sum((1, 2))
    assert wrong.max() <= 4
    assert [wrong[latents[:, 0] == shape].mean() < most for shape, most in enumerate((0.2, 1, 0.3))] == [True] * 3
