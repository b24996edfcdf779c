"""How much of a code is in use: functions of the posterior's statistics over a data set.

Shapes: ``N`` examples, ``L`` dimensions of the code.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

STILL = 1e-3  # of the largest deviation: a dimension of a deterministic code that varies less says nothing
ACTIVE = 0.01  # variance over the data of a posterior mean that answers to x


def active_units(mean: ArrayLike, threshold: float = ACTIVE) -> NDArray[np.bool_]:
    """Which dimensions of the code answer to x: variance over x of the posterior mean above ``threshold``.

    Parameters
    ----------
    mean : array-like of shape (N, L)
        E[z | x] of each example.
    threshold : float
        In squared units of the code, which a prior N(0, 1) sets.

    Returns
    -------
    ndarray of bool, shape (L,)
        Its sum is the number of active units.

    Notes
    -----
    Source: Burda, Grosse, Salakhutdinov, "Importance Weighted Autoencoders" (2016, arXiv:1509.00519, section 5.2).
    """
    return _codes(mean, "mean").var(axis=0) > threshold


def _codes(values: ArrayLike, argument: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or not len(array):
        raise ValueError(f"{argument} has shape {array.shape}: give (examples, code), with at least one example.")
    return array
