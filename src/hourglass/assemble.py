"""Where a recipe meets a modality: the one place that builds a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hourglass.likelihoods import Likelihood
from hourglass.modalities import Modality
from hourglass.model import Autoencoder
from hourglass.recipe import Recipe


@dataclass(frozen=True)
class Architecture:
    """The sizes of the ends; None leaves them to the modality.

    `n_condition` is C, the width of the condition, 0 without one.
    """

    n_latent: int
    n_condition: int = 0
    hidden: tuple[int, ...] | None = None
    network: str | None = None
    activation: str = "silu"


def assemble(recipe: Recipe, modality: Modality, likelihood: Likelihood, architecture: Architecture) -> Autoencoder:
    """A fresh model; its weights come from torch's global generator."""
    a = architecture
    hidden: Sequence[int] | None = a.hidden
    encoder = modality.encoder(hidden, a.network, a.activation)
    n_features: int = encoder.n_features  # type: ignore[assignment]
    bottleneck = recipe.bottleneck(n_features + a.n_condition, a.n_latent, **recipe.options)
    decoder = modality.decoder(a.n_latent + a.n_condition, likelihood.parameter_shape, hidden, a.network, a.activation)
    return Autoencoder(modality.scaling(likelihood), encoder, bottleneck, decoder, likelihood)
