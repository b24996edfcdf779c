"""`hourglass recipes`: the zoo, with one line and the source of each."""

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

    print("\nUse one with `hourglass fit DATA --recipe NAME`; compare several with `hourglass compare DATA`.")
    print('Words after the name change it: --recipe "vae kl=0.1", --recipe "ae RandomAffine GaussianNoise=1".')
    defaults = ", ".join(repr(kind()) for kind in CORRUPTIONS.values())
    print(f"Terms are {', '.join(TERMS)}. Corruptions are {defaults};\nNAME=NUMBER sets the first number of one.")


def described() -> list[dict[str, Any]]:
    """Every recipe of the zoo with the words of the file that ends in it."""
    from hourglass.variants import RECIPES

    homes = _homes()
    found = []
    for name, recipe in RECIPES.items():
        terms = " + ".join(t.name if t.weight == 1 else f"{t.weight:g} {t.name}" for t in recipe.terms)
        seen = f", from x under {' then '.join(map(repr, recipe.corruptions))}" if recipe.corruptions else ""
        what, source = homes.get(name.upper(), ("", ""))
        found.append({"name": name, "what": what, "minimises": terms + seen, "source": source})
    return found


def _homes() -> dict[str, tuple[str, str]]:
    """NAME -> the first sentence and the source in the docstring of the file that defines it."""
    import ast
    import pkgutil
    from pathlib import Path

    from hourglass import variants

    homes: dict[str, tuple[str, str]] = {}
    for module in pkgutil.iter_modules(variants.__path__):
        tree = ast.parse((Path(variants.__path__[0]) / f"{module.name}.py").read_text())
        doc = ast.get_docstring(tree) or ""
        what = doc.partition("\n\n")[0].replace("\n", " ").rstrip(".")
        source = doc.partition("Source: ")[2].partition("\n\n")[0].replace("\n", " ").rstrip(".")
        for line in tree.body:
            if isinstance(line, ast.Assign):
                homes |= {target.id: (what, source) for target in line.targets if isinstance(target, ast.Name)}
    return homes
