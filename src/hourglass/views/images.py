"""How pictures look."""

from __future__ import annotations

from typing import Any

from hourglass.modalities import Images
from hourglass.readers.containers import as_array
from hourglass.views.forms import Pictures


def view(modality: Images, examples: Any) -> Pictures:
    """Pictures in raw levels, in any layout of the shape at fit."""
    return Pictures(modality.as_fitted(as_array(examples)), modality.black, modality.white, modality.dtype)
