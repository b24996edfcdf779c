"""Features that go past the code: any size comes back, and a decoder that does not look at them is noticed."""

import numpy as np
import pytest
import torch
from example_recipes import SHALLOW, ShallowDecoder, ShallowEncoder, ShallowImages
from torch import nn

from hourglass import Embedder
from hourglass.likelihoods import Gaussian
from hourglass.model import Autoencoder, Batch, ModelSpace, Sizes
from hourglass.networks import ConvDecoder, ConvEncoder
from hourglass.variants import Deterministic, Sampled

PICTURES = (np.random.default_rng(0).random((40, 9, 7)) * 255).astype(np.uint8)


def model_of(bottleneck=Deterministic, blind=False):
    torch.manual_seed(0)
    sizes = Sizes((1, 9, 7), 8, 2, (5, 4))
    parts = ShallowEncoder(1), bottleneck(sizes), ShallowDecoder(2, 1, blind), Gaussian((1, 9, 7))
    return Autoencoder(sizes, nn.Identity(), *parts)


def looks_past_the_code(model):
    """Whether what is decoded changes with the shallow features alone."""
    with torch.no_grad():
        posterior = model.encode(torch.randn(3, 1, 9, 7))
        assert len(posterior.shallow) == 2
        own = model.decode(posterior.mode, None, posterior.shallow).mean
        others = model.decode(posterior.mode, None, tuple(torch.randn_like(f) for f in posterior.shallow)).mean
    return not torch.allclose(own, others)


def test_a_decoder_that_does_not_look_is_noticed():
    assert looks_past_the_code(model_of())
    assert not looks_past_the_code(model_of(blind=True))


@torch.no_grad()
@pytest.mark.parametrize("size", [(9, 7), (8, 8), (37, 53), (5, 3), (1, 1), (2, 9)], ids=str)
def test_any_size_comes_back(size):
    model = model_of()
    x = torch.randn(2, 1, *size)
    assert model.reconstruct(x).mean.shape == x.shape
    trip = model.round_trip(x)
    assert trip.output.mean.shape == x.shape
    assert trip.output.log_prob(x).shape == (2,)


@torch.no_grad()
def test_what_overshoots_is_cropped_by_decode_and_what_falls_short_is_named():
    encoder = ConvEncoder((3, 13, 6), n_features=8)
    sizes = Sizes((3, 13, 6), 8, 2)
    model = Autoencoder(
        sizes, nn.Identity(), encoder, Deterministic(sizes), ConvDecoder(2, (3, 13, 6)), Gaussian((3, 13, 6))
    )
    z = torch.randn(4, 2)
    whole = model.decode.decoder(z)
    assert whole.shape[2] > 13
    torch.testing.assert_close(model.decode(z).mean, whole[:, :, :13, :6])
    torch.testing.assert_close(model.decode(z, size=(5, 4)).mean, whole[:, :, :5, :4])
    with pytest.raises(ValueError, match=r"the decoder puts out \(16, \d+\) for examples of size \(17, 6\)"):
        model.decode(z, size=(17, 6))


@pytest.mark.parametrize("bottleneck", [Deterministic, Sampled])
def test_the_posterior_carries_what_goes_past_it(bottleneck):
    model = model_of(bottleneck)
    x = torch.randn(3, 1, 9, 7)
    shallow = model.encode(x).shallow
    assert torch.equal(shallow[0], x) and shallow[1].shape == (3, 4, 9, 7)


def test_a_fit_trains_every_part_of_it_and_reconstructs_through_it(tmp_path):
    settings = {"modality": ShallowImages(), "max_epochs": 2, "batch_size": 16, "random_state": 0, "n_threads": 1}
    fitted = Embedder(2, recipe=SHALLOW, **settings).fit(PICTURES)
    model, modality = fitted.model_, fitted.modality_
    assert model.sizes.grid == (5, 4) and model.sizes.code == (2, 5, 4)
    raw = modality.examples(PICTURES).rows()
    space = ModelSpace(model.scaling, modality.noise_mask(), modality.mask_value)
    trip = fitted.recipe_.trip(model, Batch(raw), space)
    (-trip.output.log_prob(trip.x).mean()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and bool((parameter.grad != 0).any()), name
    with torch.no_grad():
        x = model.scaling(raw)
        expected = modality.restore(model.scaling.inverse(model.reconstruct(x).reconstruction))
    np.testing.assert_allclose(fitted.reconstruct(PICTURES), expected, rtol=1e-4, atol=1e-2)


def test_another_picture_of_the_same_thing_is_what_the_encoder_sees():
    model = model_of()
    model.scaling = type("Halves", (nn.Module,), {"training_view": lambda self, raw: raw / 2})()
    raw, noisy = torch.randn(3, 1, 9, 7), torch.randn(3, 1, 9, 7)
    space = ModelSpace(model.scaling, torch.ones(1, 9, 7, dtype=torch.bool), 0.0)
    trip = SHALLOW.trip(model, Batch(raw, encoder_input=noisy), space)
    assert torch.equal(trip.x, raw / 2)
    assert torch.equal(trip.encoder_input, noisy / 2)
    assert torch.equal(trip.posterior.shallow[0], noisy / 2)
