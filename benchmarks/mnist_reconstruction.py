"""MNIST, code size 32: test error per pixel of the default AE and VAE beside PCA, and of a linear AE beside PCA.

    python benchmarks/mnist_reconstruction.py --epochs 30 --seeds 3

Pixels in [0, 1]; the error is the mean squared one over the 10,000 test images.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from sklearn.decomposition import PCA

from hourglass import Embedder, datasets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n-latent", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    X, test = datasets.load("mnist").X, datasets.load("mnist", split="test").X
    flat, flat_test = (a.reshape(len(a), -1).astype(np.float32) / 255 for a in (X, test))
    pca = PCA(options.n_latent, svd_solver="covariance_eigh").fit(flat)
    made = pca.inverse_transform(pca.transform(flat_test))
    # what our models reconstruct is clipped to the range of the data, so PCA's is as well where they are compared
    pca_error = float(np.square(flat_test - made.clip(0, 1)).mean())
    unclipped = float(np.square(flat_test - made).mean())
    print(json.dumps({"model": "PCA", "error": round(pca_error, 5), "unclipped": round(unclipped, 5)}), flush=True)
    for name, recipe, more in (
        ("AE", "ae", {}),
        ("VAE", "vae", {}),
        ("linear AE", "ae", {"hidden": (), "precision": "float32"}),
    ):
        errors, seconds = [], []
        for seed in range(options.seeds):
            common = {"max_epochs": options.epochs, "random_state": seed, "n_threads": options.threads}
            model = Embedder(options.n_latent, recipe=recipe, **common, **more).fit(X)
            errors.append(float(np.square((model.reconstruct(test) - test.astype(np.float32)) / 255).mean()))
            seconds.append(model.summary_.seconds)
        print(
            json.dumps(
                {
                    "model": name,
                    "error": round(float(np.median(errors)), 5),
                    "all": [round(e, 5) for e in errors],
                    "of_pca": round(float(np.median(errors)) / pca_error, 3),
                    "seconds": [round(s) for s in seconds],
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
