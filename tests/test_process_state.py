"""What the caller's process is set to does not matter: the same model, bit for bit, and the settings are left alone."""

import contextlib
import multiprocessing
import os
import threading

import numpy as np
import pytest
import torch

import hourglass
from hourglass import Embedder
from hourglass.process import alone
from hourglass.randomness import seeded
from hourglass.training.machine import threads

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(90, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(90, 5))
PICTURES = (RNG.random((60, 6, 5)) * 255).astype(np.uint8)
CASES = {
    "table": (TABLE, {}),
    "table, one layer": (TABLE, {"recipe": "ae", "hidden": ()}),
    "table, noise": (TABLE, {"recipe": "denoising"}),
    "pictures, turned": (PICTURES, {"recipe": "ae RandomAffine"}),
    "pictures, convolutions": (PICTURES, {"network": "conv"}),
}
each_case = pytest.mark.parametrize("case", CASES)


def unfitted(**options):
    settings = {"n_latent": None, "max_epochs": 2, "hidden": (8,), "n_threads": 1, "random_state": 0}
    return Embedder(**{**settings, **options})


def everything(case):
    """All that a fitted estimator says, and its weights."""
    X, options = CASES[case]
    fitted = unfitted(**options).fit(X)
    Z = fitted.transform(X)
    says = [
        Z,
        fitted.inverse_transform(Z),
        fitted.reconstruct(X),
        fitted.score_samples(X, n_samples=2),
        fitted.sample(4, random_state=0),
    ]
    if fitted.recipe_.prior is not None:
        says.append(fitted.sample(4, prior=True, random_state=0))
    return says + [v.numpy() for v in fitted.model_.state_dict().values()]


def assert_same(ones, others):
    for one, other in zip(ones, others, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@contextlib.contextmanager
def double_precision():
    torch.set_default_dtype(torch.float64)
    try:
        yield
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def errors_of_numpy():
    with np.errstate(all="raise"):
        yield
        assert set(np.geterr().values()) == {"raise"}


@contextlib.contextmanager
def without_gradients():
    with torch.no_grad():
        yield
        assert not torch.is_grad_enabled()


@contextlib.contextmanager
def inference():
    with torch.inference_mode():
        yield
        assert torch.is_inference_mode_enabled()


SETTINGS = [double_precision, errors_of_numpy, without_gradients, inference]


@each_case
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: s.__name__)
def test_settings_of_the_caller(settings, case):
    expected = everything(case)
    with settings():
        assert_same(everything(case), expected)


def test_a_loaded_model_is_float32_too(tmp_path):
    fitted = unfitted().fit(TABLE)
    fitted.save(tmp_path)
    with double_precision():
        np.testing.assert_array_equal(hourglass.load(tmp_path).transform(TABLE), fitted.transform(TABLE))


@pytest.mark.parametrize("case", ["table, noise", "pictures, turned"])
def test_fits_in_threads_are_what_they_are_alone(case):
    expected, found = everything(case), []
    workers = [threading.Thread(target=lambda: found.append(everything(case))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 3
    for each in found:
        assert_same(each, expected)


def test_the_number_of_threads_survives_threads_that_ask_for_others():
    torch.set_num_threads(2)
    try:
        inside, leave = threading.Event(), threading.Event()

        def hold():
            with threads(1):
                inside.set()
                leave.wait(10)

        worker = threading.Thread(target=hold)
        worker.start()
        inside.wait(10)
        waiting = threading.Timer(0.1, leave.set)
        waiting.start()
        with threads(1):  # not before the other is done
            assert leave.is_set()
        worker.join()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_seeded_is_re_entrant_and_leaves_the_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with seeded(0):
        one = torch.randn(3)
        with seeded(0):
            assert torch.equal(torch.randn(3), one)
        two = torch.randn(3)
    with seeded(0):
        assert torch.equal(torch.randn(3), one) and torch.equal(torch.randn(3), two)
    assert torch.equal(torch.get_rng_state(), before)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def code_and_fit(fitted):
    return fitted.transform(TABLE), unfitted(n_latent=2).fit(TABLE).transform(TABLE)


@needs_fork
def test_a_forked_pool_after_a_fit_with_threads():
    """OpenMP's threads are not forked: a child that wanted two would wait for ever."""
    fitted = unfitted(n_latent=2, n_threads=2, hidden=(256, 256), max_epochs=1).fit(np.repeat(TABLE, 5, 0))
    expected = fitted.transform(TABLE), unfitted(n_latent=2).fit(TABLE).transform(TABLE)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for codes, of_own_fit in pool.map_async(code_and_fit, [fitted] * 2).get(timeout=60):
            np.testing.assert_allclose(codes, expected[0], atol=1e-5)
            np.testing.assert_array_equal(of_own_fit, expected[1])


@needs_fork
def test_a_process_forked_while_another_thread_computes():
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with alone():
            inside.set()
            leave.wait(60)

    worker = threading.Thread(target=hold)
    worker.start()
    inside.wait(10)
    try:
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply_async(drawn).get(timeout=30) == drawn_alone()
    finally:
        leave.set()
        worker.join()


def drawn():
    with seeded(1):
        return float(torch.rand(()))


def drawn_alone():
    return float(torch.rand((), generator=torch.Generator().manual_seed(1)))
