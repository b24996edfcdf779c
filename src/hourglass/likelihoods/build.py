"""A likelihood from its name and options, as a saved model holds them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from hourglass.likelihoods.likelihood import LIKELIHOODS, Likelihood
from hourglass.typed_json import arguments_from_json


def build(name: str, options: Mapping[str, Any], custom: Mapping[str, type[Likelihood]] | None = None) -> Likelihood:
    """The likelihood called ``name``, built from what its ``options()`` gave.

    Parameters
    ----------
    name : str
        A name of ``LIKELIHOODS``, or one of ``custom``.
    options : mapping
        The constructor's arguments.
    custom : mapping of str to class, optional
        Likelihoods of the caller's own, by name; they come first.

    Raises
    ------
    ValueError
        If there is no likelihood of that name; the nearest one is named.

    Examples
    --------
    >>> build("Gaussian", {"shape": [3]}).parameter_shape
    (3,)
    """
    known = {**LIKELIHOODS, **(custom or {})}
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))};"
        raise ValueError(f"likelihood {name!r} is unknown: {hint} A likelihood of your own is passed in `custom`.")
    kind = known[name]
    return kind.from_options(arguments_from_json(kind, dict(options), name), custom or {})
