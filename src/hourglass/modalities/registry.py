"""The kinds of data there are, and how one of them is named: by value, in words, or by the look of the data."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np

from hourglass.modalities.images import Images
from hourglass.modalities.modality import Modality
from hourglass.modalities.music import Music
from hourglass.modalities.series import Series
from hourglass.modalities.tables import ONE_AXIS, Tables
from hourglass.modalities.text import Text
from hourglass.modalities.tile_maps import TileMaps
from hourglass.readers import Data

# the first one that says that it suits some data is taken for them
MODALITIES: dict[str, Any] = {
    "music": Music,
    "series": Series,
    "tilemaps": TileMaps,
    "images": Images,
    "text": Text,
    "tables": Tables,
}


def modality_for(data: Data) -> Modality:
    """The kind of data that a reader's find seems to be.

    Raises
    ------
    ValueError : where none of them takes it.
    """
    for kind in MODALITIES.values():
        if kind.suits(data):
            return kind()
    if data.kind == "arrays" and np.ndim(data.X) == 1:
        raise ValueError(f"{data.source}: {ONE_AXIS}")
    raise ValueError(f"{data.source}: no kind of data suits this; say which with modality=: {', '.join(MODALITIES)}")


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
        key = key.replace("-", "_")
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
