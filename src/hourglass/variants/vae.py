"""The variational autoencoder: an autoencoder whose code is a distribution, plus the KL to a prior.

Source: Kingma and Welling 2013, arXiv:1312.6114; beta: Higgins et al. 2017, ICLR.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hourglass.model import Autoencoder, Encode, RoundTrip, Sizes, sampled_divergence
from hourglass.networks.heads import ChannelLinear
from hourglass.networks.linear_path import Principal, begin_head
from hourglass.recipe import Term
from hourglass.schedules import WarmUp
from hourglass.variants.plain import AE

LOG_2PI = math.log(2 * math.pi)
LOG_VARIANCE_RANGE = (-14.0, 8.0)  # beyond, exp() of a half-trained encoder overflows or the KL explodes


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
        # half the log-variance: exp(log_variance) would be the variance, an error that a widely copied tutorial makes
        return torch.exp(0.5 * self.log_variance)

    def at(self, epsilon: Tensor) -> Tensor:
        """z = mean + exp(log_variance / 2) * epsilon, epsilon (*K, B, L, *G)."""
        return self.mean + self.deviation * epsilon

    def sample(self, *several: int) -> Tensor:
        """The reparameterised sample (*several, B, L, *G): epsilon ~ N(0, I)."""
        return self.at(torch.randn_like(self.mean.expand(*several, *self.mean.shape) if several else self.mean))

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z | x) of z (*K, B, L, *G): (*K, B)."""
        standard = (z - self.mean) / self.deviation
        return -0.5 * (standard.square() + self.log_variance + LOG_2PI).flatten(1 - self.mean.ndim).sum(-1)

    def detached(self) -> DiagonalGaussian:
        """The same distribution, through which no gradient flows."""
        return replace(self, mean=self.mean.detach(), log_variance=self.log_variance.detach())


@dataclass(frozen=True)
class StandardNormal:
    """p(z) = N(0, I), of codes of that shape."""

    shape: tuple[int, ...]  # (L, *G)
    model: nn.Module | None = None  # on whose device samples are made

    def log_prob(self, z: Tensor) -> Tensor:
        """z (*K, B, L, *G) -> (*K, B) nats."""
        return -0.5 * (z.square() + LOG_2PI).flatten(-len(self.shape)).sum(-1)

    def sample(self, n: int) -> Tensor:
        device = None if self.model is None else next(self.model.parameters()).device
        return torch.randn(n, *self.shape, device=device, dtype=torch.float32)

    def divergence_per_dimension(self, posterior: Any, z: Tensor) -> Tensor | None:
        """KL(q || N(0, I)) of every latent dimension, (B, L, *G) nats: (m^2 + v - 1 - ln v) / 2.

        Source: Kingma and Welling 2013, arXiv:1312.6114, appendix B.
        """
        if not isinstance(posterior, DiagonalGaussian):
            return None
        return 0.5 * (posterior.mean.square() + posterior.log_variance.expm1() - posterior.log_variance)

    def divergence(self, posterior: Any, z: Tensor) -> Tensor:
        each = self.divergence_per_dimension(posterior, z)
        return sampled_divergence(self, posterior, z) if each is None else each.flatten(1).sum(1)


class Sampled(nn.Module):
    """features (B, H) -> a diagonal Gaussian over codes (B, L)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.head = ChannelLinear(sizes.features, 2 * sizes.latent)

    def forward(self, features: Tensor) -> DiagonalGaussian:
        mean, log_variance = self.head(features).chunk(2, dim=1)
        # hardtanh is clamp, with a cheaper gradient
        return DiagonalGaussian(mean, F.hardtanh(log_variance, *LOG_VARIANCE_RANGE))

    @torch.no_grad()
    def begin(self, encode: Encode, x: Tensor, condition: Tensor | None) -> None:
        """Starts at probabilistic PCA, where the encoder's features begin with the principal components.

        The mean is the whitened components m, decoded as sum_j w_j m_j with |w_j|^2 = l_j, the eigenvalues of the
        covariance of x. The cells that are left out have the mean variance s^2, and the posterior variance that makes
        the ELBO largest is v_j = s^2 / (l_j + s^2).

        Source: Tipping and Bishop 1999, JRSS B 61:611, equations 6 and 8 (theirs shrinks the mean by sqrt(1 - v_j)).
        """
        L = self.head.out_features // 2
        if n := begin_head(self.head, encode, L):
            principal: Principal = encode.encoder.principal  # type: ignore[assignment]
            eigenvalues, rest = principal.variances[:n], principal.rest(n)
            self.head.weight[L : L + n] = 0.0
            self.head.bias[L : L + n] = torch.log(rest / (eigenvalues + rest)).clamp_min(LOG_VARIANCE_RANGE[0] / 2)


class Standard(nn.Module):
    """The prior N(0, I), whatever the encoder and the condition."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.shape = sizes.code

    def forward(self, encode: Encode, condition: Tensor | None) -> StandardNormal:
        return StandardNormal(self.shape, encode)


def kl_to_prior(trip: RoundTrip, model: Autoencoder) -> Tensor:
    """KL(q(z | x) || p(z)), (B,) nats."""
    if trip.prior is None or not hasattr(trip.posterior, "log_prob"):
        raise ValueError(
            "the term kl needs a code that is a distribution, and a prior: take a variational recipe, vae or beta_vae, "
            "or a bottleneck and a prior of your own, as in AE.with_bottleneck(Sampled).with_prior(Standard)"
        )
    return trip.prior.divergence(trip.posterior, trip.z)


kl = Term(kl_to_prior, schedule=WarmUp(0.1), name="kl")

VAE = AE.with_bottleneck(Sampled).with_prior(Standard).with_term(kl)
BETA_VAE = VAE.with_term(kl, weight=4.0)
