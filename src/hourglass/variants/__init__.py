"""The zoo: one idea, one file, each ends in its recipe. The module is the registry."""

import dataclasses
from typing import Any

from hourglass.recipe import Recipe, Term, reconstruction
from hourglass.variants.about import ABOUT
from hourglass.variants.contractive import CONTRACTIVE, contraction
from hourglass.variants.corruptions import GaussianNoise, Masking, RandomAffine, SaltAndPepper
from hourglass.variants.denoising import DENOISING
from hourglass.variants.plain import AE, Deterministic
from hourglass.variants.sparse import SPARSE, SPARSE_KL, l1, target_activation
from hourglass.variants.vae import BETA_VAE, VAE, Sampled, Standard, kl

_parts = dict(globals())
_recipes = {name.lower(): part for name, part in _parts.items() if isinstance(part, Recipe)}
RECIPES: dict[str, Recipe] = dict(sorted(_recipes.items(), key=lambda item: [*ABOUT, item[0]].index(item[0])))
TERMS: dict[str, Term] = {part.name: part for part in _parts.values() if isinstance(part, Term)}
CORRUPTIONS: dict[str, type[Any]] = {
    name: part
    for name, part in _parts.items()
    if isinstance(part, type) and dataclasses.is_dataclass(part) and part.__module__ == f"{__name__}.corruptions"
}

__all__ = [
    "ABOUT",
    "AE",
    "BETA_VAE",
    "CONTRACTIVE",
    "CORRUPTIONS",
    "DENOISING",
    "RECIPES",
    "SPARSE",
    "SPARSE_KL",
    "TERMS",
    "VAE",
    "Deterministic",
    "GaussianNoise",
    "Masking",
    "RandomAffine",
    "SaltAndPepper",
    "Sampled",
    "Standard",
    "contraction",
    "kl",
    "l1",
    "reconstruction",
    "target_activation",
]
