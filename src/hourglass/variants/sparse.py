"""Sparse autoencoders: few units of the code say much.

A bare penalty on the code's size is evaded by shrinking the code and growing the decoder. Both penalties here are
relative to the code's own scale, so that multiplying every code by a constant changes nothing.

Source: Ng 2011, CS294A lecture notes (the KL to a target activation); the normalisation is ours.
"""

from torch import Tensor

from hourglass.model import Encode, RoundTrip
from hourglass.recipe import Term
from hourglass.variants.plain import AE


def code_scale(z: Tensor) -> Tensor:
    """tr Cov of codes (B, L) over the batch: what a penalty is measured against. A single row counts as scale 1."""
    if len(z) < 2:
        return z.new_ones(())
    return z.flatten(1).var(0, correction=0).sum().clamp_min(1e-12)


def l1_of_code(trip: RoundTrip, encode: Encode) -> Tensor:
    """||z||_1 / sqrt(tr Cov(z)): (B,)."""
    return trip.z.flatten(1).abs().sum(1) / code_scale(trip.z).sqrt()


def kl_to_target_activation(trip: RoundTrip, encode: Encode, target: float = 0.05) -> Tensor:
    """sum_j KL(target || a_j), a_j the batch mean of |z_j| / (|z_j| + s), s^2 = tr Cov(z) / L.

    A property of the batch: (B,), the same for every sample of it.
    """
    z = trip.z.flatten(1)
    size = z.abs()
    unit = (code_scale(z) / z.shape[1]).sqrt()
    a = (size / (size + unit)).mean(0).clamp(1e-6, 1 - 1e-6)  # (L,)
    divergence = target * (target / a).log() + (1 - target) * ((1 - target) / (1 - a)).log()
    return divergence.sum().expand(len(z))


l1 = Term(l1_of_code, name="l1")
target_activation = Term(kl_to_target_activation, name="target_activation")

SPARSE = AE.with_term(l1, weight=1.0)
SPARSE_KL = AE.with_term(target_activation, weight=1.0)
