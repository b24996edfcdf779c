"""What is chosen for a machine goes by products and cells, not by rows."""

import math

import numpy as np
import pytest
import torch
from example_recipes import ShallowImages

from hourglass.assemble import Architecture, assemble
from hourglass.modalities import Images, Tables
from hourglass.training import machine, resolve_batch_size, resolve_epochs, resolve_precision, rows_per_pass
from hourglass.variants import AE, VAE

CPU = torch.device("cpu")


def pictures(*shape, kind=Images):
    return kind().infer((np.random.default_rng(0).random((4, *shape)) * 255).astype(np.uint8))


def model_of(modality, hidden=(512, 512), n_condition=0, recipe=VAE, **options):
    likelihood = modality.likelihood(None, "shared")
    return assemble(recipe, modality, likelihood, Architecture(40, n_condition, hidden, **options))


@pytest.fixture
def bfloat16(monkeypatch):
    monkeypatch.setattr(machine, "has_bfloat16", lambda device: True)


@pytest.mark.parametrize(
    ("shape", "hidden", "batch_size", "chosen"),
    [
        ((28, 28), (512, 512), 256, "bfloat16"),  # the benchmarks' network
        ((28, 28), (512, 512), 512, "bfloat16"),
        ((28, 28), (512, 512), 16, "float32"),
        ((8, 8), None, 32, "float32"),  # the digits of scikit-learn
        ((3, 64, 64), None, 16, "bfloat16"),  # few rows of many products, as patches are
        ((64, 64), None, 32, "bfloat16"),
    ],
)
def test_precision_goes_by_the_products_of_a_step(shape, hidden, batch_size, chosen, bfloat16):
    assert resolve_precision("auto", model_of(pictures(*shape), hidden), batch_size, CPU) == chosen


def test_a_small_table_is_float32_and_what_is_asked_for_is_kept(bfloat16):
    model = model_of(Tables().infer(np.random.default_rng(0).normal(size=(30, 10))), (64, 64))
    assert resolve_precision("auto", model, 512, CPU) == "float32"
    assert resolve_precision("bfloat16", model, 2, CPU) == "bfloat16"
    with pytest.raises(ValueError, match="precision='half' is unknown"):
        resolve_precision("half", model, 2, CPU)


def test_a_processor_without_it_is_spared():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "has_bfloat16", lambda device: False)
        assert resolve_precision("auto", model_of(pictures(28, 28)), 512, CPU) == "float32"


def test_products_are_counted_where_a_weight_is_used():
    table = Tables().infer(np.random.default_rng(0).normal(size=(30, 10)))
    linear = model_of(table, (32,), n_condition=3)
    # every weight of a fully connected network once
    matrices = sum(p.numel() for p in linear.parameters() if p.ndim > 1)
    assert matrices <= machine.products_per_example(linear) == sum(p.numel() for p in linear.parameters())
    shallow = model_of(pictures(10, 8, kind=ShallowImages), recipe=AE)
    # convolutions at every place: 1 -> 4 and 4 -> 8 of 3 x 3, the head, 40 -> 4 of 4 x 4 transposed, 8 -> 1 of 3 x 3
    full, half = 10 * 8, 5 * 4
    expected = full * 9 * 4 + half * 9 * 4 * 8 + half * 8 * 40 + half * 16 * 40 * 4 + full * 9 * 8
    assert machine.products_per_example(shallow) == expected
    assert not any(m._forward_hooks for m in shallow.modules())
    assert shallow.training


def test_batches_of_large_examples_are_smaller():
    assert [resolve_batch_size(n) for n in (10, 1_700, 60_000, 10**7)] == [32, 32, 512, 512]
    assert resolve_batch_size(60_000, 28 * 28) == 512  # today's, for the benchmarks
    assert resolve_batch_size(60_000, 64 * 64) == 512
    assert resolve_batch_size(60_000, 3 * 64 * 64) == 128
    assert resolve_batch_size(60_000, 10**9) == 8
    for cells in (1, 1_000, 5_000, 50_000, 10**6):
        size = resolve_batch_size(60_000, cells)
        assert math.log2(size) == round(math.log2(size)) and (size == 8 or size * cells <= 2**21)


def test_a_pass_without_gradients_is_bounded_by_what_the_decoder_puts_out():
    small, large = model_of(pictures(28, 28)), model_of(pictures(3, 64, 64), None)
    assert rows_per_pass(small) == 2**20 // 784
    assert rows_per_pass(small, samples=50) == 2**20 // (50 * 784)
    assert rows_per_pass(large) == 2**20 // (3 * 64 * 64)
    assert rows_per_pass(large, most=10) == 10
    assert rows_per_pass(small, samples=10**9) == 1


def test_an_epoch_of_windows_that_overlap_goes_over_each_cell_several_times():
    model = model_of(pictures(8, 8))
    assert resolve_epochs(20_000, 128, model, 20_000) == resolve_epochs(20_000, 128, model) == 300
    assert resolve_epochs(20_000, 128, model, 2_000) == 30
    assert resolve_epochs(20_000, 128, model, 200) == 10
    assert resolve_epochs(2_000, 32, model, 50) == 16  # a thousand steps


@pytest.mark.parametrize(
    ("shape", "n", "epochs"),
    [
        ((8, 8), 40, 1_000),  # a thousand steps
        ((8, 8), 1_617, 300),
        ((28, 28), 57_500, 104),  # MNIST: six million examples
        ((28, 28), 5_000_000, 10),
        ((3, 64, 64), 4_860, 70),  # a third of a million of twenty times the products
        ((3, 128, 128), 4_860, 18),
    ],
)
def test_epochs_go_by_examples_and_by_products(shape, n, epochs):
    batch_size = resolve_batch_size(n, math.prod(shape))
    assert resolve_epochs(n, batch_size, model_of(pictures(*shape), None)) == pytest.approx(epochs, rel=0.05)
