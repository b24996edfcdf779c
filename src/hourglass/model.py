"""The four parts of an autoencoder, and the record of one pass through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from hourglass.likelihoods import Distribution, Likelihood


class Posterior(Protocol):
    """What a bottleneck says about the codes of a batch: q(z | x).

    `z` is (B, L), or (B, L, *G) for codes on a grid G. Deterministic bottlenecks have `mode` alone: their `sample` is
    the mode again. `shallow` are features handed past the bottleneck, empty for every true one.
    """

    shallow: tuple[Tensor, ...]

    @property
    def mode(self) -> Tensor: ...

    def sample(self) -> Tensor: ...


@dataclass(frozen=True)
class RoundTrip:
    """One pass x -> code -> x'. Loss terms read it and never write it."""

    x: Tensor  # (B, *S) the clean example in model space
    encoder_input: Tensor  # (B, *S) what the encoder saw: x, or x corrupted
    condition: Tensor | None  # (B, C)
    posterior: Posterior
    z: Tensor  # (B, L) the code that was decoded
    output: Distribution  # p(x | z)


MIN_ROWS = 32


def pad_rows(rows: Tensor, least: int = MIN_ROWS) -> Tensor:
    """Rows (B, ...), where they are few repeated to `least` of them.

    The product of a few rows takes another kernel and rounds otherwise; so filled, what is said of a row does not
    depend on how many are beside it, to the last bit.
    """
    return rows if len(rows) >= least else rows[torch.arange(least, device=rows.device) % len(rows)]


def append_condition(features: Tensor, condition: Tensor | None) -> Tensor:
    """Features (B, H, *G) with the condition (B, C) appended along dimension 1, the same at every place of a grid."""
    if condition is None:
        return features
    grid = features.shape[2:]
    spread = condition.to(features.dtype).reshape(*condition.shape, *(1 for _ in grid)).expand(-1, -1, *grid)
    return torch.cat([features, spread], dim=1)


class Encode(nn.Module):
    """x (B, *S), condition (B, C) -> the posterior of its code."""

    def __init__(self, encoder: nn.Module, bottleneck: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = bottleneck

    def forward(self, seen: Tensor, condition: Tensor | None = None) -> Posterior:
        return self.bottleneck(append_condition(self.encoder(seen), condition))


class Decode(nn.Module):
    """code (B, L), condition (B, C) -> the distribution of x."""

    def __init__(self, decoder: nn.Module, likelihood: Likelihood) -> None:
        super().__init__()
        self.decoder = decoder
        self.likelihood = likelihood

    def parameters_of(self, z: Tensor, condition: Tensor | None = None, shallow: tuple[Tensor, ...] = ()) -> Tensor:
        """What the decoder puts out, in float32 whatever the precision of the pass: (B, *P)."""
        return self.decoder(append_condition(z, condition), *shallow).float()

    def forward(self, z: Tensor, condition: Tensor | None = None, shallow: tuple[Tensor, ...] = ()) -> Distribution:
        return self.likelihood(self.parameters_of(z, condition, shallow))


class Autoencoder(nn.Module):
    """Scaling, encoder, bottleneck, decoder and likelihood; nothing of training.

    `scaling` takes raw numbers to model space, so that everything outside the model speaks in the data's own units.
    """

    def __init__(
        self, scaling: nn.Module, encoder: nn.Module, bottleneck: nn.Module, decoder: nn.Module, likelihood: Likelihood
    ) -> None:
        super().__init__()
        self.scaling = scaling
        self.encode = Encode(encoder, bottleneck)
        self.decode = Decode(decoder, likelihood)

    def round_trip(
        self, x: Tensor, condition: Tensor | None = None, encoder_input: Tensor | None = None, adapt: float = 0.0
    ) -> RoundTrip:
        """One pass in model space with a sampled code.

        Parameters
        ----------
        x : (B, *S) clean examples, after `scaling`.
        condition : (B, C) or None.
        encoder_input : (B, *S) what the encoder is shown instead of x.
        adapt : the rate at which the likelihood's fitted variance follows this batch; 0 leaves it alone.
        """
        encoder_input = x if encoder_input is None else encoder_input
        posterior = self.encode(encoder_input, condition)
        z = posterior.sample()
        parameters = self.decode.parameters_of(z, condition, posterior.shallow)
        if adapt:
            self.decode.likelihood.update_scale(parameters.detach(), x, adapt)
        return RoundTrip(x, encoder_input, condition, posterior, z, self.decode.likelihood(parameters))
