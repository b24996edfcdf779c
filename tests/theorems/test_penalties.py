"""Contraction and sparsity: unbiased, exact where there is a formula, and not to be evaded by shrinking the code."""

import functools

import numpy as np
import pytest
import torch
from torch import nn

from hourglass import Embedder
from hourglass.likelihoods import Gaussian
from hourglass.model import Autoencoder, Sizes
from hourglass.networks import MLPDecoder, MLPEncoder
from hourglass.variants import AE, CONTRACTIVE, Deterministic, Sampled, contraction, l1, target_activation
from hourglass.variants.contractive import hutchinson, one_layer

D, L = 6, 3


def model(hidden=(16, 16), activation=None, n_condition=0):
    torch.manual_seed(0)
    encoder = MLPEncoder((D,), hidden, "tanh")
    sizes = Sizes((D,), encoder.n_features + n_condition, L, condition=n_condition)
    bottleneck = Deterministic(sizes, activation)
    decoder = MLPDecoder(L + n_condition, (D,), hidden)
    return Autoencoder(sizes, nn.Identity(), encoder, bottleneck, decoder, Gaussian((D,))).double()


def rows(n=64):
    return torch.randn(n, D, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def exact_norm(encode, x, condition=None):
    """||d code / d x||_F^2 of every sample, from the whole Jacobian."""

    def code(row, given):
        return encode(row[None], None if given is None else given[None]).mode[0]

    in_dims = (0, None if condition is None else 0)
    return torch.func.vmap(torch.func.jacrev(code), in_dims)(x, condition).square().sum((1, 2))


@pytest.mark.parametrize("n_condition", [0, 2])
def test_hutchinson_is_unbiased(n_condition):
    m, x = model(n_condition=n_condition), rows()
    condition = torch.ones(len(x), n_condition, dtype=torch.float64) if n_condition else None
    exact = exact_norm(m.encode, x, condition).detach()
    torch.manual_seed(2)
    n = 3000
    seen = x.requires_grad_()
    with torch.enable_grad():
        draws = torch.stack([hutchinson(m.encode(seen, condition).mode, seen).detach() for _ in range(n)])
    error = (draws.mean(0) - exact) / (draws.std(0) / n**0.5)
    assert float(error.abs().max()) < 5.0
    assert float(draws.mean()) == pytest.approx(float(exact.mean()), rel=0.01)
    assert float(draws.std(0).mean()) > 0.01 * float(exact.mean())  # an estimate, not the formula in disguise


def test_the_gradient_of_the_estimate_is_unbiased_too():
    m, x = model(hidden=(8,)), rows(16)
    weight = m.encode.encoder.layers[0].weight
    (exact,) = torch.autograd.grad(exact_norm(m.encode, x).sum(), weight)
    torch.manual_seed(3)
    seen = x.requires_grad_()
    n = 1500
    draws = torch.stack([torch.autograd.grad(hutchinson(m.encode(seen).mode, seen).sum(), weight)[0] for _ in range(n)])
    error = (draws.mean(0) - exact) / (draws.std(0) / n**0.5)
    assert float(error.abs().max()) < 5.0


@pytest.mark.parametrize("activation", [None, "sigmoid", "tanh", "silu"])
@pytest.mark.parametrize("n_condition", [0, 2])
def test_the_closed_form_of_one_layer_is_exact(activation, n_condition):
    m, x = model(hidden=(), activation=activation, n_condition=n_condition), rows()
    condition = torch.randn(len(x), n_condition, dtype=torch.float64) if n_condition else None
    closed = one_layer(m.encode, x, condition)
    torch.testing.assert_close(closed, exact_norm(m.encode, x, condition))
    # and its gradient
    weight = m.encode.bottleneck.head.weight
    (ours,) = torch.autograd.grad(closed.sum(), weight)
    (exact,) = torch.autograd.grad(exact_norm(m.encode, x, condition).sum(), weight)
    torch.testing.assert_close(ours, exact)


def test_a_deep_encoder_has_no_closed_form():
    assert one_layer(model().encode, rows(), None) is None


@pytest.mark.parametrize("term", [contraction, l1, target_activation], ids=lambda t: t.name)
@pytest.mark.parametrize("hidden", [(), (16, 16)])
@pytest.mark.parametrize("c", [1e-3, 7.0])
def test_shrinking_the_code_and_growing_the_decoder_changes_nothing(term, hidden, c):
    """z -> c z with a decoder that undoes it is the same autoencoder, and has the same penalty."""
    x = rows().float()
    before, after = model(hidden).float(), model(hidden).float()
    with torch.no_grad():
        after.encode.bottleneck.head.weight *= c
        after.encode.bottleneck.head.bias *= c
        first = after.decode.decoder.layers[0] if hidden else after.decode.decoder.out
        first.weight /= c
    trips = [m.round_trip(x) for m in (before, after)]
    torch.testing.assert_close(trips[1].z, c * trips[0].z)
    torch.testing.assert_close(trips[1].output.mean, trips[0].output.mean, rtol=1e-4, atol=1e-5)
    values = []
    for m, trip in zip((before, after), trips, strict=True):
        torch.manual_seed(4)
        values.append(term(trip, m))
    torch.testing.assert_close(values[1], values[0], rtol=1e-4, atol=0)
    assert bool((values[0] > 0).all())


# ---- what the penalties do ---------------------------------------------------------------------------------------


@functools.cache
def data():
    """(train, held out): rows on a curved sheet in ten dimensions, with noise beside it."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, size=(900, 2))
    W = rng.normal(size=(5, 10))
    X = np.column_stack([t, np.sin(2 * t), t[:, :1] * t[:, 1:]]) @ W + 0.3 * rng.normal(size=(900, 10))
    return X[:700], X[700:]


def judged(recipe, figure):
    train, held_out = data()
    estimator = Embedder(
        5, recipe=recipe, hidden=(32,), max_epochs=30, batch_size=64, learning_rate=5e-3, random_state=0, n_threads=1
    ).fit(train)
    x = estimator.model_.scaling(estimator.modality_._tensor(held_out))
    trip = estimator.model_.round_trip(x)
    return figure(estimator.model_, trip), float((trip.output.mean - x).square().mean().detach())


def contraction_of(m, trip):
    """||J||_F^2 / tr Cov(z), exact, on held-out rows."""
    return float((exact_norm(m.encode, trip.x).mean() / trip.z.var(0).sum()).detach())


def l1_of(m, trip):
    """mean ||z||_1 / sqrt(tr Cov(z)) on held-out rows."""
    return float((trip.z.abs().sum(1).mean() / trip.z.var(0).sum().sqrt()).detach())


def divergence_of(m, trip):
    return float(target_activation(trip, m).mean().detach())


@pytest.mark.parametrize(
    ("term", "weights", "figure"),
    [
        (contraction, (0.0, 1.0, 10.0, 100.0), contraction_of),
        (l1, (0.0, 0.3, 1.0, 3.0), l1_of),
        (target_activation, (0.0, 1.0, 10.0), divergence_of),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_the_normalised_figure_falls_as_the_weight_grows(term, weights, figure):
    figures, errors = zip(*(judged(AE.with_term(term, weight=w), figure) for w in weights), strict=True)
    assert list(figures) == sorted(figures, reverse=True), figures
    assert figures[-1] < 0.85 * figures[0], figures
    assert errors[-1] > 0.98 * errors[0]  # which is not for nothing


def test_the_recipe_has_the_term():
    assert AE.with_term(contraction, weight=CONTRACTIVE.terms[-1].weight) == CONTRACTIVE


def test_a_missing_cell_moves_no_code():
    m, x = model(hidden=(), activation="tanh"), rows(8)
    m.encode.encoder = MLPEncoder((D,), (), "tanh", missing=True).double()
    m.encode.bottleneck = Deterministic(Sizes((D,), m.encode.encoder.n_features, L), "tanh").double()
    x[:, 1:] = torch.nan
    seen = x.clone().requires_grad_()
    estimates = torch.stack([hutchinson(m.encode(seen).mode, seen) for _ in range(2000)])
    torch.testing.assert_close(one_layer(m.encode, x, None), estimates.mean(0), rtol=0.1, atol=1e-6)


def test_the_noise_of_a_sampled_code_is_no_scale():
    """tr Cov is that of the mode: a code that drowns in its own noise does not evade the penalty."""
    torch.manual_seed(0)
    encoder = MLPEncoder((D,), (8,), "tanh")
    sizes = Sizes((D,), 8, L)
    noisy = Autoencoder(sizes, nn.Identity(), encoder, Sampled(sizes), MLPDecoder(L, (D,), (8,)), Gaussian((D,)))
    x = rows(256).float()
    quiet = contraction(noisy.round_trip(x), noisy).mean().item()
    with torch.no_grad():
        noisy.encode.bottleneck.head.bias[L:] = 6.0  # log-variances
    assert contraction(noisy.round_trip(x), noisy).mean().item() == pytest.approx(quiet, rel=0.2)
