"""Rows that are not like the others: AUROC of `score_samples` of the default VAE on 18 ADBench sets, without labels.

    python benchmarks/adbench_scores.py --seeds 3
    python benchmarks/adbench_scores.py --sets 4_breastw 6_cardio --seeds 1

Half of the rows, chosen at random with equal shares of anomalies, are learned from with anomalies among them and no
label; the scores of both halves are compared with the labels, each half by name. The last column is k-NN's, with the
distance to the fifth neighbour in standardised columns, fitted to the same rows. Sets of more than 20,000 rows are cut
to as many, at random.

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
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from hourglass import Embedder

MOST_ROWS = 20_000


def halves(name: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Seen and unseen rows, and whether each is an anomaly."""
    with np.load(Path(os.environ["HOURGLASS_DATA"]) / f"tabular/adbench/{name}.npz") as file:
        X, y = file["X"].astype(np.float64), file["y"].astype(int)
    some = np.random.default_rng(seed).permutation(len(X))[:MOST_ROWS]
    varying = X[some].std(0) > 0
    return train_test_split(X[some][:, varying], y[some], test_size=0.5, stratify=y[some], random_state=seed)


def knn(seen: np.ndarray, X: np.ndarray, itself: bool) -> np.ndarray:
    """The distance to the fifth neighbour among the seen rows, other than the row itself."""
    scaler = StandardScaler().fit(seen)
    k = 5 + itself
    neighbours = NearestNeighbors(n_neighbors=k).fit(scaler.transform(seen))
    return neighbours.kneighbors(scaler.transform(X))[0][:, -1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(os.environ["HOURGLASS_DATA"]) / "tabular/adbench"
    known = sorted((path.stem for path in folder.glob("*.npz")), key=lambda name: int(name.split("_")[0]))
    parser.add_argument("--sets", nargs="+", choices=known, default=known)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipe", default="vae")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    mean: dict[str, list[float]] = {}
    for name in arguments.sets:
        found: dict[str, list[float]] = {}
        for seed in range(arguments.seeds):
            seen, unseen, y_seen, y_unseen = halves(name, seed)
            started = time.perf_counter()
            model = Embedder(recipe=arguments.recipe, random_state=seed, n_threads=arguments.threads).fit(seen)
            seconds = time.perf_counter() - started
            figures = {
                "seen": roc_auc_score(y_seen, -model.score_samples(seen)),
                "unseen": roc_auc_score(y_unseen, -model.score_samples(unseen)),
                "knn_seen": roc_auc_score(y_seen, knn(seen, seen, True)),
                "knn_unseen": roc_auc_score(y_unseen, knn(seen, unseen, False)),
                "seconds": seconds,
            }
            for key, value in figures.items():
                found.setdefault(key, []).append(float(value))
        row = {key: round(float(np.median(values)), 4) for key, values in found.items()}
        fit = {"n_latent": model.n_latent_, "epochs": model.summary_.epochs}
        print(json.dumps({"set": name, **fit, **row}), flush=True)
        for key, value in row.items():
            mean.setdefault(key, []).append(value)
    print(json.dumps({"mean of": len(arguments.sets)} | {key: round(float(np.mean(v)), 4) for key, v in mean.items()}))


if __name__ == "__main__":
    main()
