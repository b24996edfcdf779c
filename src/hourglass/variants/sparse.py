"""Sparse autoencoders: few units of the code say much.

Both penalties are relative to the code's own scale (see `code_scale`).

Source: Ng 2011, CS294A lecture notes (the KL to a target activation).
"""

from torch import Tensor

from hourglass.model import Autoencoder, RoundTrip, mean_over_samples
from hourglass.recipe import Term
from hourglass.variants.code_scale import code_scale
from hourglass.variants.plain import AE


def _codes(trip: RoundTrip) -> Tensor:
    """All codes drawn, (K * B, D), a grid flattened."""
    z, of_one = trip.z, trip.posterior.mode.ndim
    return (z if z.ndim == of_one else z.flatten(0, z.ndim - of_one)).flatten(1)


def l1_of_code(trip: RoundTrip, model: Autoencoder) -> Tensor:
    """||z||_1 / sqrt(tr Cov(z)): (B,)."""
    z = _codes(trip)
    return mean_over_samples((z.abs().sum(1) / code_scale(z).sqrt()).view(-1, len(trip.x)))


def kl_to_target_activation(trip: RoundTrip, model: Autoencoder, target: float = 0.05) -> Tensor:
    """sum_j KL(target || a_j), a_j the batch mean of |z_j| / (|z_j| + s), s^2 = tr Cov(z) / L.

    A property of the batch: (B,), the same for every example of it.
    """
    z = _codes(trip)
    size = z.abs()
    unit = (code_scale(z) / z.shape[1]).sqrt()
    a = (size / (size + unit)).mean(0).clamp(1e-6, 1 - 1e-6)  # (D,)
    divergence = target * (target / a).log() + (1 - target) * ((1 - target) / (1 - a)).log()
    return divergence.sum().expand(len(trip.x))


l1 = Term(l1_of_code, name="l1")
target_activation = Term(kl_to_target_activation, name="target_activation")

SPARSE = AE.with_term(l1, weight=1.0)
SPARSE_KL = AE.with_term(target_activation, weight=1.0)
