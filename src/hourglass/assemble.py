"""Where a recipe meets a modality: the one place that builds a model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from hourglass.likelihoods import Likelihood
from hourglass.modalities import Modality
from hourglass.model import Autoencoder, Sizes
from hourglass.networks.features import Features
from hourglass.process import usual_settings
from hourglass.recipe import Recipe


@dataclass(frozen=True)
class Architecture:
    """The sizes of encoder and decoder; None leaves them to the modality.

    `n_condition` is C, the width of the condition, 0 without one.
    """

    n_latent: int
    n_condition: int = 0
    hidden: tuple[int, ...] | None = None
    network: str | None = None
    activation: str = "silu"


def assemble(recipe: Recipe, modality: Modality, likelihood: Likelihood, architecture: Architecture) -> Autoencoder:
    """A fresh model in float32; its weights come from torch's global generator."""
    with usual_settings():
        return _assembled(recipe, modality, likelihood, architecture)


def _assembled(recipe: Recipe, modality: Modality, likelihood: Likelihood, a: Architecture) -> Autoencoder:
    network = a.network
    if network is None and recipe.network in modality.networks:
        network = recipe.network  # the recipe's wish, where such data have a network of that name
    encoder = modality.encoder(a.hidden, network, a.activation)
    n_features: int = encoder.n_features  # type: ignore[assignment]
    sizes = Sizes(
        example=modality.shape,
        features=n_features + a.n_condition,
        latent=a.n_latent,
        grid=grid_of(encoder, modality.shape),
        condition=a.n_condition,
    )
    bottleneck = recipe.bottleneck.build(sizes)
    decoder = modality.decoder(a.n_latent + a.n_condition, likelihood.parameter_shape, a.hidden, network, a.activation)
    prior = None if recipe.prior is None else recipe.prior.build(sizes)
    return Autoencoder(sizes, modality.scaling(likelihood), encoder, bottleneck, decoder, likelihood, prior)


@torch.no_grad()
def grid_of(encoder: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """G, the grid on which an encoder of examples of that shape lays its features; () for one vector per example.

    An encoder that has a `grid` is believed; others are run once.
    """
    if hasattr(encoder, "grid"):
        return tuple(encoder.grid)  # type: ignore[arg-type]
    mode = encoder.training
    weight = next(encoder.parameters(), None)
    features = encoder.eval()(torch.zeros(1, *shape, device=None if weight is None else weight.device))
    encoder.train(mode)
    return tuple((features.deep if isinstance(features, Features) else features).shape[2:])
