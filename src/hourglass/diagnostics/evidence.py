"""Estimates of log p(x) by importance sampling from the posterior."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

from hourglass.model import Autoencoder, Posterior
from hourglass.randomness import seeded
from hourglass.training.rows import pad_rows

NUMBERS_AT_ONCE = 2**18  # of noise, so that memory grows neither with the samples nor with the rows
GOLDEN = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio, odd

Words = NDArray[np.uint64]


def _mixed(words: Words) -> Words:
    """Every word scrambled, in place: each bit of it changes half of the bits that come out.

    Source: Steele, Lea, Flood 2014, OOPSLA, SplitMix64 (with Stafford's constants, variant 13).
    """
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def _keys(x: Tensor, seed: int) -> Words:
    """One number for each row of x (B, *S), (B,): of the row's own bits and of the seed, whatever rows are with it."""
    bits = np.ascontiguousarray(x.detach().cpu().numpy()).reshape(len(x), -1).view(np.uint32).astype(np.uint64)
    start = np.uint64(int(seed) % 2**64)
    places = _mixed(start + np.uint64(GOLDEN) * np.arange(1, bits.shape[1] + 1, dtype=np.uint64))
    # multilinear hashing, a strongly universal family (Carter and Wegman 1979): sum_d bits_d * factor_d mod 2^64
    return _mixed((bits * (places | np.uint64(1))).sum(1, dtype=np.uint64) ^ _mixed(np.array([start]))[0])


def _normal(keys: Words, first: int, n: int) -> NDArray[np.float32]:
    """Standard normal numbers (B, n), from number `first` on of the sequence that each key (B,) begins.

    Bits to probabilities to normal numbers by the inverse of the distribution function, one at a time: what a number
    is does not depend on the numbers with it.
    """
    counter = np.uint64(GOLDEN) * np.arange(first + 1, first + n + 1, dtype=np.uint64)
    bits = _mixed(keys[:, None] + counter) >> np.uint64(12)  # 52 of them, which a float64 holds exactly with the half
    return ndtri((bits + 0.5) * 2.0**-52).astype(np.float32)


def _samples(posterior: Posterior, x: Tensor, n_samples: int, seed: int) -> Iterator[Tensor]:
    """`n_samples` samples of q(z | x), each (B, L, *G), from noise that is each row's own."""
    if not hasattr(posterior, "at"):
        yield from (posterior.sample() for _ in range(n_samples))
        return
    keys, shape = _keys(x, seed), posterior.mode.shape[1:]
    size = max(1, math.prod(shape))
    at_once = max(1, NUMBERS_AT_ONCE // (len(x) * size))
    for done in range(0, n_samples, at_once):
        n = min(at_once, n_samples - done)
        noise = torch.from_numpy(_normal(keys, done * size, n * size)).view(len(x), n, *shape)
        for k in range(n):
            yield posterior.at(noise[:, k].to(x.device))


@torch.no_grad()
def log_evidence(
    model: Autoencoder,
    x: Tensor,
    condition: Tensor | None = None,
    *,
    n_samples: int = 1,
    seed: int = 0,
    batch_size: int = 1024,
) -> Tensor:
    """log (1/K) sum_k p(x | z_k) p(z_k) / q(z_k | x), z_k ~ q(z | x): a lower bound of log p(x) in expectation.

    One sample gives the ELBO, many come close to log p(x). A recipe without a prior, or with codes that are not a
    distribution, has no such bound: the result is log p(x | code), whatever `n_samples`.

    The noise of a row is a function of its own numbers, the seed and the number of the sample: the row's score is the
    same to the bit alone, in company and in any order, and an unbiased estimate of its own bound; the errors of
    different rows are independent, so that they fall out of a mean.

    Parameters
    ----------
    model : with a prior, or without.
    x : (N, *S) in model space.
    condition : (N, C) or None.
    n_samples : K.
    seed : of the samples of the code.
    batch_size : rows at a time; the K samples are taken one after the other, so that memory does not grow with K.

    Returns
    -------
    (N,) nats per example.

    Source: Burda et al. 2016, arXiv:1509.00519, equation 8.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples={n_samples} must be at least 1")
    results = []
    for i in range(0, len(x), batch_size):
        n = min(batch_size, len(x) - i)
        rows = pad_rows(x[i : i + n])
        given = None if condition is None else pad_rows(condition[i : i + n])
        posterior, size = model.encode(rows, given), tuple(rows.shape[2:])
        prior = model.encode.prior(given)
        if prior is None or not hasattr(posterior, "log_prob"):
            results.append(model.decode(posterior.mode, given, posterior.shallow, size).log_prob(rows)[:n])
            continue
        # in double precision: the sum over many samples, and the last bit, which else depends on a row's place
        total = torch.full((len(rows),), -math.inf, device=x.device, dtype=torch.float64)
        with seeded(None if hasattr(posterior, "at") else seed):
            for z in _samples(posterior, rows, n_samples, seed):
                log_likelihood = model.decode(z, given, posterior.shallow, size).log_prob(rows)
                total = torch.logaddexp(total, log_likelihood + prior.log_prob(z) - posterior.log_prob(z))
        results.append((total[:n] - math.log(n_samples)).to(x.dtype))
    return torch.cat(results)
