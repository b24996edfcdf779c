"""All codes on one sheet: as they are where they have one or two dimensions, else by PCA or t-SNE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

MAX_TSNE_ROWS = 2000
PERPLEXITY = 30.0
STEPS = 750  # of t-SNE; a thousand look the same
MIN_TSNE_ROWS = 5


@dataclass(frozen=True, eq=False)
class LatentMap:
    """`points` (M, 2) of the examples `rows` (M,), by `method` ("code", "pca" or "tsne"); `axes` names the two axes."""

    points: np.ndarray
    rows: np.ndarray
    method: str
    axes: tuple[str, str]


def latent_map(
    estimator: Any, X: Any, *, condition: Any = None, method: str | None = None, random_state: int = 0
) -> LatentMap:
    """Where the examples lie in the space of codes.

    Parameters
    ----------
    estimator : Embedder, fitted.
    X : N examples, as in `fit`.
    condition : as in `fit`.
    method : "code", "pca", "tsne" or None
        "code" takes a code of one or two dimensions as it is (one dimension gets a meaningless second one, random
        heights from 0 to 1, so that points do not hide each other). None takes "code" where it can and PCA elsewhere.
    random_state : of t-SNE and of the choice of its rows.

    Returns
    -------
    LatentMap
        All N examples; with t-SNE at most 2,000 of them, chosen at random.

    Source: van der Maaten and Hinton 2008, for t-SNE.
    """
    check_is_fitted(estimator, "model_")
    return map_of_codes(estimator.transform(X, condition=condition), method, random_state)


def map_of_codes(codes: np.ndarray, method: str | None = None, random_state: int = 0) -> LatentMap:
    """The map of codes (N, L, *G) that are already there; see `latent_map`. A code on a grid is all its numbers."""
    codes = codes.reshape(len(codes), -1)
    n, n_latent = codes.shape
    method = method or ("code" if n_latent <= 2 else "pca")
    everything = np.arange(n)
    if method == "code":
        if n_latent > 2:
            raise ValueError(
                f"method='code' shows at most two dimensions, the code has {n_latent}; use 'pca' or 'tsne'"
            )
        if n_latent == 2:
            return LatentMap(codes.astype(np.float64), everything, "code", ("dimension 0", "dimension 1"))
        heights = np.random.default_rng(random_state).random(n)
        return LatentMap(np.stack([codes[:, 0], heights], axis=1), everything, "code", ("dimension 0", ""))
    if method == "pca":
        return _by_pca(codes.astype(np.float64), everything)
    if method == "tsne":
        if n < MIN_TSNE_ROWS:
            raise ValueError(f"method='tsne' needs at least {MIN_TSNE_ROWS} examples, X has {n}; use 'pca'")
        return _by_tsne(codes, random_state)
    raise ValueError(f"method={method!r} is unknown; choose 'code', 'pca' or 'tsne'")


def _by_pca(codes: np.ndarray, rows: np.ndarray) -> LatentMap:
    centred = codes - codes.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2] * np.sign(directions[:2].sum(axis=1, keepdims=True) + 1e-300)
    points = np.zeros((len(codes), 2))
    points[:, : len(directions)] = centred @ directions.T
    share = np.zeros(2)
    share[: len(directions)] = (np.square(lengths) / max(float(np.square(lengths).sum()), 1e-300))[:2]
    first, second = (f"principal component {i + 1} ({share[i]:.0%} of the variance)" for i in range(2))
    return LatentMap(points, rows, "pca", (first, second))


def _by_tsne(codes: np.ndarray, random_state: int) -> LatentMap:
    from sklearn.manifold import TSNE

    rows = np.arange(len(codes))
    if len(codes) > MAX_TSNE_ROWS:
        chosen = np.random.default_rng(random_state).choice(len(codes), MAX_TSNE_ROWS, replace=False)
        rows = np.sort(chosen)
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    # equal codes leave PCA nothing to start from
    start = "pca" if float(codes[rows].std()) > 0 and min(codes[rows].shape) >= 2 else "random"
    tsne = TSNE(2, perplexity=perplexity, init=start, max_iter=STEPS, random_state=random_state)
    return LatentMap(tsne.fit_transform(codes[rows].astype(np.float32)), rows, "tsne", ("", ""))
