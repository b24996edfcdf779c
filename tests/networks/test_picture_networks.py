"""What every network for pictures keeps, whatever the size of the picture."""

import numpy as np
import pytest
import torch
from torch import nn

from hourglass import Embedder
from hourglass.assemble import Architecture, assemble
from hourglass.modalities import Images
from hourglass.networks.conv import MAX_CELLS_FOR_LINEAR, Pyramid, linear_size
from hourglass.networks.linear_path import LinearPath
from hourglass.networks.mlp import ACTIVATIONS
from hourglass.networks.pictures import MAX_SIDE_FOR_MLP, NETWORKS, default_network
from hourglass.training.optimiser import AdamW
from hourglass.variants import AE, VAE

SHAPES = [(1, 1, 1), (1, 4, 3), (5, 9, 2), (1, 1, 50), (3, 33, 47), (2, 64, 64), (3, 257, 40)]

each_network = pytest.mark.parametrize("network", NETWORKS)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
convolutional = pytest.mark.parametrize("network", [name for name in NETWORKS if name != "mlp"])


def pictures(shape, n=40, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((n, *shape)) * rng.random((n, 1, 1, 1)) * 255).astype(np.uint8)


def assembled(network, shape, recipe=AE, n_latent=2, hidden=(8,), X=None, **options):
    X = pictures(shape) if X is None else X
    modality = Images(channels="first").infer(X)
    torch.manual_seed(0)
    sizes = Architecture(n_latent, hidden=hidden, network=network, **options)
    model = assemble(recipe, modality, modality.likelihood(None, "shared"), sizes)
    return model, model.scaling(modality.examples(X).rows())


@each_network
@each_shape
def test_features_and_parameters_have_their_shapes(network, shape):
    model, x = assembled(network, shape)
    features = model.encode.encoder(x[:3])
    assert features.shape == (3, model.encode.encoder.n_features) == (3, 8)
    parameters = model.decode.parameters_of(torch.randn(3, 2))
    assert parameters.shape == (3, *shape) and bool(parameters.isfinite().all())


@each_network
@each_shape
@pytest.mark.parametrize("begun", [False, True], ids=["random weights", "begun"])
def test_every_parameter_gets_a_gradient(network, shape, begun):
    """Layers that start silent get theirs one step later."""
    model, x = assembled(network, shape, X=pictures(shape, n=6))
    if begun:
        model.begin(x)
        optimiser = AdamW(list(model.parameters()), 0.0)
        (-model.round_trip(x).output.log_prob(x).mean()).backward()
        optimiser.step(1e-3)
    (-model.round_trip(x).output.log_prob(x).mean()).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not bool(p.grad.any())]
    assert not without


@convolutional
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_nothing_dies_where_training_begins(network, activation):
    """After a few steps from silent layers every activation still lets gradients through."""
    model, x = assembled(network, (1, 12, 12), activation=activation)
    model.begin(x)
    optimiser = AdamW(list(model.parameters()), 0.0)
    for _ in range(3):
        (-model.round_trip(x).output.log_prob(x).mean()).backward()
        silent = [name for name, p in model.named_parameters() if not bool(p.grad.any())]
        optimiser.step(1e-3)
    assert not silent


@convolutional
@pytest.mark.parametrize("shape", [(1, 33, 47), (3, 20, 16)], ids=str)
def test_channels_last_and_channels_first_agree(network, shape):
    model, x = assembled(network, shape)
    z = torch.randn(3, 2)
    features, parameters = model.encode.encoder(x[:3]), model.decode.decoder(z)
    model.to(memory_format=torch.channels_last)
    laid_out = x[:3].to(memory_format=torch.channels_last)
    torch.testing.assert_close(model.encode.encoder(laid_out), features, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.decode.decoder(z), parameters, rtol=1e-4, atol=1e-5)


@convolutional
def test_no_picture_depends_on_those_beside_it(network):
    model, x = assembled(network, (3, 33, 47))
    torch.testing.assert_close(model.encode.encoder(x)[:2], model.encode.encoder(x[:2]), rtol=1e-4, atol=1e-5)


