"""The kind of data as the command line gives it: --modality in words, and options that are short for such words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from hourglass.cli.companions import Inputs
from hourglass.cli.errors import UsageError
from hourglass.cli.options import SHORT
from hourglass.shell_words import in_shell_words, option

if TYPE_CHECKING:
    from hourglass.modalities import Modality


def modality_of(arguments: dict[str, Any]) -> Modality | None:
    """The kind of data that the options describe; None where none is given, and the look of the data decides.

    Raises
    ------
    UsageError : for words that no kind of data takes, and options at odds with each other.
    """
    from hourglass.modalities import MODALITIES, modality_in_words

    words, short = arguments.get("modality"), [name for name in SHORT if name in arguments]
    if words is None and not short:
        return None
    takes = {name: {kind for kind in MODALITIES if name in _options(MODALITIES[kind])} for name in short}
    if words is None:
        kinds = set(MODALITIES).intersection(*takes.values())
        if not kinds:
            other = next(name for name in short if not takes[name] & takes[short[0]])
            raise UsageError(
                f"{option(short[0])} is for {_several(takes[short[0]])} and {option(other)} for "
                f"{_several(takes[other])}; give one of them"
            )
        words = [kind for kind in MODALITIES if kind in kinds][-1]  # the least particular one
    try:
        modality = modality_in_words(words)
    except ValueError as error:
        raise UsageError(in_shell_words(str(error))) from error
    options = _options(modality)
    for name in short:
        if name not in options:
            raise UsageError(f"{option(name)} is for {_several(takes[name])}, and --modality says {modality.name}")
        if getattr(modality, name) != options[name].default:
            raise UsageError(f"{option(name)} and --modality {words!r} both set {name}; give it once")
    values = {name: _value(arguments[name], options[name].default) for name in short}
    try:
        return dataclasses.replace(modality, **values)  # type: ignore[type-var]
    except (ValueError, TypeError) as error:
        raise UsageError(in_shell_words(str(error))) from error


def fitting(modality: Modality | None, arguments: dict[str, Any], kind: str, given: Inputs) -> Modality | None:
    """The modality, checked against the kind of data that was read.

    Columns of an array keep the names of their places in the file where others were taken out.

    Raises
    ------
    UsageError : naming the option that the data do not suit.
    """
    from hourglass.modalities import modality_for

    if modality is not None and kind not in modality.reads:
        name = next((name for name in SHORT if name in arguments), "modality")
        raise UsageError(f"{option(name)} is for {modality.name}, and {arguments['data']} holds {kind}")
    if given.kept is None or given.data is None or given.data.columns is not None:
        return modality
    found = modality_for(given.X) if modality is None else modality
    names = tuple(f"x{place}" for place in given.kept)
    return dataclasses.replace(found, column_names=names) if "column_names" in _options(found) else modality  # type: ignore[type-var]


def _options(kind: Any) -> dict[str, dataclasses.Field[Any]]:
    """What a user may set: the fields shown in `repr`."""
    return {field.name: field for field in dataclasses.fields(kind) if field.repr}


def _value(given: Any, default: Any) -> Any:
    """Several words as a tuple where the option takes several; one where it takes one."""
    if not isinstance(given, list | tuple):
        return given
    return tuple(given) if isinstance(default, tuple) or len(given) != 1 else given[0]


def _several(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
