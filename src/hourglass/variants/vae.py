"""The variational autoencoder: an autoencoder whose code is a distribution, plus the KL to a prior.

Source: Kingma and Welling 2013, arXiv:1312.6114; beta: Higgins et al. 2017, ICLR.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hourglass.model import Encode, RoundTrip
from hourglass.networks.heads import ChannelLinear
from hourglass.recipe import Term
from hourglass.schedules import WarmUp
from hourglass.variants.plain import AE

LOG_2PI = math.log(2 * math.pi)
LOG_VARIANCE_RANGE = (-14.0, 8.0)  # beyond, exp() of a half-trained encoder overflows or the KL explodes


class StandardNormal:
    """The prior N(0, I)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """z (*K, B, L, *G) -> (*K, B), for codes without a grid; a grid is flattened into L first."""
        return -0.5 * (z.square() + LOG_2PI).sum(-1)

    def sample(self, n: int, n_latent: int) -> Tensor:
        return torch.randn(n, n_latent)


@dataclass(frozen=True)
class DiagonalGaussian:
    """q(z | x) = N(mean, diag exp(log_variance))."""

    mean: Tensor  # (B, L, *G)
    log_variance: Tensor  # (B, L, *G)
    shallow: tuple[Tensor, ...] = ()

    @property
    def mode(self) -> Tensor:
        return self.mean

    @property
    def deviation(self) -> Tensor:
        # half the log-variance: exp(log_variance) would be the variance, a slip that a widely copied tutorial makes
        return torch.exp(0.5 * self.log_variance)

    def at(self, epsilon: Tensor) -> Tensor:
        """z = mean + exp(log_variance / 2) * epsilon, epsilon (B, L, *G)."""
        return self.mean + self.deviation * epsilon

    def sample(self) -> Tensor:
        """The reparameterised sample: epsilon ~ N(0, I)."""
        return self.at(torch.randn_like(self.mean))

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) of z (*K, B, L, *G): (*K, B)."""
        standard = (z - self.mean) / self.deviation
        return -0.5 * (standard.square() + self.log_variance + LOG_2PI).flatten(1 - self.mean.ndim).sum(-1)

    def kl_per_dimension(self) -> Tensor:
        """KL(q || N(0, I)) of every latent dimension: (B, L, *G) nats."""
        return 0.5 * (self.mean.square() + self.log_variance.expm1() - self.log_variance)

    def kl(self) -> Tensor:
        """KL(q || N(0, I)): (B,) nats."""
        return self.kl_per_dimension().flatten(1).sum(1)


class Sampled(nn.Module):
    """features (B, H) -> a diagonal Gaussian over codes (B, L); owns the prior N(0, I)."""

    def __init__(self, n_features: int, n_latent: int) -> None:
        super().__init__()
        self.prior = StandardNormal()
        self.head = ChannelLinear(n_features, 2 * n_latent)

    def forward(self, features: Tensor) -> DiagonalGaussian:
        mean, log_variance = self.head(features).chunk(2, dim=1)
        # hardtanh is clamp, with a cheaper gradient
        return DiagonalGaussian(mean, F.hardtanh(log_variance, *LOG_VARIANCE_RANGE))


def kl_to_prior(trip: RoundTrip, encode: Encode) -> Tensor:
    """KL(q(z | x) || p(z)), (B,) nats."""
    if not hasattr(trip.posterior, "kl"):
        raise ValueError("the term kl needs a code that is a distribution: take a variational recipe, vae or beta_vae")
    return trip.posterior.kl()


kl = Term(kl_to_prior, schedule=WarmUp(0.1), name="kl")

VAE = AE.with_bottleneck(Sampled).with_term(kl)
BETA_VAE = VAE.with_term(kl, weight=4.0)
