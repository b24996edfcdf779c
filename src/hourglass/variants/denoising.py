"""The denoising autoencoder: what is corrupted on the way in has to come out clean.

Source: Vincent et al. 2010, JMLR 11:3371.
"""

from hourglass.variants.corruptions import GaussianNoise
from hourglass.variants.plain import AE

DENOISING = AE.with_corruption(GaussianNoise(0.3))
