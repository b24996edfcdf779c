"""The parts of an autoencoder, what they say to each other, and the record of one pass through them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from hourglass.likelihoods import Distribution, Likelihood
from hourglass.networks.features import Features

ROWS_PER_PASS = 512


@dataclass(frozen=True)
class Sizes:
    """What every part of a model is built from: bottlenecks, priors and critics are `kind(sizes, **options)`."""

    example: tuple[int, ...]  # S
    features: int  # H, the condition's width included
    latent: int  # L
    grid: tuple[int, ...] = ()  # G, where codes lie on a grid
    condition: int = 0  # C

    @property
    def code(self) -> tuple[int, ...]:
        """(L, *G), the shape of one latent code."""
        return (self.latent, *self.grid)


@dataclass(frozen=True)
class Batch:
    """Some examples, as a source gives them to training: in raw units, before `scaling`."""

    raw: Tensor  # (B, *S)
    condition: Tensor | None = None  # (B, C)
    encoder_input: Tensor | None = None  # (B, *S) another picture of the same thing, which the encoder sees instead

    def __len__(self) -> int:
        return len(self.raw)

    def to(self, device: torch.device) -> Batch:
        """The same batch on that device."""
        if self.raw.device == device:
            return self
        return Batch(*(t if t is None else t.to(device) for t in (self.raw, self.condition, self.encoder_input)))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class ModelSpace:
    """What a corruption needs to know of the space that models work in.

    `scaling` is the model's own module, so that a corruption can speak in raw units; noise may touch the cells of
    `noise_mask` (*S), and `mask_value` is what a hidden cell holds: NaN (missing) in a table, 0 in a picture.
    """

    scaling: nn.Module
    noise_mask: Tensor
    mask_value: float

    def to(self, device: torch.device) -> ModelSpace:
        """The same space with its mask on that device; `scaling` moves with the model."""
        return replace(self, noise_mask=self.noise_mask.to(device))


class Posterior(Protocol):
    """What a bottleneck answers with: the distribution q(z | x) of the codes of a batch.

    `z` is (B, L), or (B, L, *G) for codes on a grid G. Deterministic bottlenecks have `mode` and `sample` alone, which
    is the mode again. A code that is a distribution also has:

    - `log_prob(z)`: log q(z | x) of z (*K, B, L, *G), (*K, B) nats; zeros for a point among discrete codes;
    - `at(epsilon)`: the reparameterised sample for standard normal epsilon (*K, B, L, *G), where there is one;
    - `detached()`: the same posterior, through which no gradient flows.

    There is no `kl()`: a divergence has two sides, and the prior knows both (`Prior.divergence`).

    `shallow` are features that bypass the bottleneck; most encoders have none.
    """

    shallow: tuple[Tensor, ...]

    @property
    def mode(self) -> Tensor: ...

    def sample(self, *several: int) -> Tensor:
        """(*several, B, L, *G)."""


class Prior(Protocol):
    """p(z), a value that a recipe's prior answers with in every pass.

    Sums of many squares need their digits: a matrix product in here has to leave autocast (bfloat16 keeps three).
    """

    def log_prob(self, z: Tensor) -> Tensor:
        """z (*K, B, L, *G) -> (*K, B) nats."""

    def sample(self, n: int) -> Tensor:
        """(n, L, *G)."""

    def divergence(self, posterior: Any, z: Tensor) -> Tensor:
        """KL(q(z | x) || p(z)) of every example, (B,) nats: in closed form where there is one, else estimated from the
        sample z (*K, B, L, *G) of the posterior; see `sampled_divergence`."""

    def divergence_per_dimension(self, posterior: Any, z: Tensor) -> Tensor | None:
        """The same of every latent dimension, (B, L, *G) nats, with `divergence` as their sum; None where it does not
        fall apart into dimensions."""


def sampled_divergence(prior: Prior, posterior: Any, z: Tensor) -> Tensor:
    """log q(z | x) - log p(z) at samples z (*K, B, L, *G) of the posterior: (B,), unbiased for KL(q || p)."""
    return mean_over_samples(posterior.log_prob(z) - prior.log_prob(z))


def mean_over_samples(values: Tensor) -> Tensor:
    """(*K, B) -> (B,)."""
    return values if values.ndim == 1 else values.flatten(0, -2).mean(0)


@dataclass(frozen=True)
class RoundTrip:
    """One pass x -> code -> x'. Loss terms read it and never write it.

    With several samples of the code for every example, `z` and `output` have them as a leading axis K.
    """

    x: Tensor  # (B, *S) the clean example in model space
    encoder_input: Tensor  # (B, *S) what the encoder saw: x, or x corrupted
    condition: Tensor | None  # (B, C)
    posterior: Posterior
    z: Tensor  # (*K, B, L, *G) the code that was decoded
    output: Distribution  # p(x | z)
    prior: Prior | None  # p(z), where the recipe has one


def append_condition(features: Tensor, condition: Tensor | None) -> Tensor:
    """Features (B, H, *G) with the condition (B, C) appended along dimension 1, the same at every place of a grid."""
    if condition is None:
        return features
    grid = features.shape[2:]
    spread = condition.to(features.dtype).reshape(*condition.shape, *(1 for _ in grid)).expand(-1, -1, *grid)
    return torch.cat([features, spread], dim=1)


class Encode(nn.Module):
    """x (B, *S), condition (B, C) -> the posterior of its code; and the prior of codes, where there is one.

    `prior_module(encode, condition)` answers with a `Prior`: it may see the encoder and the condition. (A submodule of
    the name `prior` would be hidden by the method.)
    """

    def __init__(self, encoder: nn.Module, bottleneck: nn.Module, prior: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.prior_module = prior

    def forward(self, encoder_input: Tensor, condition: Tensor | None = None) -> Posterior:
        features = self.encoder(encoder_input)
        if not isinstance(features, Features):
            return self.bottleneck(append_condition(features, condition))
        posterior: Any = self.bottleneck(append_condition(features.deep, condition))
        return replace(posterior, shallow=features.shallow)

    def modes(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """The mode of the code of every row of many, (N, L, *G), a few hundred rows at a time."""
        conditions = [None] * len(x) if condition is None else condition.split(ROWS_PER_PASS)
        return torch.cat([self(*rows).mode for rows in zip(x.split(ROWS_PER_PASS), conditions, strict=False)])

    def prior(self, condition: Tensor | None = None) -> Prior | None:
        """p(z), for as many codes as the condition has rows where it depends on one; None for recipes without."""
        return None if self.prior_module is None else self.prior_module(self, condition)


class Decode(nn.Module):
    """code (*K, B, L, *G), condition (B, C) -> the distribution of x, whose `log_prob` is (*K, B).

    Several codes of every example, K of them, are decoded in one pass of K * B. `shallow` are the encoder's features
    (B, ...) that bypass the code. `size` is the size of x along its axes after the first, where it differs from that at
    fit: what a decoder puts out beyond it is cropped here, and nowhere else.

    Parameters
    ----------
    decoder : (B, L + C, *G), and shallow features -> parameters (B, *P).
    likelihood : what takes them to a distribution.
    code_axes : axes of one code (L, *G).
    """

    def __init__(self, decoder: nn.Module, likelihood: Likelihood, code_axes: int = 1) -> None:
        super().__init__()
        self.decoder = decoder
        self.likelihood = likelihood
        self.code_axes = code_axes

    def forward(
        self,
        z: Tensor,
        condition: Tensor | None = None,
        shallow: tuple[Tensor, ...] = (),
        size: tuple[int, ...] | None = None,
    ) -> Distribution:
        return self.likelihood(self.parameters_of(z, condition, shallow, size))

    def parameters_of(
        self,
        z: Tensor,
        condition: Tensor | None = None,
        shallow: tuple[Tensor, ...] = (),
        size: tuple[int, ...] | None = None,
    ) -> Tensor:
        """What the decoder puts out, in float32 whatever the precision of the pass: (*K, B, *P)."""
        *several, n = z.shape[: z.ndim - self.code_axes]  # *K, B

        def repeated(of_example: Tensor) -> Tensor:  # (B, ...) -> (K * B, ...), as z is laid out
            return of_example.expand(*several, *of_example.shape).flatten(0, len(several))

        if several:
            z, shallow = z.flatten(0, len(several)), tuple(map(repeated, shallow))
            condition = None if condition is None else repeated(condition)
        parameters = self.decoder(append_condition(z, condition), *shallow).float()
        parameters = cropped(parameters, self.likelihood.parameter_shape[1:] if size is None else size)
        return parameters.unflatten(0, (*several, n)) if several else parameters


def cropped(parameters: Tensor, size: tuple[int, ...]) -> Tensor:
    """Parameters (B, P, *larger) -> (B, P, *size): decoders that double their grid overshoot other sides than powers
    of two."""
    for axis, length in enumerate(size, start=2):
        if parameters.shape[axis] < length:
            raise ValueError(
                f"the decoder puts out {tuple(parameters.shape[2:])} for examples of size {tuple(size)}: it may put "
                "out more, which is cropped, but not less"
            )
        if parameters.shape[axis] > length:
            parameters = parameters.narrow(axis, 0, length)
    return parameters


class Autoencoder(nn.Module):
    """Scaling, encoder, bottleneck, decoder, likelihood, and a prior where the recipe has one; nothing of training.

    `scaling` takes raw numbers to model space, so that everything outside the model speaks in the data's own units.

    Encoder, bottleneck, prior and decoder may have two methods that nothing else has to know of:

    - `begin(encode, x, condition)` starts a part from data instead of from chance (a codebook, the plane of PCA); a
      decoder's is `begin(z, parameters)`: the codes (N, L + C, *G) of those rows with their conditions, and the
      parameters (N, *P) that a linear map may be fitted to, see `Likelihood.regression_target`;
    - `adapt(posterior, rate)`, of a bottleneck or a prior, lets buffers follow the batches in training.
    """

    def __init__(
        self,
        sizes: Sizes,
        scaling: nn.Module,
        encoder: nn.Module,
        bottleneck: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        prior: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.scaling = scaling
        self.encode = Encode(encoder, bottleneck, prior)
        self.decode = Decode(decoder, likelihood, len(sizes.code))

    def round_trip(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        encoder_input: Tensor | None = None,
        *,
        samples: int = 1,
        adapt: float = 0.0,
    ) -> RoundTrip:
        """One pass in model space with a sampled code.

        Parameters
        ----------
        x : (B, *S) clean examples, after `scaling`.
        condition : (B, C) or None.
        encoder_input : (B, *S) what the encoder is shown instead of x.
        samples : K, codes drawn for every example; 1 leaves out the axis K.
        adapt : the rate at which the likelihood's fitted variance, and parts that adapt, follow this batch; 0 leaves
            them alone.
        """
        encoder_input = x if encoder_input is None else encoder_input
        posterior = self.encode(encoder_input, condition)
        z = posterior.sample() if samples == 1 else posterior.sample(samples)
        parameters = self.decode.parameters_of(z, condition, posterior.shallow, tuple(x.shape[2:]))
        prior = self.encode.prior(condition)
        if adapt:
            self.decode.likelihood.update_scale(parameters.detach(), x, adapt)
            for part in (self.encode.bottleneck, self.encode.prior_module):
                if hasattr(type(part), "adapt"):
                    part.adapt(posterior, adapt)  # type: ignore[operator, union-attr]
        return RoundTrip(x, encoder_input, condition, posterior, z, self.decode.likelihood(parameters), prior)

    def reconstruct(self, x: Tensor, condition: Tensor | None = None) -> Distribution:
        """x (B, *S) through the mode of its code and back: p(x | mode), the one way from x to x'."""
        posterior = self.encode(x, condition)
        return self.decode(posterior.mode, condition, posterior.shallow, tuple(x.shape[2:]))

    @torch.no_grad()
    def begin(self, x: Tensor, condition: Tensor | None = None) -> None:
        """Lets every part that can start from data do so: encoder, bottleneck, prior, decoder, in this order.

        Once, before training copies the weights; x (B, *S) are training examples in model space.
        """
        *encoding, decoder = self._parts()
        for part in encoding:
            if hasattr(type(part), "begin"):
                part.begin(self.encode, x, condition)
        parameters = self.decode.likelihood.regression_target(x) if hasattr(type(decoder), "begin") else None
        if parameters is not None:
            decoder.begin(append_condition(self.encode.modes(x, condition), condition), parameters)

    @property
    def begins(self) -> bool:
        """Whether a part starts from data."""
        return any(hasattr(type(part), "begin") for part in self._parts())

    def _parts(self) -> tuple[Any, ...]:
        return self.encode.encoder, self.encode.bottleneck, self.encode.prior_module, self.decode.decoder
