"""Small recipes that each use one seam of model, recipe and training; the zoo's tests run over them too.

They are examples to test with, not to train with. Shapes: B batch, L code, H features, V components or codes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import nn

from hourglass.modalities import Images
from hourglass.model import append_condition, sampled_divergence
from hourglass.networks.features import Features
from hourglass.networks.heads import ChannelLinear
from hourglass.recipe import Part, Term
from hourglass.variants import AE, VAE, Deterministic, kl
from hourglass.variants.vae import LOG_2PI

# ---- learned priors ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GaussianMixture:
    """p(z) = (1/V) sum_v N(z; mean_v, diag exp(log_variance_v))."""

    mean: torch.Tensor  # (V, L)
    log_variance: torch.Tensor  # (V, L)

    def log_prob(self, z):
        squares = (z[..., None, :] - self.mean).square() * torch.exp(-self.log_variance)
        each = -0.5 * (squares + self.log_variance + LOG_2PI).sum(-1)  # (*K, B, V)
        return each.logsumexp(-1) - math.log(len(self.mean))

    def sample(self, n):
        v = torch.randint(len(self.mean), (n,))
        return self.mean[v] + torch.exp(0.5 * self.log_variance[v]) * torch.randn(n, self.mean.shape[1])

    def divergence(self, posterior, z):
        return sampled_divergence(self, posterior, z)

    def divergence_per_dimension(self, posterior, z):
        return None


class Mixture(nn.Module):
    """A prior of Gaussians of its own."""

    def __init__(self, sizes, components=3):
        super().__init__()
        self.mean = nn.Parameter(torch.randn(components, sizes.latent))
        self.log_variance = nn.Parameter(torch.zeros(components, sizes.latent))

    def forward(self, encode, condition):
        return GaussianMixture(self.mean, self.log_variance)


class Pseudo(nn.Module):
    """A prior of the posteriors of learnt features: it sees the encoder, and starts from data.

    Source: Tomczak and Welling 2018, arXiv:1705.07120, whose pseudo-inputs lie before the encoder.
    """

    def __init__(self, sizes, components=5):
        super().__init__()
        self.features = nn.Parameter(torch.randn(components, sizes.features))

    def begin(self, encode, x, condition):
        features = append_condition(encode.encoder(x), condition)
        self.features.copy_(features[torch.arange(len(self.features)) % len(features)])

    def forward(self, encode, condition):
        posteriors = encode.bottleneck(self.features)
        return GaussianMixture(posteriors.mean, posteriors.log_variance)


MIXTURE = VAE.with_prior(Mixture, components=3)
PSEUDO = VAE.with_prior(Pseudo)

# ---- several samples of the code ---------------------------------------------------------------------------------


def importance_weighted_bound(trip, model):
    """-log (1/K) sum_k p(x | z_k) p(z_k) / q(z_k | x): (B,). Source: Burda et al. 2016, arXiv:1509.00519."""
    log_weight = trip.output.log_prob(trip.x) + trip.prior.log_prob(trip.z) - trip.posterior.log_prob(trip.z)
    log_weight = log_weight if log_weight.ndim == 2 else log_weight[None]
    return math.log(len(log_weight)) - log_weight.logsumexp(0)


bound = Term(importance_weighted_bound, name="bound")
IWAE = VAE.without("reconstruction", "kl").with_samples(4).with_term(bound)

# ---- a term with a critic ----------------------------------------------------------------------------------------


class DensityRatio(nn.Module):
    """z (B, L) -> log of how much likelier it is among the codes than among codes with their dimensions shuffled."""

    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(sizes.latent, 8), nn.SiLU(), nn.Linear(8, 1))

    def forward(self, z):
        return self.layers(z)[:, 0].float()

    def loss(self, trip):
        order = torch.rand(trip.z.shape).argsort(0)
        return F.softplus(-self(trip.z)) + F.softplus(self(trip.z.gather(0, order)))


def log_density_ratio(trip, model, critic):
    """The total correlation of the codes, estimated by the critic. Source: Kim and Mnih 2018, arXiv:1802.05983."""
    return critic(trip.z)


total_correlation = Term(log_density_ratio, name="total_correlation", critic=Part(DensityRatio), judged=False)
FACTOR = VAE.with_term(total_correlation, weight=2.0)

# ---- a codebook that follows the batches -------------------------------------------------------------------------


@dataclass(frozen=True)
class Quantised:
    """A point among the entries of a book."""

    mode: torch.Tensor  # (B, L), with the gradient of `encoded`
    encoded: torch.Tensor  # (B, L) before the nearest entry was taken
    index: torch.Tensor  # (B,)
    shallow: tuple = ()

    def sample(self, *several):
        return self.mode.expand(*several, *self.mode.shape)

    def log_prob(self, z):
        return z.new_zeros(z.shape[:-1])

    def detached(self):
        return replace(self, mode=self.mode.detach(), encoded=self.encoded.detach())


class Codebook(nn.Module):
    """features -> the nearest entry of a book that is the running mean of what chose it.

    Source: van den Oord et al. 2017, arXiv:1711.00937, appendix A.1.
    """

    def __init__(self, sizes, codes=8):
        super().__init__()
        self.head = ChannelLinear(sizes.features, sizes.latent)
        self.register_buffer("book", torch.randn(codes, sizes.latent))

    def begin(self, encode, x, condition):
        encoded = self.head(append_condition(encode.encoder(x), condition))
        self.book.copy_(encoded[torch.arange(len(self.book)) % len(encoded)])

    def forward(self, features):
        encoded = self.head(features)
        index = torch.cdist(encoded.detach(), self.book).argmin(1)
        return Quantised(encoded + (self.book[index] - encoded).detach(), encoded, index)

    @torch.no_grad()
    def adapt(self, posterior, rate):
        chosen = F.one_hot(posterior.index, len(self.book)).to(self.book.dtype)  # (B, V)
        count = chosen.sum(0)[:, None]
        mean = (chosen.T @ posterior.encoded.detach()) / count.clamp_min(1)
        self.book.copy_(torch.where(count > 0, torch.lerp(self.book, mean, rate), self.book))


@dataclass(frozen=True)
class Uniform:
    book: torch.Tensor  # (V, L)

    def log_prob(self, z):
        return z.new_full(z.shape[:-1], -math.log(len(self.book)))

    def sample(self, n):
        return self.book[torch.randint(len(self.book), (n,))]

    def divergence(self, posterior, z):
        return sampled_divergence(self, posterior, z)

    def divergence_per_dimension(self, posterior, z):
        return None


class UniformCodes(nn.Module):
    """Every entry of the bottleneck's book is as likely as any other."""

    def __init__(self, sizes):
        super().__init__()

    def forward(self, encode, condition):
        return Uniform(encode.bottleneck.book)


