"""The intrinsic dimension of data by TwoNN, and the size of the code that it suggests.

Source: Facco, d'Errico, Rodriguez, Laio, "Estimating the intrinsic dimension of datasets by a minimal neighborhood
information" (2017, Scientific Reports 7:12140).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors


def two_nn(X: ArrayLike, max_rows: int = 5000, seed: int = 0, discard: float = 0.1) -> float:
    """Intrinsic dimension, from the ratio of the distances of each row's two nearest neighbours.

    Where the density is locally even, ``mu = r2 / r1`` follows ``F(mu) = 1 - mu^-d``: d is the slope through the origin
    of ``-ln(1 - F)`` over ``ln mu``.

    Parameters
    ----------
    X : array-like of shape (N, ...)
        Rows are flattened; scale the columns alike first. Rows should be independent of one another: of windows that
        overlap, the nearest neighbours are the overlapping ones, whatever the data. Pass windows that share no cell.
    max_rows : int
        At most so many rows are used, a random subset: the cost is quadratic.
    seed : int
        Of the subset.
    discard : float
        Share of the largest ratios left out of the fit as outliers; the paper's 10 %.

    Returns
    -------
    float
        At most the number of columns, and at most one less than the number of distinct rows. Repeated rows are counted
        once. 0 where all rows are equal.

    Raises
    ------
    ValueError
        If X is empty or holds NaN or infinity.

    Examples
    --------
    >>> line = np.random.default_rng(0).random((500, 1)) * [1.0, 2.0, 3.0]
    >>> round(two_nn(line))
    1
    """
    X = _finite_rows(X)
    if len(X) > max_rows:
        X = X[np.random.default_rng(seed).choice(len(X), max_rows, replace=False)]
    X = np.unique(X, axis=0)
    most = float(min(X.shape[1], len(X) - 1))
    if len(X) < 4:  # a slope needs more than one ratio
        return most
    # Centred, because the fast distances subtract squared norms from one another.
    distances, _ = NearestNeighbors(n_neighbors=3).fit(X - X.mean(axis=0)).kneighbors()
    r1, r2 = distances[:, 0], distances[:, 1]
    ratios = np.sort(r2[r1 > 0] / r1[r1 > 0])
    kept = max(int(len(ratios) * (1 - discard)), 1)
    log_mu = np.log(ratios[:kept])
    minus_log_rest = -np.log1p(-np.arange(1, kept + 1) / (len(ratios) + 1))
    norm = float(log_mu @ log_mu)
    return min(float(log_mu @ minus_log_rest) / norm, most) if norm > 0 else most


def suggest_n_latent(X: ArrayLike, n_features: int) -> int:
    """A size of the code for X: twice the intrinsic dimension, between 2 and 64, and at most half the features.

    Twice, because an encoder must unfold the data as well as span it: a closed curve has dimension 1 and no faithful
    code of size 1.

    Parameters
    ----------
    X : array-like of shape (N, ...)
        As for ``two_nn``.
    n_features : int
        Values of one example as the network sees them: a number is one, a category the number of its values less one.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        As ``two_nn``.
    """
    suggested = int(np.clip(round(2 * two_nn(X)), 2, 64))
    return max(min(suggested, n_features // 2), 1)


def _finite_rows(X: ArrayLike) -> NDArray[np.float64]:
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim == 0 or rows.size == 0:
        raise ValueError(f"X has shape {rows.shape}: give at least one row and one column.")
    rows = rows.reshape(len(rows), -1)
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"X has {rows[row, column]} at row {row}, column {column}: distances need every cell; fill it first."
        )
    return rows
