"""Recipes and modalities by name or by value."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable
from typing import Any

from hourglass.modalities import MODALITIES, Modality, modality_for
from hourglass.readers import Data
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


def named_modality(modality: str | Modality | None, data: Data) -> Modality:
    """A kind of data by value, in words, or by the look of the data.

    Words are its name and after it its options: "tables categories=code,store", "images resize=64 crop=yes".

    Raises
    ------
    ValueError : an unknown name or option, with the nearest one; a value that the option does not take.
    """
    if modality is None:
        return modality_for(data)
    if isinstance(modality, str):
        return modality_in_words(modality)
    if not hasattr(modality, "infer") or isinstance(modality, type):
        given = "a class" if isinstance(modality, type) else f"a {type(modality).__name__}"
        raise TypeError(f"modality={modality!r} is {given}; give a name such as 'images', or a value such as Images()")
    return modality


def modality_in_words(words: str) -> Modality:
    """The kind of data that words such as "tables categories=code" describe."""
    name, *options = words.split() or [""]
    if name not in MODALITIES:
        raise ValueError(f"modality={words!r}: {name!r} is unknown; {_nearest(name, MODALITIES)}")
    kind = MODALITIES[name]
    known = {field.name: field for field in dataclasses.fields(kind) if field.repr}
    values: dict[str, Any] = {}
    for option in options:
        key, equals, text = option.partition("=")
        if key not in known or not equals:
            raise ValueError(
                f"modality={words!r}: {key!r} is not an option of {name}; {_nearest(key, known)}, as in "
                f"'{name} {next(iter(known), 'option')}=value'"
            )
        if key in values:
            raise ValueError(f"modality={words!r} says {key} twice; once is enough")
        values[key] = _option(text, known[key].default)
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"modality={words!r}: {error}") from error


def _option(text: str, default: Any) -> Any:
    """One option's value from its text: several go by commas, yes and no are what they say, digits are numbers."""

    def single(part: str) -> Any:
        if part.lower() in ("yes", "true", "no", "false"):
            return part.lower() in ("yes", "true")
        if part.lower() == "none":
            return None
        try:
            return int(part)
        except ValueError:
            return part

    if isinstance(default, tuple):
        return tuple(text.split(","))  # names, even where they are digits
    parts = text.split(",")
    return tuple(map(single, parts)) if len(parts) > 1 else single(text)


def in_words(modality: Modality) -> str | None:
    """The words that `modality_in_words` makes this value from; None where they cannot say it."""
    words = [modality.name]
    for field in dataclasses.fields(modality):  # type: ignore[arg-type]
        value = getattr(modality, field.name)
        if field.repr and value != field.default:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else "yes" if value is True else str(value)
            words.append(f"{field.name}={'no' if value is False else text}")
    try:
        return " ".join(words) if repr(modality_in_words(" ".join(words))) == repr(modality) else None
    except ValueError:
        return None


def _nearest(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
