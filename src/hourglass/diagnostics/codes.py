"""How much of a code is in use: functions of the posterior's statistics over a data set.

Shapes: ``N`` examples, ``L`` dimensions of the code.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

ACTIVE = 0.01  # variance over the data of a posterior mean that answers to x


def kl_per_dimension(mean: ArrayLike, log_variance: ArrayLike) -> NDArray[np.float64]:
    """Average KL divergence of N(mean, exp(log_variance)) from N(0, 1), per dimension of the code.

    ``KL_l = mean_n (m^2 + v - 1 - ln v) / 2``; the sum over l is the model's KL term.

    Parameters
    ----------
    mean, log_variance : array-like of shape (N, L)

    Returns
    -------
    ndarray of shape (L,)
        Nats per example.

    Examples
    --------
    >>> float(kl_per_dimension([[1.0]], [[0.0]])[0])
    0.5
    """
    m, log_v = _codes(mean, "mean"), _codes(log_variance, "log_variance")
    if m.shape != log_v.shape:
        raise ValueError(
            f"log_variance has shape {log_v.shape} but mean has {m.shape}: give one posterior's two halves."
        )
    # expm1: near collapse v - 1 - ln v is a small difference of numbers near 1.
    return (0.5 * (m**2 + np.expm1(log_v) - log_v)).mean(axis=0)


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


def effective_dimension(Z: ArrayLike) -> float:
    """How many directions the codes fill: the participation ratio of their covariance's eigenvalues.

    ``(sum_i lambda_i)^2 / sum_i lambda_i^2`` lies between 1 (a line) and L (a ball); 0 where all codes are equal. It
    depends on the scale of each dimension, as PCA does.

    Parameters
    ----------
    Z : array-like of shape (N, L)

    Returns
    -------
    float

    Examples
    --------
    >>> effective_dimension([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    1.0
    """
    codes = _codes(Z, "Z")
    centred = codes - codes.mean(axis=0)
    covariance = centred.T @ centred
    # tr C and tr C^2 are the two sums of eigenvalues: no decomposition is needed.
    squares = float(np.sum(covariance**2))
    return float(np.trace(covariance)) ** 2 / squares if squares > 0 else 0.0


def _codes(values: ArrayLike, argument: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or not len(array):
        raise ValueError(f"{argument} has shape {array.shape}: give (examples, code), with at least one example.")
    return array
