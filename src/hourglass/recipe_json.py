"""A recipe as JSON, and back: the names of its parts and their options. No code comes from a file.

Each place of a recipe takes names from a table of its own, so that a corruption cannot stand where a schedule belongs.
"""

from __future__ import annotations

import dataclasses
import difflib
import reprlib
from collections.abc import Mapping
from typing import Any, TypedDict

from torch import nn

from hourglass import variants
from hourglass.recipe import Part, Recipe, Term
from hourglass.schedules import OBJECTIVES, SCHEDULES
from hourglass.typed_json import arguments_from_json, from_json, to_json
from hourglass.variants import CORRUPTIONS, TERMS

Parts = Mapping[str, Any]  # parts by name

_exported = {name: getattr(variants, name) for name in variants.__all__}
MODULES: dict[str, type[nn.Module]] = {  # bottlenecks, priors and critics
    name: part for name, part in _exported.items() if isinstance(part, type) and issubclass(part, nn.Module)
}

NamedPart = TypedDict("NamedPart", {"class": str, "own": bool, "options": dict[str, Any]})


class NamedTerm(NamedPart):
    weight: float
    schedule: NamedPart
    objective: NamedPart
    critic: NamedPart | None
    judged: bool


class NamedRecipe(TypedDict):
    bottleneck: NamedPart
    prior: NamedPart | None
    terms: list[NamedTerm]
    corruptions: list[NamedPart]
    samples: int
    network: str | None


class UnknownPartError(ValueError):
    """A part that Hourglass does not have, or has another of, under that name."""


def named_part(part: Any, name: str, known: Parts, options: Any) -> NamedPart:
    """A part by name; `own` says that it is not the one that Hourglass has under this name."""
    ours = known.get(name)
    same = ours is part or (isinstance(part, Term) and ours is not None and ours.measure is part.measure)
    return {"class": name, "own": not same, "options": to_json(options, f"options of {name}")}


def part_of(named: NamedPart, known: Parts, custom: Parts) -> Any:
    """The part of that name: one of `custom`, or one of the parts that are `known` in its place.

    Raises
    ------
    UnknownPartError : saying which name, and how to pass a part of one's own.
    """
    name = named["class"]
    if name in custom:
        return custom[name]
    if name in known and not named["own"]:
        return known[name]
    shown = reprlib.repr(name)
    how = f"pass it at load: load(folder, custom={{{shown}: ...}})"
    if name in known:
        raise UnknownPartError(f"the model uses a {shown} of your own, not the one of Hourglass: {how}")
    near = difflib.get_close_matches(name, [*known, *custom], 1)
    raise UnknownPartError(
        f"the model uses {shown}, which is not part of Hourglass"
        + (f" (nearest: {near[0]!r})" if near else "")
        + f"; if it is your own, {how}"
    )


def _module_to_json(part: Part) -> NamedPart:
    return named_part(part.kind, part.kind.__name__, MODULES, part.options)


def _module_from_json(named: NamedPart, custom: Parts) -> Part:
    kind = part_of(named, MODULES, custom)
    return Part(kind, arguments_from_json(kind, named["options"], named["class"]))


def _value_to_json(value: Any, known: Parts) -> NamedPart:
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        raise TypeError(
            f"{value!r} cannot be saved with the recipe: schedules, objectives and corruptions are values of "
            "dataclasses, such as WarmUp(0.1)"
        )
    return named_part(type(value), type(value).__name__, known, dataclasses.asdict(value))


def _value_from_json(named: NamedPart, known: Parts, custom: Parts) -> Any:
    return from_json(part_of(named, known, custom), named["options"], named["class"])


def recipe_to_json(recipe: Recipe) -> NamedRecipe:
    """A recipe as JSON has it: the names of its parts and their options.

    Raises
    ------
    TypeError : for a part or an option that cannot be saved.
    """
    return {
        "bottleneck": _module_to_json(recipe.bottleneck),
        "prior": _module_to_json(recipe.prior) if recipe.prior else None,
        "terms": [
            {
                **named_part(term, term.name, TERMS, term.options),
                "weight": float(term.weight),
                "schedule": _value_to_json(term.schedule, SCHEDULES),
                "objective": _value_to_json(term.objective, OBJECTIVES),
                "critic": _module_to_json(term.critic) if term.critic else None,
                "judged": term.judged,
            }
            for term in recipe.terms
        ],
        "corruptions": [_value_to_json(corruption, CORRUPTIONS) for corruption in recipe.corruptions],
        "samples": recipe.samples,
        "network": recipe.network,
    }


def recipe_from_json(values: Any, custom: Parts) -> Recipe:
    """The recipe of that JSON; names resolve in `custom` first, then in Hourglass.

    Raises
    ------
    JSONError : where a value is of another type than it should be.
    UnknownPartError : for a part that Hourglass does not have and `custom` does not give.
    """
    saved: NamedRecipe = from_json(NamedRecipe, values, "recipe")
    terms = []
    for named in saved["terms"]:
        term: Term = part_of(named, TERMS, custom)
        terms.append(
            dataclasses.replace(
                term,
                weight=named["weight"],
                schedule=_value_from_json(named["schedule"], SCHEDULES, custom),
                objective=_value_from_json(named["objective"], OBJECTIVES, custom),
                options=arguments_from_json(term.measure, named["options"], named["class"]),
                critic=_module_from_json(named["critic"], custom) if named["critic"] else None,
                judged=named["judged"],
            )
        )
    return Recipe(
        bottleneck=_module_from_json(saved["bottleneck"], custom),
        prior=_module_from_json(saved["prior"], custom) if saved["prior"] else None,
        terms=tuple(terms),
        corruptions=tuple(_value_from_json(corruption, CORRUPTIONS, custom) for corruption in saved["corruptions"]),
        samples=saved["samples"],
        network=saved["network"],
    )
