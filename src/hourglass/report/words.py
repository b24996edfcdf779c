"""What stands on a page in words: numbers, names of recipes, and how a model was made."""

from __future__ import annotations

import inspect
import re
import shlex
from collections import Counter
from collections.abc import Mapping
from typing import Any

from hourglass.likelihoods import Likelihood
from hourglass.modalities import in_words
from hourglass.plots.losses import TERM_LABELS
from hourglass.variants import RECIPES

RECIPES_IN_WORDS = {
    "ae": "autoencoder",
    "denoising": "denoising autoencoder",
    "sparse": "sparse autoencoder (L1)",
    "sparse_kl": "sparse autoencoder (target activation)",
    "contractive": "contractive autoencoder",
    "vae": "variational autoencoder",
    "beta_vae": "beta-variational autoencoder",
}


def number(n: float) -> str:
    return f"{int(n):,}"


def many(n: int, noun: str) -> str:
    """ "1 row", "1,200 rows"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _zoo_name(estimator: Any) -> str:
    """What names the recipe and its changes, such as "vae kl=0.1"; "" for one of the user's own."""
    if isinstance(estimator.recipe, str):
        return estimator.recipe
    return next((name for name, recipe in RECIPES.items() if repr(recipe) == repr(estimator.recipe_)), "")


def recipe_in_words(estimator: Any) -> str:
    """The kind of autoencoder, and what was changed about it."""
    name, *changes = _zoo_name(estimator).split() or [""]
    kind = RECIPES_IN_WORDS.get(name.lower(), name.replace("_", " ")) or "autoencoder of your own"
    words = kind + (f" with {', '.join(changes)}" if changes else "")
    return words if estimator.condition_ is None else f"conditional {words}"


def loss_in_words(recipe: Any) -> str:
    """What is minimised, and what the encoder sees."""
    terms = [
        (f"{term.weight:g} × " if term.weight != 1 else "")
        + TERM_LABELS.get(term.name, term.name.replace("_", " ")).partition(":")[0]
        for term in recipe.terms
    ]
    corrupted = ", ".join(_spaced(type(corruption).__name__) for corruption in recipe.corruptions)
    return " + ".join(terms) + (f"; the encoder sees corrupted examples ({corrupted})" if corrupted else "")


def likelihood_in_words(likelihood: Likelihood, noun: str) -> str:
    """ "Gaussian"; of a mixed table "Gaussian (5 columns), categorical (4 columns)"."""
    blocks = [block for block in likelihood.modules() if isinstance(block, Likelihood)]
    if len(blocks) == 1:
        return _spaced(type(likelihood).__name__)
    counts: Counter[str] = Counter()
    inner = {part for block in blocks[1:] for part in block.modules() if part is not block}  # point masses' density
    for block in (block for block in blocks[1:] if block not in inner):
        counts[_spaced(type(block).__name__)] += int(block.shape[0])
    return ", ".join(f"{name} ({many(n, noun)})" for name, n in counts.items())


def _spaced(name: str) -> str:
    """A class's name in words: NegativeBinomial is "negative binomial"; names of people keep their capital."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return words if words in ("Gaussian", "Laplace", "Bernoulli") else words.lower()


def command_line(arguments: Mapping[str, Any]) -> str:
    """The `hourglass fit` command that was started with these arguments."""
    words = ["hourglass", "fit", str(arguments["data"])]
    for name, value in arguments.items():
        if name == "data" or value is None or value is False:
            continue
        values = [] if value is True else value if isinstance(value, list | tuple) else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join(words)


def python_call(estimator: Any) -> str:
    """The Python call that makes and fits such an estimator, with what is not a default."""
    defaults = {name: p.default for name, p in inspect.signature(type(estimator).__init__).parameters.items()}
    given = []
    for name, value in estimator.get_params(deep=False).items():
        if value == defaults.get(name):
            continue
        if name == "modality" and not isinstance(value, str):
            value = in_words(value) or value
        if name == "recipe":
            value = _zoo_name(estimator) or value
        given.append(f"{name}={value!r}")
    condition = "" if estimator.condition_ is None else ", condition=condition"
    return f"{type(estimator).__name__}({', '.join(given)}).fit(X{condition})"
