"""Raw data <-> tensors, one file for each kind of data."""

from hourglass.modalities.examples import Examples
from hourglass.modalities.images import Images
from hourglass.modalities.modality import Modality
from hourglass.modalities.music import Music
from hourglass.modalities.registry import MODALITIES, in_words, modality_for, modality_in_words, named_modality
from hourglass.modalities.series import Series
from hourglass.modalities.tables import Tables
from hourglass.modalities.text import Text
from hourglass.modalities.tile_maps import TileMaps

__all__ = [
    "MODALITIES",
    "Examples",
    "Images",
    "Modality",
    "Music",
    "Series",
    "Tables",
    "Text",
    "TileMaps",
    "in_words",
    "modality_for",
    "modality_in_words",
    "named_modality",
]
