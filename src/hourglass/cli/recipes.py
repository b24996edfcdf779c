"""`hourglass recipes`: the zoo, with one sentence and the source of each."""

from __future__ import annotations

from typing import Any

from hourglass.cli.output import print_result, print_table


def recipes(*, json: bool = False) -> None:
    """List the kinds of autoencoder, what each minimises, and where it comes from.

    Parameters
    ----------
    json
        Print the list as JSON.
    """
    zoo = described()
    if json:
        print_result(zoo, "", True)
        return
    rows = [[r["name"], r["what"], r["minimises"], r["source"]] for r in zoo]
    print_table("", ["recipe", "what it is", "minimises", "source"], rows)
    from hourglass.variants import CORRUPTIONS, TERMS

    lines = [
        "\nUse one with `hourglass fit DATA --recipe NAME`; compare several with `hourglass compare DATA`.",
        'Words after the name change it: --recipe "vae kl=0.1", --recipe "ae RandomAffine GaussianNoise=1".',
        f"Terms: {', '.join(TERMS)}.\nCorruptions, of which NAME=NUMBER sets the first number:",
        *(f"  {kind()!r}" for kind in CORRUPTIONS.values()),
    ]
    print_result({}, "\n".join(lines), as_json=False)


def described() -> list[dict[str, Any]]:
    """Every recipe of the zoo in words."""
    from hourglass.variants import RECIPES
    from hourglass.variants.about import ABOUT, About

    found = []
    for name, recipe in RECIPES.items():
        terms = " + ".join(t.name if t.weight == 1 else f"{t.weight:g} {t.name}" for t in recipe.terms)
        corrupted = f", from x under {' then '.join(map(repr, recipe.corruptions))}" if recipe.corruptions else ""
        found.append({"name": name, **ABOUT.get(name, About(""))._asdict(), "minimises": terms + corrupted})
    return found
