"""Raw data <-> tensors, one file for each kind of data. The module is the registry."""

from typing import Any

import numpy as np

from hourglass.modalities.examples import Examples
from hourglass.modalities.images import Images
from hourglass.modalities.modality import Modality
from hourglass.modalities.tables import ONE_AXIS, Tables
from hourglass.readers import Data

# the first one that says that it suits some data is taken for them
MODALITIES: dict[str, Any] = {"images": Images, "tables": Tables}


def modality_for(data: Data) -> Modality:
    """The kind of data that a reader's find seems to be.

    Raises
    ------
    ValueError : where none of them takes it.
    """
    for kind in MODALITIES.values():
        if kind.suits(data):
            return kind()
    if np.ndim(data.X) == 1:
        raise ValueError(f"{data.source}: {ONE_AXIS}")
    raise ValueError(f"{data.source}: no kind of data suits this; say which with modality=: {', '.join(MODALITIES)}")


__all__ = ["MODALITIES", "Examples", "Images", "Modality", "Tables", "modality_for"]
