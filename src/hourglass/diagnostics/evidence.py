"""Estimates of log p(x) by importance sampling from the posterior."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hourglass.model import Autoencoder
from hourglass.training.machine import seeded


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

    One sample gives the ELBO, many come close to log p(x). A deterministic bottleneck has neither prior nor posterior
    density: the result is log p(x | code), whatever `n_samples`.

    Parameters
    ----------
    model : whose bottleneck has a `prior`, or a deterministic one.
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
    prior = getattr(model.encode.bottleneck, "prior", None)
    results = []
    with seeded(seed):
        for i in range(0, len(x), batch_size):
            part = x[i : i + batch_size]
            given = None if condition is None else condition[i : i + batch_size]
            posterior = model.encode(part, given)
            if prior is None:
                results.append(model.decode(posterior.mode, given, posterior.shallow).log_prob(part))
                continue
            total = torch.full((len(part),), -math.inf, device=x.device)
            for _ in range(n_samples):
                z = posterior.sample()
                log_weight = model.decode(z, given).log_prob(part) + prior.log_prob(z) - posterior.log_prob(z)
                total = torch.logaddexp(total, log_weight)
            results.append(total - math.log(n_samples))
    return torch.cat(results)