def distance_to_entry(trip, model):
    """||encoded - entry||^2: (B,)."""
    return (trip.posterior.encoded - trip.posterior.mode.detach()).square().sum(1)


commitment = Term(distance_to_entry, weight=0.25, name="commitment")
CODEBOOK = AE.with_bottleneck(Codebook).with_prior(UniformCodes).with_term(commitment)

# ---- an objective that steers its weight -------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """The weight that brings the mean to `nats`, found as training goes.

    Source: Shao et al. 2020, arXiv:2004.05988, here with the integral part alone.
    """

    nats: float = 2.0
    rate: float = 0.05

    def __call__(self, mean, weight, progress, state):
        state["log_factor"] = state.get("log_factor", 0.0) + self.rate * (float(mean.detach()) - self.nats)
        return weight * math.exp(max(-5.0, min(5.0, state["log_factor"]))) * mean

    def judged(self, mean, weight):
        return weight * abs(mean - self.nats)


STEERED = VAE.with_term(kl, objective=Target())

RECIPES = {
    "mixture": MIXTURE,
    "pseudo": PSEUDO,
    "iwae": IWAE,
    "factor": FACTOR,
    "codebook": CODEBOOK,
    "steered": STEERED,
}
PARTS = {
    "Mixture": Mixture,
    "Pseudo": Pseudo,
    "bound": bound,
    "total_correlation": total_correlation,
    "DensityRatio": DensityRatio,
    "Codebook": Codebook,
    "UniformCodes": UniformCodes,
    "commitment": commitment,
    "Target": Target,
}

# ---- features that go past the code ------------------------------------------------------------------------------


class ShallowEncoder(nn.Module):
    """Pictures (B, C, H, W) -> features (B, 8, H/2, W/2), handing on the picture and what lies between."""

    def __init__(self, channels):
        super().__init__()
        self.n_features = 8
        self.first = nn.Conv2d(channels, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 8, 3, stride=2, padding=1)

    def forward(self, x):
        fine = F.silu(self.first(x))
        return Features(F.silu(self.second(fine)), (x, fine))


class ShallowDecoder(nn.Module):
    """code (B, L, H/2, W/2) and shallow features -> parameters (B, C, H, W), a side of odd length doubled beyond."""

    def __init__(self, n_code, channels, blind=False):
        super().__init__()
        self.blind = blind
        self.grow = nn.ConvTranspose2d(n_code, 4, 4, stride=2, padding=1)
        self.out = nn.Conv2d(8, channels, 3, padding=1)

    def forward(self, z, x, fine):
        grown = F.silu(self.grow(z))
        past = [grown.shape[-1] - fine.shape[-1], grown.shape[-2] - fine.shape[-2]]
        fine, x = (F.pad(f, (0, past[0], 0, past[1])) for f in (fine, x))
        if self.blind:
            fine, x = torch.zeros_like(fine), torch.zeros_like(x)
        return x + self.out(torch.cat([grown, fine], 1))


@dataclass(frozen=True)
class ShallowImages(Images):
    """Pictures through a network of the U-Net kind."""

    blind: bool = field(default=False, repr=False)

    networks = ("shallow",)

    def encoder(self, hidden, network, activation):
        return ShallowEncoder(self.shape[0])

    def decoder(self, n_code, shape, hidden, network, activation):
        return ShallowDecoder(n_code, shape[0], self.blind)


SHALLOW = AE.with_bottleneck(Deterministic).on("shallow")

# ---- codes on a grid ---------------------------------------------------------------------------------------------


class GridEncoder(nn.Module):
    """Pictures (B, C, H, W) -> features (B, 8, H/2, W/2)."""

    n_features = 8

    def __init__(self, channels):
        super().__init__()
        self.shrink = nn.Conv2d(channels, 8, 3, stride=2, padding=1)

    def forward(self, x):
        return F.silu(self.shrink(x))


class GridDecoder(nn.Module):
    """code (B, L, H/2, W/2) -> parameters (B, C, H, W)."""

    def __init__(self, n_code, channels):
        super().__init__()
        self.grow = nn.ConvTranspose2d(n_code, channels, 4, stride=2, padding=1)

    def forward(self, z):
        return self.grow(z)


@dataclass(frozen=True)
class GridImages(Images):
    """Pictures whose code keeps their axes."""

    networks = ("grid",)

    def encoder(self, hidden, network, activation):
        return GridEncoder(self.shape[0])

    def decoder(self, n_code, shape, hidden, network, activation):
        return GridDecoder(n_code, shape[0])


GRID_AE, GRID_VAE = AE.on("grid"), VAE.on("grid")
