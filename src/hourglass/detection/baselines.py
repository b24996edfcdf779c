"""What costs no training, beside a detector: PCA, isolation forest and nearest neighbours, on the same stored rows."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hourglass.detection.exemplars import Exemplars

NEIGHBOURS = 5
KEPT = 0.95  # share of the variance that PCA keeps
TREES = 200


def baseline_scores(stored: Exemplars, found: torch.Tensor, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Anomaly scores of vectors (N, F), (N,) each, by methods fitted to the stored rows; higher is more anomalous.

    All of them see the same standardised vectors as the detector's own distance to the nearest row.
    """
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import NearestNeighbors

    rows, new = stored.rows.double().numpy(), stored.standardised(found).double().numpy()
    pca = PCA(KEPT if len(rows) > rows.shape[1] else None, svd_solver="full").fit(rows)
    errors = np.square(new - pca.inverse_transform(pca.transform(new))).sum(1)
    forest = IsolationForest(n_estimators=TREES, random_state=seed).fit(rows)
    k = min(NEIGHBOURS, len(rows) - 1)
    distances = NearestNeighbors(n_neighbors=k + 1).fit(rows).kneighbors(new)[0]
    own = distances[:, 0] == 0  # a stored row says nothing for itself, as in `Exemplars.nearest`
    return {
        "PCA": errors,
        "isolation forest": -forest.score_samples(new),
        "nearest neighbour": np.where(own, distances[:, 1], distances[:, 0]),
        f"{k} nearest neighbours": np.where(own, distances[:, k], distances[:, k - 1]),
    }
