"""How pictures look."""

from __future__ import annotations

from typing import Any

from hourglass.modalities import Images
from hourglass.modalities.picture_forms import channels_first
from hourglass.readers.containers import as_array
from hourglass.views.forms import Pictures


def view(modality: Images, restored: Any) -> Pictures:
    """Pictures in raw levels (N, H, W), or (N, C, H, W) or (N, H, W, C) as at fit."""
    array = as_array(restored)
    layout = "NHW" if array.ndim == 3 else "NHWC" if modality.layout == "NHWC" else "NCHW"
    return Pictures(channels_first(array, layout), modality.black, modality.white, modality.dtype)
