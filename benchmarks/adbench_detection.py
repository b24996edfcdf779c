"""Anomalies in 18 tables of ADBench: a detector trained on half of the normal rows, beside methods that train nothing.

    python benchmarks/adbench_detection.py --seeds 0 1 2
    python benchmarks/adbench_detection.py --sets 4_breastw 6_cardio

Rows are shuffled, half of the normal ones are learned from, and all others are scored, without those that are equal to
a row that was learned from. Areas under the ROC curve, in per cent: of the default score, of the same without stored
rows (`network`), of codes alone (`encoder`), and of each measure; of k-NN (k=1, 5), isolation forest and PCA fitted to
all rows that were learned from, standardised. The detector keeps up to a quarter of these apart to calibrate on, which
the others do not.

Data: Han et al. 2022, ADBench, arXiv:2206.09426 (`$HOURGLASS_DATA/tabular/adbench`).
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from hourglass import Detector

VARIANTS = {"network": ("residuals", "codes", "mahalanobis"), "encoder": ("codes", "mahalanobis")}


def parts_of(name: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal rows to learn from, the rows to score, and which of these are anomalies."""
    with np.load(Path(os.environ["HOURGLASS_DATA"]) / f"tabular/adbench/{name}.npz") as file:
        X, y = file["X"].astype(np.float64), file["y"].astype(int)
    order = np.random.default_rng(seed).permutation(len(X))
    X, y = X[order], y[order]
    normal = np.flatnonzero(y == 0)
    train = normal[: len(normal) // 2]
    test = np.setdiff1d(np.arange(len(X)), train)
    known = set(map(bytes, X[train]))
    test = test[[bytes(row) not in known for row in X[test]]]
    return X[train], X[test], y[test]


def rivals(train: np.ndarray, test: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    scaler = StandardScaler().fit(train)
    A, B = scaler.transform(train), scaler.transform(test)
    distances = NearestNeighbors(n_neighbors=5).fit(A).kneighbors(B)[0]
    pca = PCA(0.95, svd_solver="full").fit(A)
    return {
        "knn1": distances[:, 0],
        "knn5": distances[:, 4],
        "forest": -IsolationForest(n_estimators=200, random_state=seed).fit(A).score_samples(B),
        "pca": np.square(B - pca.inverse_transform(pca.transform(B))).sum(1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(os.environ["HOURGLASS_DATA"]) / "tabular/adbench"
    known = sorted((path.stem for path in folder.glob("*.npz")), key=lambda name: int(name.split("_")[0]))
    parser.add_argument("--sets", nargs="+", choices=known, default=known)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--recipe", default="vae")
    parser.add_argument("--n-latent", type=int)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.sets:
        for seed in arguments.seeds:
            train, test, truth = parts_of(name, seed)
            started = time.perf_counter()
            detector = Detector(
                arguments.n_latent, recipe=arguments.recipe, random_state=seed, n_threads=arguments.threads
            ).fit(train)
            seconds = time.perf_counter() - started
            parts = detector.parts(test)
            scores = {"default": sum(parts.values())}
            scores |= {v: sum(parts[member] for member in members) for v, members in VARIANTS.items()}
            scores |= {**parts, **rivals(train, test, seed)}
            areas = {key: round(100 * float(roc_auc_score(truth, score)), 2) for key, score in scores.items()}
            rate = float((detector.predict(test)[truth == 0] < 0).mean())
            fit = {"set": name, "seed": seed, "n": len(train), "seconds": round(seconds, 1)}
            print(json.dumps({**fit, **areas, "false_alarms": round(rate, 4)}), flush=True)


if __name__ == "__main__":
    main()
