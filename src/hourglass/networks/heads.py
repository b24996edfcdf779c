"""A linear layer that acts on dimension 1, so that one code and codes on a grid go the same way."""

from torch import Tensor

from hourglass.networks.linear import Linear


class ChannelLinear(Linear):
    """(B, H, *G) -> (B, O, *G) in float32; a 1 x 1 convolution when there is a grid."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 2:
            return super().forward(x).float()
        return super().forward(x.movedim(1, -1)).movedim(-1, 1).float()
