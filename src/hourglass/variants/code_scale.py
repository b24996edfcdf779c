"""The scale of a code: what penalties on codes are relative to.

A bare penalty on a code, or on its derivative, is evaded by shrinking the code and growing the decoder. Relative to
this scale, multiplying every code by a constant changes nothing. The normalisation is ours.
"""

from torch import Tensor


def code_scale(z: Tensor) -> Tensor:
    """tr Cov of codes (B, L, *G) over the batch. A single row counts as scale 1."""
    if len(z) < 2:
        return z.new_ones(())
    return z.flatten(1).var(0, correction=0).sum().clamp_min(1e-12)
