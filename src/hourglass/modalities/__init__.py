"""Raw data <-> tensors, one file for each kind of data. The module is the registry."""

from typing import Any

import numpy as np

from hourglass.modalities.columns import frame_kind
from hourglass.modalities.images import Images
from hourglass.modalities.modality import Modality
from hourglass.modalities.tables import Tables

MODALITIES: dict[str, type] = {"tables": Tables, "images": Images}


def modality_for(X: Any) -> Modality:
    """The modality X seems to be: pictures for three and four dimensions, a table otherwise."""
    if frame_kind(X) == "array" and getattr(X, "ndim", np.ndim(X) if isinstance(X, list) else 2) in (3, 4):
        return Images()
    return Tables()


__all__ = ["MODALITIES", "Images", "Modality", "Tables", "modality_for"]
