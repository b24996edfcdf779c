"""MNIST, dynamically binarised: the negative log-likelihood that the default VAE reaches in a given time.

    python benchmarks/mnist_likelihood.py --seconds 300 --seeds 3

The number of epochs is what fits into the time, measured by one epoch first; everything else is the default. Settings
were chosen on rows held out of the training part. NLL by importance sampling on the whole test set, binarised once with
a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch
from rivals.mnist_images import binarised

from hourglass import Embedder, Images, datasets
from hourglass.diagnostics.evidence import log_evidence
from hourglass.training import threads


def fit(X: np.ndarray, epochs: int, seed: int, n_latent: int | None = None) -> tuple[Embedder, float]:
    started = time.perf_counter()
    vae = Embedder(n_latent, modality=Images(binarise="dynamic"), max_epochs=epochs, random_state=seed, n_threads=2)
    vae.fit(X)
    return vae, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10_000, help="test images scored")
    parser.add_argument("--epochs", type=int, help="instead of what fits into the time")
    options = parser.parse_args()
    X, test = datasets.load("mnist").X, datasets.load("mnist", split="test").X
    x = torch.from_numpy(binarised(test.reshape(len(test), -1)).reshape(test.shape).astype(np.float32))[: options.rows]
    epochs = options.epochs
    if epochs is None:
        # what is not an epoch (estimates before, figures after) is paid once
        probe, whole = fit(X, 1, seed=1000)
        once = probe.history_[-1]["seconds"]
        epochs = int((options.seconds - (whole - once)) / once * 0.98)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        vae, seconds = fit(X, epochs, seed)
        with threads(2):
            elbo = float(log_evidence(vae.model_, x, n_samples=1, seed=0).mean())
            nll = -float(log_evidence(vae.model_, x, n_samples=options.samples, seed=0).double().mean())
        print(
            json.dumps(
                {
                    "seed": seed,
                    "seconds": round(seconds, 1),
                    "epochs": len(vae.history_),
                    "ended": vae.summary_.ended,
                    "n_latent": vae.n_latent_,
                    "batch": vae.settings_.batch_size,
                    "precision": vae.settings_.precision,
                    "elbo": round(elbo, 2),
                    "nll": round(nll, 2),
                    "samples": options.samples,
                    "rows": len(x),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
