"""The zoo: one idea, one file, each ends in its recipe. The module is the registry."""

from hourglass.recipe import Recipe, reconstruction
from hourglass.variants.contractive import CONTRACTIVE, contraction
from hourglass.variants.denoising import DENOISING, GaussianNoise, Masking, RandomAffine, SaltAndPepper
from hourglass.variants.plain import AE, Deterministic
from hourglass.variants.sparse import SPARSE, SPARSE_KL, l1, target_activation
from hourglass.variants.vae import BETA_VAE, VAE, Sampled, kl

RECIPES: dict[str, Recipe] = {name.lower(): value for name, value in globals().items() if isinstance(value, Recipe)}

__all__ = [
    "AE",
    "BETA_VAE",
    "CONTRACTIVE",
    "DENOISING",
    "RECIPES",
    "SPARSE",
    "SPARSE_KL",
    "VAE",
    "Deterministic",
    "GaussianNoise",
    "Masking",
    "RandomAffine",
    "SaltAndPepper",
    "Sampled",
    "contraction",
    "kl",
    "l1",
    "reconstruction",
    "target_activation",
]
