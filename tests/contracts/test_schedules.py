"""What every schedule and every objective keeps, over all the module holds."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from hourglass import schedules
from hourglass.recipe import Recipe
from hourglass.schedules import Capacity, ConstantWeight, Cyclical, WarmUp, Weighted
from hourglass.storage import recipe_from_json, recipe_to_json
from hourglass.variants import VAE, kl

VALUES = [v for v in vars(schedules).values() if isinstance(v, type) and dataclasses.is_dataclass(v)]
SCHEDULES = [v for v in VALUES if "progress" in v.__call__.__annotations__ and len(v.__call__.__annotations__) == 2]
OBJECTIVES = [v for v in VALUES if v not in SCHEDULES]
EDGES = [WarmUp(0.0), WarmUp(1.0), WarmUp(0.5), Cyclical(1, 1.0), Cyclical(7, 0.3), Cyclical(4, 0.0)]


def test_the_families_are_found():
    assert {ConstantWeight, WarmUp, Cyclical} <= set(SCHEDULES)
    assert {Weighted, Capacity} <= set(OBJECTIVES)


@pytest.mark.parametrize("schedule", [s() for s in SCHEDULES] + EDGES, ids=repr)
def test_factors_lie_between_nothing_and_all_and_end_at_all(schedule):
    progress = np.linspace(0.0, 1.0, 1001).tolist()
    factors = [schedule(p) for p in progress]
    assert all(math.isfinite(f) and 0.0 <= f <= 1.0 for f in factors)
    assert schedule(1.0) == 1.0
    assert schedule == type(schedule)(**json.loads(json.dumps(dataclasses.asdict(schedule))))


def test_warm_up_rises_linearly_and_then_stays():
    assert [WarmUp(0.2)(p) for p in (0.0, 0.05, 0.1, 0.2, 0.7)] == pytest.approx([0.0, 0.25, 0.5, 1.0, 1.0])


def test_cyclical_starts_each_cycle_from_nothing():
    schedule = Cyclical(cycles=4, rise=0.5)
    for k in range(4):
        start = k / 4
        assert [schedule(start + d) for d in (0.0, 0.0625, 0.125, 0.24)] == pytest.approx([0.0, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("objective", [*(o() for o in OBJECTIVES), Capacity(5.0, 0.0)], ids=repr)
@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
def test_objectives_are_finite_and_proportional_to_the_weight(objective, progress):
    mean = torch.tensor(3.0, requires_grad=True)
    value = objective(mean, 2.0, progress, {})
    assert value.shape == () and math.isfinite(value.item())
    torch.testing.assert_close(objective(mean, 4.0, progress, {}), 2 * value)
    assert float(objective(mean, 0.0, progress, {}).detach()) == 0.0
    (gradient,) = torch.autograd.grad(value, mean)
    assert abs(float(gradient)) == 2.0
    assert objective == type(objective)(**json.loads(json.dumps(dataclasses.asdict(objective))))


@pytest.mark.parametrize("objective", [*(o() for o in OBJECTIVES), Capacity(5.0, 0.0)], ids=repr)
def test_what_is_judged_is_what_is_minimised_at_the_end(objective):
    for mean, weight in ((0.0, 1.0), (3.0, 2.0), (40.0, 0.5)):
        minimised = objective(torch.tensor(mean), weight, 1.0, {})
        assert objective.judged(mean, weight) == pytest.approx(minimised.item())


def test_an_objective_must_say_what_is_judged():
    with pytest.raises(TypeError, match="needs a method judged"):
        VAE.with_term(kl, objective=lambda mean, weight, progress, state: weight * mean)


def test_capacity_pulls_the_mean_to_a_rising_target():
    capacity = Capacity(nats=20.0, fraction=0.5)

    def pull(mean, progress):
        mean = torch.tensor(mean, requires_grad=True)
        (gradient,) = torch.autograd.grad(capacity(mean, 3.0, progress, {}), mean)
        return float(gradient)

    for progress, target in ((0.0, 0.0), (0.25, 10.0), (0.5, 20.0), (1.0, 20.0)):
        assert float(capacity(torch.tensor(target), 3.0, progress, {})) == 0.0
        assert float(capacity(torch.tensor(target + 2), 3.0, progress, {})) == pytest.approx(6.0)
        assert pull(target + 2, progress) == 3.0 and pull(target - 2, progress) == -3.0


@pytest.mark.parametrize("schedule", [s() for s in SCHEDULES] + EDGES, ids=repr)
@pytest.mark.parametrize("objective", [o() for o in OBJECTIVES], ids=repr)
def test_recipes_keep_them(schedule, objective):
    recipe = VAE.with_term(kl, weight=0.5, schedule=schedule, objective=objective)
    again: Recipe = recipe_from_json(json.loads(json.dumps(recipe_to_json(recipe))), {})
    assert again == recipe
    assert (again.terms[-1].schedule, again.terms[-1].objective) == (schedule, objective)
