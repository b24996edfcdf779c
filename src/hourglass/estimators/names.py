"""Recipes and modalities by name or by value."""

from __future__ import annotations

import difflib
from typing import Any

from hourglass.modalities import MODALITIES, Modality, modality_for
from hourglass.recipe import Recipe
from hourglass.variants import RECIPES


def named_recipe(recipe: str | Recipe) -> Recipe:
    """A recipe by value, or by its name in the zoo; raises ValueError with the nearest name."""
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, str):
        raise TypeError(f"recipe={recipe!r} is a {type(recipe).__name__}; give a name or a Recipe")
    if recipe.lower() not in RECIPES:
        near = difflib.get_close_matches(recipe.lower(), RECIPES, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"recipe={recipe!r} is unknown; {hint}there are {', '.join(sorted(RECIPES))}")
    return RECIPES[recipe.lower()]


def named_modality(modality: str | Modality | None, X: Any) -> Modality:
    """A modality by value, by name, or by the look of X."""
    if modality is None:
        return modality_for(X)
    if isinstance(modality, str):
        if modality not in MODALITIES:
            raise ValueError(f"modality={modality!r} is unknown; there are {', '.join(MODALITIES)}")
        return MODALITIES[modality]()
    if not hasattr(modality, "infer"):
        raise TypeError(f"modality={modality!r} is a {type(modality).__name__}; give a name, a value such as Images()")
    return modality
