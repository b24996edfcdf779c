"""What chooses the best epoch: the judged terms, by a yardstick that does not move."""

import numpy as np
import pytest
import torch
from example_recipes import FACTOR, STEERED, Target

from hourglass import Embedder
from hourglass.recipe import Term
from hourglass.schedules import Capacity
from hourglass.variants import AE, VAE, kl

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(80, 5))


def fitted(recipe, **options):
    settings = {"hidden": (16,), "max_epochs": 6, "batch_size": 16, "random_state": 0, "n_threads": 1}
    return Embedder(2, recipe=recipe, **{**settings, **options}).fit(X)


def judged(estimator, yardstick):
    """The best epoch is that of the least objective, and the objective of every epoch is the yardstick's."""
    expected = [yardstick(entry["held_out"]) for entry in estimator.history_]
    assert [entry["objective"] for entry in estimator.history_] == pytest.approx(expected)
    assert estimator.summary_.best_epoch == 1 + int(np.argmin(expected))


def test_a_controller_is_judged_by_the_distance_to_its_target():
    judged(fitted(STEERED), lambda m: m["reconstruction"] + abs(m["kl"] - Target().nats))


def test_a_capacity_by_the_distance_to_its_last_one():
    recipe = VAE.with_term(kl, weight=3.0, objective=Capacity(1.5, fraction=1.0))
    judged(fitted(recipe), lambda m: m["reconstruction"] + 3.0 * abs(m["kl"] - 1.5))


def test_a_weight_that_warms_up_is_judged_whole():
    judged(fitted(VAE), lambda m: m["reconstruction"] + m["kl"])


def test_a_term_with_a_critic_is_shown_and_does_not_choose():
    estimator = fitted(FACTOR)
    judged(estimator, lambda m: m["reconstruction"] + m["kl"])
    assert all(np.isfinite(entry["held_out"]["total_correlation"]) for entry in estimator.history_)


class Worse:
    """A term that grows from epoch to epoch, and would have the first one kept."""

    __name__ = "worse"

    def __init__(self):
        self.held_out = 0

    def __call__(self, trip, model):
        self.held_out += not torch.is_grad_enabled()
        return trip.z.new_full((len(trip.x),), 1000.0 * self.held_out)


def test_what_is_not_judged_cannot_choose_whatever_its_value():
    options = {"learning_rate": 1e-3, "max_epochs": 4}
    plain = fitted(AE, **options).summary_.best_epoch
    assert plain > 1
    assert fitted(AE.with_term(Term(Worse(), judged=False)), **options).summary_.best_epoch == plain
    assert fitted(AE.with_term(Term(Worse())), **options).summary_.best_epoch == 1


@pytest.mark.parametrize("recipe", [AE.without("reconstruction"), VAE.without("reconstruction", "kl")], ids=repr)
def test_a_recipe_must_have_a_term_that_is_judged(recipe):
    with pytest.raises(ValueError, match="has no term that is judged"):
        fitted(recipe)
    with pytest.raises(ValueError, match="has no term that is judged"):
        fitted(recipe.with_term(Term(Worse(), judged=False)))
