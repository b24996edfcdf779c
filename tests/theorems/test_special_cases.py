"""A special case is the general case with a number put in."""

import numpy as np
import pytest
import torch

from hourglass import Embedder
from hourglass.assemble import Architecture, assemble
from hourglass.modalities import Images, Tables
from hourglass.schedules import ConstantWeight
from hourglass.variants import (
    AE,
    BETA_VAE,
    CONTRACTIVE,
    DENOISING,
    SPARSE,
    VAE,
    GaussianNoise,
    Masking,
    SaltAndPepper,
    Sampled,
    Standard,
    contraction,
    kl,
    l1,
)

X = np.random.default_rng(0).normal(size=(80, 2)) @ np.random.default_rng(1).normal(size=(2, 5))
X += 0.1 * np.random.default_rng(2).normal(size=X.shape)


def weights(recipe, **options):
    settings = {"hidden": (8,), "max_epochs": 3, "batch_size": 16, "random_state": 0, "n_threads": 1}
    return Embedder(2, recipe=recipe, **{**settings, **options}).fit(X).model_.state_dict()


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize(
    ("general", "special"),
    [
        (BETA_VAE.with_term(kl, weight=1.0), VAE),
        (AE.with_bottleneck(Sampled).with_prior(Standard).with_term(kl), VAE),
        (SPARSE.with_term(l1, weight=0.0), AE),
        (DENOISING.with_corruption(), AE),
        (AE.with_corruption(Masking(0.0)), AE),
        (AE.with_corruption(SaltAndPepper(0.0)), AE),
        (AE.with_corruption(GaussianNoise(0.0)), AE),
        (VAE.with_term(kl, schedule=kl.schedule), VAE),
    ],
    ids=[
        "beta 1 is the VAE",
        "AE + sampling + KL is the VAE",
        "no sparsity",
        "no corruption",
        "nothing masked",
        "no salt",
        "no noise",
        "its own schedule",
    ],
)
def test_the_same_weights_bit_for_bit(general, special):
    assert same(weights(general), weights(special))


@pytest.mark.parametrize(
    "recipe",
    [
        BETA_VAE,
        SPARSE,
        DENOISING,
        CONTRACTIVE,
        VAE.with_term(kl, schedule=ConstantWeight()),
        AE.with_corruption(Masking(0.5)),
        AE.with_corruption(SaltAndPepper(0.5)),
    ],
    ids=repr,
)
def test_and_other_weights_otherwise(recipe):
    special = VAE if recipe.bottleneck == VAE.bottleneck else AE
    assert not same(weights(recipe), weights(special))


def test_no_contraction_is_the_plain_autoencoder():
    """With one layer, where the penalty draws no random signs: the later draws are the same then."""
    linear = {"hidden": ()}
    assert same(weights(CONTRACTIVE.with_term(contraction, weight=0.0), **linear), weights(AE, **linear))


@pytest.mark.parametrize("modality", [Tables(), Images()], ids=lambda m: m.name)
@pytest.mark.parametrize("network", [None, "conv"])
@pytest.mark.parametrize("recipe", [AE, VAE, CONTRACTIVE], ids=repr)
def test_a_condition_with_zero_weights_is_no_condition(modality, network, recipe):
    if network == "conv" and modality.name == "tables":
        pytest.skip("tables have no convolutions")
    data = X if modality.name == "tables" else np.abs(X.reshape(-1, 5, 5))
    modality = modality.infer(data)
    n_condition = 3

    def model(n):
        torch.manual_seed(0)
        sizes = Architecture(2, n, (7,), network)
        return assemble(recipe, modality, modality.likelihood(None, "shared"), sizes)

    without, told = model(0), model(n_condition)
    with torch.no_grad():
        for (name, plain), wide in zip(without.named_parameters(), told.parameters(), strict=True):
            if plain.shape == wide.shape:
                wide.copy_(plain)
            else:  # the first layer after the features or the code: its columns for the condition are nothing
                assert wide.shape[1] - plain.shape[1] == n_condition, name
                wide.zero_()
                wide[:, : plain.shape[1]] = plain
    x = modality.scaling()(modality._tensor(data))
    condition = torch.randn(len(x), n_condition)
    results = []
    for m, given in ((without, None), (told, condition)):
        torch.manual_seed(1)
        trip = m.round_trip(x, given)
        results.append((trip, recipe.measure(trip, m)))
    torch.testing.assert_close(results[1][0].z, results[0][0].z)
    torch.testing.assert_close(results[1][0].output.mean, results[0][0].output.mean)
    for name, values in results[0][1].items():
        torch.testing.assert_close(results[1][1][name], values)
    # and a condition with weights is one
    with torch.no_grad():
        for parameter in told.parameters():
            parameter.add_(0.1)
    assert not torch.allclose(told.round_trip(x, condition).z, told.round_trip(x, -condition).z)


def test_sampling_at_the_mode_without_noise_is_the_reconstruction():
    estimator = Embedder(2, hidden=(8,), max_epochs=3, random_state=0, n_threads=1).fit(X)
    np.testing.assert_array_equal(estimator.inverse_transform(estimator.transform(X)), estimator.reconstruct(X))
