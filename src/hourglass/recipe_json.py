"""A recipe as JSON, and back: the names of its parts and their options. No code comes from a file."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from hourglass import schedules, variants
from hourglass.recipe import Part, Recipe, Term

Parts = Mapping[str, Any]  # parts of the caller's own, by name


class UnknownPartError(ValueError):
    """A part that Hourglass does not have, or has another of, under that name."""


def named_part(part: Any, name: str, where: Any, **more: Any) -> dict[str, Any]:
    """A part by name; `own` says that it is not the one that Hourglass has under this name."""
    ours = getattr(where, name, None)
    same = ours is part or (isinstance(part, Term) and isinstance(ours, Term) and ours.measure is part.measure)
    return {"class": name, "own": not same, **more}


def _options_of(value: Any, where: Any) -> dict[str, Any]:
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        raise TypeError(
            f"{value!r} cannot be saved with the recipe: schedules, objectives and corruptions are values of "
            "dataclasses, such as WarmUp(0.1)"
        )
    return named_part(type(value), type(value).__name__, where, options=dataclasses.asdict(value))


def _part_to_json(part: Part) -> dict[str, Any]:
    return named_part(part.kind, part.kind.__name__, variants, options=dict(part.options))


def recipe_to_json(recipe: Recipe) -> dict[str, Any]:
    """A recipe as JSON has it: the names of its parts and their options."""
    return {
        "bottleneck": _part_to_json(recipe.bottleneck),
        "prior": _part_to_json(recipe.prior) if recipe.prior else None,
        "terms": [
            named_part(
                term,
                term.name,
                variants,
                weight=term.weight,
                schedule=_options_of(term.schedule, schedules),
                objective=_options_of(term.objective, schedules),
                options=dict(term.options),
                critic=_part_to_json(term.critic) if term.critic else None,
                judged=term.judged,
            )
            for term in recipe.terms
        ],
        "corruptions": [_options_of(corruption, variants) for corruption in recipe.corruptions],
        "samples": recipe.samples,
        "network": recipe.network,
    }


def part_of(named: Mapping[str, Any], where: Any, custom: Parts) -> Any:
    """The part of that name: one of `custom`, or a class or term of Hourglass, and nothing else that has a name."""
    name = named["class"]
    if name in custom:
        return custom[name]
    ours = vars(where).get(name)
    if isinstance(ours, (type, Term)) and not named["own"]:
        return ours
    if named["own"] and ours is not None:
        raise UnknownPartError(
            f"the model uses a {name!r} of your own, not the one of Hourglass: pass it at load: "
            f"load(folder, custom={{{name!r}: ...}})"
        )
    near = difflib.get_close_matches(name, [*dir(where), *custom], 1)
    raise UnknownPartError(
        f"the model uses {name!r}, which is not part of Hourglass"
        + (f" (nearest: {near[0]!r})" if near else "")
        + f"; if it is your own, pass it at load: load(folder, custom={{{name!r}: ...}})"
    )


def recipe_from_json(values: dict[str, Any], custom: Parts) -> Recipe:
    """The recipe of that JSON; names resolve in `custom` first, then in Hourglass."""

    def build(part: dict[str, Any], where: Any) -> Any:
        return part_of(part, where, custom)(**part["options"])

    def part(saved: dict[str, Any]) -> Part:
        return Part(part_of(saved, variants, custom), saved["options"])

    terms = []
    for saved in values["terms"]:
        term: Term = part_of(saved, variants, custom)
        terms.append(
            dataclasses.replace(
                term,
                weight=saved["weight"],
                schedule=build(saved["schedule"], schedules),
                objective=build(saved["objective"], schedules),
                options=saved["options"],
                critic=part(saved["critic"]) if saved["critic"] else None,
                judged=saved["judged"],
            )
        )
    return Recipe(
        bottleneck=part(values["bottleneck"]),
        prior=part(values["prior"]) if values["prior"] else None,
        terms=tuple(terms),
        corruptions=tuple(build(corruption, variants) for corruption in values["corruptions"]),
        samples=values["samples"],
        network=values["network"],
    )
