"""Filling in: one round is the reconstruction, more rounds come closer where a code is a distribution."""

import numpy as np
import pytest

from hourglass import Embedder

rng = np.random.default_rng(0)
WHOLE = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(400, 8))
HIDDEN = rng.random(WHOLE.shape) < 0.2
HOLED = np.where(HIDDEN, np.nan, WHOLE)


def fitted(recipe):
    return Embedder(2, recipe=recipe, hidden=(32,), max_epochs=60, random_state=0, n_threads=1).fit(HOLED)


def error(filled):
    return np.sqrt(np.square((filled - WHOLE) / WHOLE.std(axis=0))[HIDDEN].mean())


@pytest.mark.parametrize("recipe", ["vae", "ae"])
def test_a_round_is_there_and_back_again(recipe):
    model = fitted(recipe)
    once = model.impute(HOLED, rounds=1)
    np.testing.assert_array_equal(once[~HIDDEN], HOLED[~HIDDEN])
    np.testing.assert_allclose(once[HIDDEN], model.reconstruct(HOLED)[HIDDEN], rtol=1e-5, atol=1e-6)
    twice = model.impute(HOLED, rounds=2)
    np.testing.assert_allclose(twice[HIDDEN], model.reconstruct(once)[HIDDEN], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.impute(HOLED), model.impute(HOLED, rounds=3 if recipe == "vae" else 1))


def test_more_rounds_bring_a_variational_code_closer():
    model = fitted("vae")
    assert error(model.impute(HOLED, rounds=3)) < error(model.impute(HOLED, rounds=1)) < 0.9


def test_no_round_is_none():
    with pytest.raises(ValueError, match=r"rounds=0 must be at least 1"):
        fitted("ae").impute(HOLED, rounds=0)
