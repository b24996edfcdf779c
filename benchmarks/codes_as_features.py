"""Codes as features: a linear probe and 10 nearest neighbours on MNIST codes of every recipe, beside PCA.

    python benchmarks/codes_as_features.py --sizes 16 40 64 --epochs 20

Beside the recipes as they are, denoising from heavier corruptions: their strengths were chosen by the accuracy on the
last 10,000 training images of models fitted on the first 50,000. The probe is a logistic regression on standardised
codes; models, probes and neighbours see the 60,000 training images, accuracies (in percent) are those of the 10,000
test images. No setting was chosen by them.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from hourglass import Embedder, datasets
from hourglass.variants import AE, RECIPES, GaussianNoise, Masking, RandomAffine

HEAVIER = {
    "denoising, moved and noise 1": AE.with_corruption(RandomAffine(), GaussianNoise(1.0)),
    "denoising, masking 0.85": AE.with_corruption(Masking(0.85)),
    "denoising, noise 2": AE.with_corruption(GaussianNoise(2.0)),
}
KNOWN = {**{name: name for name in RECIPES}, **HEAVIER}


def accuracies(train: np.ndarray, y: np.ndarray, test: np.ndarray, y_test: np.ndarray) -> dict[str, float]:
    scaler = StandardScaler().fit(train)
    probe = LogisticRegression(max_iter=200).fit(scaler.transform(train), y)
    neighbours = KNeighborsClassifier(10, n_jobs=1).fit(train, y)
    return {
        "probe": round(100 * probe.score(scaler.transform(test), y_test), 2),
        "10-NN": round(100 * neighbours.score(test, y_test), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 40, 64])
    parser.add_argument("--recipes", nargs="+", choices=list(KNOWN), default=list(KNOWN))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    train, test = datasets.load("mnist"), datasets.load("mnist", split="test")
    flat, flat_test = (d.X.reshape(len(d.X), -1).astype(np.float32) / 255 for d in (train, test))
    for size in options.sizes:
        pca = PCA(size, svd_solver="covariance_eigh").fit(flat)
        found = accuracies(pca.transform(flat), train.labels, pca.transform(flat_test), test.labels)
        print(json.dumps({"recipe": "PCA", "size": size, **found}), flush=True)
        for recipe in options.recipes:
            for seed in range(options.first_seed, options.first_seed + options.seeds):
                model = Embedder(
                    size, recipe=KNOWN[recipe], max_epochs=options.epochs, random_state=seed, n_threads=options.threads
                )
                model.fit(train.X)
                found = accuracies(model.transform(train.X), train.labels, model.transform(test.X), test.labels)
                row = {"recipe": recipe, "size": size, "seed": seed, **found, "seconds": round(model.summary_.seconds)}
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
