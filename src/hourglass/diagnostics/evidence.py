"""Estimates of log p(x) by importance sampling from the posterior."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from hourglass.model import Autoencoder, Posterior
from hourglass.randomness import seeded
from hourglass.training.rows import pad_rows

NOISE_AT_ONCE = 16  # samples drawn together, so that memory does not grow with their number


def _own_noise(x: Tensor, shape: torch.Size, n_samples: int, seed: int) -> Iterator[Tensor]:
    """`n_samples` times epsilon (B, *shape), each row's drawn from a generator keyed by the row itself.

    A row's score then does not depend on the rows beside it, and stays an unbiased estimate of its own.
    """
    keys = (hashlib.blake2b(row.tobytes(), digest_size=16, key=b"%d" % seed) for row in x.cpu().numpy())
    generators = [np.random.Generator(np.random.Philox(key=int.from_bytes(k.digest(), "big"))) for k in keys]
    for done in range(0, n_samples, NOISE_AT_ONCE):
        size = (min(NOISE_AT_ONCE, n_samples - done), *shape)
        noise = np.stack([g.standard_normal(size, dtype=np.float32) for g in generators], axis=1)
        yield from torch.from_numpy(noise).to(x.device)


def _samples(posterior: Posterior, x: Tensor, n_samples: int, seed: int) -> Iterator[Tensor]:
    """Samples of q(z | x), each (B, L, *G)."""
    if hasattr(posterior, "at"):
        return (posterior.at(e) for e in _own_noise(x, posterior.mode.shape[1:], n_samples, seed))
    return (posterior.sample() for _ in range(n_samples))


@torch.no_grad()
def log_evidence(
    model: Autoencoder,
    x: Tensor,
    condition: Tensor | None = None,
    *,
    n_samples: int = 1,
    seed: int = 0,
    batch_size: int = 256,
) -> Tensor:
    """log (1/K) sum_k p(x | z_k) p(z_k) / q(z_k | x), z_k ~ q(z | x): a lower bound of log p(x) in expectation.

    One sample gives the ELBO, many come close to log p(x). A recipe without a prior, or with codes that are no
    distribution, has no such bound: the result is log p(x | code), whatever `n_samples`.

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
    (N,) nats per sample.

    Source: Burda et al. 2016, arXiv:1509.00519, equation 8.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples={n_samples} must be at least 1")
    results = []
    with seeded(seed):
        for i in range(0, len(x), batch_size):
            n = min(batch_size, len(x) - i)
            part = pad_rows(x[i : i + n])
            given = None if condition is None else pad_rows(condition[i : i + n])
            posterior, size = model.encode(part, given), tuple(part.shape[2:])
            prior = model.encode.prior(given)
            if prior is None or not hasattr(posterior, "log_prob"):
                results.append(model.decode(posterior.mode, given, posterior.shallow, size).log_prob(part)[:n])
                continue
            # in double precision: the sum over many samples, and the last bit, which else depends on a row's place
            total = torch.full((len(part),), -math.inf, device=x.device, dtype=torch.float64)
            for z in _samples(posterior, part, n_samples, seed):
                log_likelihood = model.decode(z, given, posterior.shallow, size).log_prob(part)
                total = torch.logaddexp(total, log_likelihood + prior.log_prob(z) - posterior.log_prob(z))
            results.append((total[:n] - math.log(n_samples)).to(x.dtype))
    return torch.cat(results)
