"""Which dimensions of the code say most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hourglass.diagnostics.codes import ACTIVE, STILL


@dataclass(frozen=True, eq=False)
class DimensionUse:
    """How much each dimension of the code is used.

    `values` (L,) are the KL of each dimension in nats per example where the code is a distribution, else the standard
    deviation of the codes; `unit` says which ("nats" or "standard deviation"). `order` (L,) lists the dimensions, the
    most informative first; `active` (L,) bool marks those in use.
    """

    values: np.ndarray
    unit: str
    active: np.ndarray

    @property
    def order(self) -> np.ndarray:
        return np.argsort(-self.values, kind="stable")


def dimension_use(estimator: Any) -> DimensionUse:
    """How much each dimension of a fitted estimator's code is used, on the rows that its summary was measured on.

    A deterministic code has no KL. Standard deviations rank its dimensions only as far as these share a scale.

    Parameters
    ----------
    estimator : Embedder, fitted.

    Returns
    -------
    DimensionUse
    """
    check_is_fitted(estimator, "model_")
    summary = estimator.summary_
    scale = np.asarray(summary.code_scale, dtype=np.float64)
    if summary.kl_per_dimension:
        kl = np.asarray(summary.kl_per_dimension, dtype=np.float64)
        return DimensionUse(kl, "nats", scale**2 > ACTIVE)
    return DimensionUse(scale, "standard deviation", scale > STILL * scale.max())
