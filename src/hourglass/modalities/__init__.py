"""Raw data <-> tensors, one file for each kind of data."""

from hourglass.modalities.examples import Examples
from hourglass.modalities.images import Images
from hourglass.modalities.modality import Modality
from hourglass.modalities.registry import MODALITIES, in_words, modality_for, modality_in_words, named_modality
from hourglass.modalities.tables import Tables

__all__ = [
    "MODALITIES",
    "Examples",
    "Images",
    "Modality",
    "Tables",
    "in_words",
    "modality_for",
    "modality_in_words",
    "named_modality",
]
