"""Which view a kind of data has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hourglass.modalities import Modality
from hourglass.views import images, music, series, tables, text, tile_maps

# by `Modality.name`: (modality, examples as `restore` gives them) -> a form of as many examples
VIEWS: dict[str, Callable[[Any, Any], Any]] = {
    "images": images.view,
    "music": music.view,
    "series": series.view,
    "tables": tables.view,
    "text": text.view,
    "tilemaps": tile_maps.view,
}

# ending -> what writes such files, for kinds of data with files of their own: (path, chunks, modality) -> how many
WRITERS: dict[str, dict[str, Any]] = {"music": music.WRITERS, "series": series.WRITERS, "tilemaps": tile_maps.WRITERS}


def view_of(modality: Modality) -> Callable[[Any], Any] | None:
    """Examples, as `restore` gives them -> their form; None for a kind of data that has no view."""
    view = VIEWS.get(modality.name)
    return None if view is None else partial(view, modality)
