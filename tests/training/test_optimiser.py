import subprocess
import sys

import pytest
import torch

from hourglass.training.optimiser import BETAS, EPSILON, STEPS_BETWEEN_SWEEPS, AdamW


@pytest.fixture
def parameters():
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in [(7, 5), (7,), (3, 2, 2), (1,)]]


def test_takes_the_steps_of_torch(parameters):
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in parameters]
    ours = AdamW(parameters, weight_decay=0.1)
    reference = torch.optim.AdamW(
        [{"params": theirs[::2], "weight_decay": 0.1}, {"params": theirs[1::2], "weight_decay": 0.0}],
        betas=BETAS,
        eps=EPSILON,
    )
    for step in range(50):
        rate = 1e-2 / (1 + step)
        for mine, other in zip(parameters, theirs, strict=True):
            mine.grad = torch.sin(mine.detach() * (step + 1))
            other.grad = torch.sin(other.detach() * (step + 1))
        ours.step(rate)
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
    assert all(p.grad is None for p in parameters)
    for mine, other in zip(parameters, theirs, strict=True):
        torch.testing.assert_close(mine, other)


def test_a_parameter_without_gradient_stays(parameters):
    before = parameters[0].detach().clone()
    optimiser = AdamW(parameters, weight_decay=0.1)
    parameters[1].grad = torch.ones(7)
    optimiser.step(0.1)
    assert torch.equal(parameters[0], before)


def test_no_denormal_number_stays_in_the_moments_of_a_dead_unit(parameters):
    optimiser = AdamW(parameters, weight_decay=0.0)
    for p in parameters:
        p.grad = torch.ones_like(p)
    optimiser.step(1e-3)
    for _ in range(8 * STEPS_BETWEEN_SWEEPS):
        for p in parameters:
            p.grad = torch.zeros_like(p)
        optimiser.step(1e-3)
        for moment in optimiser.first:
            assert not ((moment != 0) & (moment.abs() < torch.finfo(torch.float32).tiny)).any()
    assert all((moment == 0).all() for moment in optimiser.first)


def test_goes_on_where_it_was(parameters):
    twin = [torch.nn.Parameter(p.detach().clone()) for p in parameters]
    one, other = AdamW(parameters, 0.1), AdamW(twin, 0.1)
    for p in parameters:
        p.grad = p.detach().clone()
    one.step(0.1)
    for p, q in zip(parameters, twin, strict=True):
        q.data.copy_(p.data)
    other.load_state({k: v.clone() for k, v in one.state().items()})
    for p, q in zip(parameters, twin, strict=True):
        p.grad, q.grad = p.detach().clone(), q.detach().clone()
    one.step(0.1)
    other.step(0.1)
    assert all(torch.equal(p, q) for p, q in zip(parameters, twin, strict=True))


def test_the_state_of_other_parameters_is_refused(parameters):
    other = AdamW(parameters[:2], 0.1).state()
    with pytest.raises(ValueError, match="belongs to other parameters"):
        AdamW(parameters, 0.1).load_state(other)
    wider = {**AdamW(parameters, 0.1).state(), "first.0": torch.zeros(1)}  # would broadcast
    with pytest.raises(ValueError, match="belongs to other parameters"):
        AdamW(parameters, 0.1).load_state(wider)


def test_training_does_not_import_the_compiler():
    code = (
        "import sys; from hourglass import Embedder; import numpy as np; "
        "Embedder(2, max_epochs=1).fit(np.random.default_rng(0).normal(size=(40, 5))); "
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