@each_shape
def test_grids_cover_the_picture(shape):
    pyramid = Pyramid(shape, 16)
    x = pyramid.padded(torch.ones(1, *shape))
    for side, padded, fine, coarse in zip(shape[1:], x.shape[2:], pyramid.fine, pyramid.coarse, strict=True):
        assert padded == fine * pyramid.stride and side <= padded < side + pyramid.stride
        assert fine <= coarse * 2 ** (len(pyramid.channels) - 1)
    assert max(pyramid.coarse) <= 4


def test_the_linear_picture_is_the_picture_itself_up_to_the_limit():
    assert linear_size((3, 64, 64)) == (64, 64)
    assert linear_size((1, 126, 126)) == (126, 126)
    assert linear_size((3, 128, 128)) == (64, 64)
    assert linear_size((3, 257, 40)) == (129, 20)
    assert linear_size((20_000, 3, 1)) == (1, 1)  # channels are never halved
    for shape in ((3, 500, 333), (4, 1000, 7)):
        channels, height, wide = (shape[0], *linear_size(shape))
        assert channels * height * wide <= MAX_CELLS_FOR_LINEAR < 4.1 * channels * height * wide


def test_defaults_go_by_size_and_machine():
    small, large = (3, MAX_SIDE_FOR_MLP, 20), (1, 20, MAX_SIDE_FOR_MLP + 1)
    assert default_network(small) == default_network(small, on_gpu=True) == "mlp"
    assert default_network(large) == "conv"
    assert default_network(large, on_gpu=True) == "residual"


def test_only_the_residual_network_normalises():
    for name in NETWORKS:
        model, _ = assembled(name, (3, 33, 47))
        norms = [m for m in model.modules() if isinstance(m, (nn.GroupNorm, nn.modules.batchnorm._BatchNorm))]
        assert bool(norms) == (name == "residual")
        assert all(isinstance(m, nn.GroupNorm) for m in norms)


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="network='resnet' is unknown; choose 'mlp', 'conv', 'residual', or"):
        Embedder(2, network="resnet").fit(pictures((1, 8, 8)))


@pytest.mark.parametrize("scale_per", ["output", "input"])
def test_a_linear_path_starts_as_the_map_it_is_given(scale_per):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 7, generator=generator) * torch.logspace(-4, 2, 7)
    weight[1], weight[:, 2] = 0.0, 0.0
    bias, x = torch.randn(4, generator=generator), torch.randn(5, 7, generator=generator)
    path = LinearPath(7, 4, scale_per)
    path.start(weight, bias)
    torch.testing.assert_close(path(x), x @ weight.T + bias)
    sizes = path.weight.detach().square().mean(1 if scale_per == "output" else 0)
    known = weight.square().sum(1 if scale_per == "output" else 0) > 0
    torch.testing.assert_close(sizes[known], torch.ones_like(sizes[known]))
    assert not bool(sizes[~known].any())


@pytest.mark.parametrize("recipe", [AE, VAE], ids=repr)
def test_a_fit_begins_there_and_a_saved_model_is_the_same(recipe, tmp_path):
    """From fit to disk and back; 40 pixels a side take convolutions unasked."""
    X = pictures((3, 40, 36), n=60)
    embedder = Embedder(3, recipe=recipe, hidden=(16,), max_epochs=1, batch_size=32, random_state=0).fit(X)
    assert embedder.architecture_.network == "conv"
    assert len(embedder.model_.encode.encoder.principal) == 16
    loaded = Embedder.load(embedder.save(tmp_path / "model")) if hasattr(Embedder, "load") else None
    if loaded is not None:
        np.testing.assert_array_equal(loaded.transform(X), embedder.transform(X))


@pytest.mark.parametrize("length", [5, 8, 31, 96, 257])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_networks_take_series(name, length):
    encoder = NETWORKS[name].encoder((3, length), None, "silu")
    decoder = NETWORKS[name].decoder(4, (3, length), None, "silu")
    x = torch.randn(6, 3, length)
    assert encoder(x).shape == (6, encoder.n_features)
    back = decoder(torch.randn(6, 4))
    assert back.shape[:2] == (6, 3) and length <= back.shape[2] < length + 4
