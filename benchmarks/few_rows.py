"""Tables of 30, 100 and 300 rows: the error of the defaults on new rows, relative to that of PCA with codes as large.

    python benchmarks/few_rows.py --seeds 3

Tables: scikit-learn's diabetes, wine and breast cancer, ADBench's ionosphere, and adult's numbers. n rows are learned
from; at most 2,000 others are looked at. Both errors are squared errors of numeric columns in units of their standard
deviation among the n rows, over that of the mean: PCA is fitted to the same standardised numbers. `nats` is how much
worse new rows score than the rows that `fit` held out, by cross-validation or once.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.decomposition import PCA

from hourglass import Embedder

DATA = Path(os.environ["HOURGLASS_DATA"]) / "tabular"


def table(name: str) -> np.ndarray:
    if name == "ionosphere":
        with np.load(DATA / "adbench/18_Ionosphere.npz") as file:
            return file["X"].astype(float)
    if name == "adult":
        frame = pd.read_csv(DATA / "mixed/adult.csv", skipinitialspace=True)
        return frame.select_dtypes("number").to_numpy(float)
    return {"diabetes": load_diabetes, "wine": load_wine, "breast_cancer": load_breast_cancer}[name]().data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["diabetes", "wine", "breast_cancer", "ionosphere", "adult"]
    parser.add_argument("--tables", nargs="+", choices=names, default=names)
    parser.add_argument("--rows", type=int, nargs="+", default=[30, 100, 300])
    parser.add_argument("--recipes", nargs="+", default=["vae", "ae"])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.tables:
        whole = table(name)
        for n in arguments.rows:
            if n >= len(whole) - 20:
                continue
            for recipe in arguments.recipes:
                found = []
                for seed in range(arguments.seeds):
                    order = np.random.default_rng(seed).permutation(len(whole))
                    X, new = whole[order[:n]], whole[order[n : n + 2000]]
                    kept = X.std(0) > 0
                    X, new = X[:, kept], new[:, kept]
                    started = time.perf_counter()
                    model = Embedder(recipe=recipe, random_state=seed, n_threads=1).fit(X)
                    seconds = time.perf_counter() - started
                    mean, scale = X.mean(0), X.std(0)
                    x = (new - mean) / scale
                    pca = PCA(min(model.n_latent_, n - 1)).fit((X - mean) / scale)
                    theirs = np.square(x - pca.inverse_transform(pca.transform(x))).sum()
                    ours = np.square(x - (model.reconstruct(new) - mean) / scale).sum()
                    nats = -model.summary_.objective - model.score(new)
                    found.append((ours / theirs, ours / np.square(x).sum(), nats, model.summary_.epochs, seconds))
                ratio, error, nats, epochs, seconds = np.median(found, 0).round(4).tolist()
                row = {"table": name, "rows": n, "recipe": recipe, "n_latent": model.n_latent_}
                worst = round(max(f[0] for f in found), 3)
                print(json.dumps({**row, "of_pca": ratio, "worst": worst, "error": error, "nats": round(nats, 2),
                                  "epochs": epochs, "seconds": round(seconds, 1)}), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
