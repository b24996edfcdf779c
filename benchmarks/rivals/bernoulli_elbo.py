"""The ELBO that every side of the time-to-quality comparison is scored with; needs numpy and torch only."""

from collections.abc import Callable

import torch
from torch import Tensor


@torch.no_grad()
def bernoulli_elbo(
    posterior: Callable[[Tensor], tuple[Tensor, Tensor]],
    decode: Callable[[Tensor], Tensor],
    x: Tensor,
    seed: int = 0,
    rows: int = 1000,
) -> float:
    """Mean evidence lower bound of two-valued data under a Gaussian posterior, one sample per row.

        ELBO(x) = sum_i log Bernoulli(x_i | p_i(z)) - KL(N(mean, exp(log_variance)) || N(0, I))
        z       = mean + exp(log_variance / 2) * epsilon

    Torch's global random state is left as it was. The caller sets the networks to evaluation.

    Parameters
    ----------
    posterior : callable
        x (B, D) -> mean (B, L), log_variance (B, L).
    decode : callable
        z (B, L) -> probabilities (B, D); clamped to [1e-7, 1 - 1e-7], what a sigmoid in single precision can tell.
    x : Tensor, shape (N, D)
        0 or 1.
    seed : int
        Of epsilon; the draw for a row depends on the seed, N and L, not on `rows`.
    rows : int
        How many go through the networks at once.

    Returns
    -------
    float
        Nats per row.

    Source: Kingma and Welling (2014), arXiv:1312.6114, equation 10 and appendix B.
    """
    width = posterior(x[:1])[0].shape[1]
    epsilon = torch.randn(len(x), width, generator=torch.Generator().manual_seed(seed))
    total = 0.0
    for x_rows, epsilon_rows in zip(x.split(rows), epsilon.split(rows), strict=True):
        mean, log_variance = posterior(x_rows)
        z = mean + torch.exp(log_variance / 2) * epsilon_rows
        p = decode(z).double().clamp(1e-7, 1 - 1e-7)
        log_likelihood = (x_rows * p.log() + (1 - x_rows) * (-p).log1p()).sum()
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).double().sum()
        total += float(log_likelihood - kl)
    return total / len(x)
