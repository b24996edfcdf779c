"""Plain torch networks; they know nothing of autoencoders."""

from hourglass.networks.conv import ConvDecoder, ConvEncoder
from hourglass.networks.mlp import MLPDecoder, MLPEncoder

__all__ = ["ConvDecoder", "ConvEncoder", "MLPDecoder", "MLPEncoder"]
