"""What an encoder may answer instead of one tensor: features for the bottleneck, and features that bypass it."""

from typing import NamedTuple

from torch import Tensor


class Features(NamedTuple):
    """Features of several depths (U-Net forms).

    `deep` (B, H, *G) goes into the bottleneck; `shallow` are handed to the decoder beside the code, as
    `decoder(z, *shallow)`: by convention what was shown to the encoder first (for residual decoders), then from fine
    to coarse.

    Source: Ronneberger et al. 2015, arXiv:1505.04597.
    """

    deep: Tensor
    shallow: tuple[Tensor, ...] = ()
