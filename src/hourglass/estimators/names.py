"""Recipes by name, in words, or by value."""

from __future__ import annotations

import difflib
import math

from hourglass.recipe import Recipe
from hourglass.variants import CORRUPTIONS, RECIPES, TERMS


def named_recipe(recipe: str | Recipe) -> Recipe:
    """A recipe by value, or in words: its name, and after it what to change.

    `term=weight` sets the weight of a term or adds it; `Corruption` or `Corruption=strength` adds a corruption, or sets
    the one of that kind: "vae kl=0.1", "vae contraction=0.1", "ae RandomAffine GaussianNoise=1".

    Raises
    ------
    ValueError : an unknown name, with the nearest one; a weight that is not a number.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, str):
        raise TypeError(f"recipe={recipe!r} is a {type(recipe).__name__}; give a name or a Recipe")
    name, *changes = recipe.split() or [""]
    if name.lower() not in RECIPES:
        near = difflib.get_close_matches(name.lower(), RECIPES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        hint = "a recipe of several words goes in quotes. " if "=" in name else hint
        raise ValueError(f"recipe={recipe!r} is unknown; {hint}Known: {', '.join(RECIPES)}")
    found = RECIPES[name.lower()]
    changed = [change.partition("=")[0].lower() for change in changes]
    for twice in (part for part in changed if changed.count(part) > 1):
        raise ValueError(f"recipe={recipe!r} says {twice} twice; once is enough")
    for change in changes:
        try:
            found = _changed(found, *change.partition("=")[::2])
        except ValueError as error:
            raise ValueError(f"recipe={recipe!r}: {error}") from error
    return found


def _changed(recipe: Recipe, name: str, number: str) -> Recipe:
    known = {part.lower(): part for part in (*TERMS, *CORRUPTIONS)}
    if name.lower() not in known:
        near = difflib.get_close_matches(name.lower(), known, 1)
        hint = f"did you mean {known[near[0]]}? " if near else ""
        raise ValueError(f"{name!r} is not a term or a corruption; {hint}Known: {', '.join(known.values())}")
    name = known[name.lower()]
    try:
        value = float(number) if number else None
    except ValueError:
        value = math.nan
    if (value is None and name in TERMS) or not math.isfinite(value or 0.0) or (value or 0.0) < 0:
        raise ValueError(f"{name}={number} needs a number of at least 0, without spaces, as in {name}=0.5")
    if name in TERMS:
        own = {term.name: term for term in recipe.terms}
        return recipe.with_term(own.get(name, TERMS[name]), weight=value)
    kind = CORRUPTIONS[name]
    made = kind() if value is None else kind(value)
    if not any(isinstance(corruption, kind) for corruption in recipe.corruptions):
        return recipe.with_corruption(*recipe.corruptions, made)
    return recipe.with_corruption(*(made if isinstance(c, kind) else c for c in recipe.corruptions))
