"""The Frechet distance between two sets of features: how far generated examples are from real ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def frechet_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Squared Wasserstein-2 distance between the Gaussians with the moments of ``a`` and ``b``.

    ``|m_a - m_b|^2 + tr A + tr B - 2 tr (AB)^1/2``. With ``A = R'R`` and ``B = Q'Q``, R and Q the triangular factors of
    the centred features, the last trace is the sum of the singular values of ``R Q'``: no covariance and no root of the
    asymmetric product AB is formed, which loses half the digits, or turns complex, where covariances are singular.

    Parameters
    ----------
    a : array-like of shape (N, F)
        Features of one set of examples.
    b : array-like of shape (M, F)
        Features of the other. The figure depends on N and M: compare it with real against real of the same sizes.

    Returns
    -------
    float
        In squared units of the features; not negative.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two rows, or a value is not finite.

    Notes
    -----
    Source: Heusel et al. 2017 (arXiv:1706.08500, equation 6), who use the features of an Inception network; the
    distance is Dowson and Landau's (1982, J. Multivariate Analysis 12:450).

    Examples
    --------
    >>> x = np.array([[0.0], [2.0]])
    >>> frechet_distance(x, x + 3.0)
    9.0
    """
    a, b = _features(a, "a"), _features(b, "b")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a has {a.shape[1]} features and b has {b.shape[1]}: take both from the same network.")
    R, Q = _factor(a), _factor(b)
    between = np.linalg.svd(R @ Q.T, compute_uv=False).sum()
    gap = a.mean(axis=0) - b.mean(axis=0)
    return float(max(gap @ gap + np.sum(R**2) + np.sum(Q**2) - 2 * between, 0.0))


def _factor(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """R, upper triangular, with R'R the covariance of features (N, F)."""
    return np.asarray(np.linalg.qr((features - features.mean(axis=0)) / np.sqrt(len(features) - 1), mode="r"))


def _features(values: ArrayLike, argument: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or len(array) < 2 or not array.shape[1]:
        raise ValueError(f"{argument} has shape {array.shape}: give (examples, features), with at least two examples.")
    if not np.isfinite(array).all():
        raise ValueError(f"{argument} holds NaN or infinity: leave out the examples whose features are not finite.")
    return array
