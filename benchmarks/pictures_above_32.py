"""Pictures of 64 x 64 pixels: what a step costs, and how near PCA each network comes in a given time.

    python benchmarks/pictures_above_32.py cost
    python benchmarks/pictures_above_32.py crops --networks mlp conv residual --seconds 120
    python benchmarks/pictures_above_32.py crops --part test --seconds 500 --seeds 3
    python benchmarks/pictures_above_32.py dsprites --networks mlp conv residual --seconds 60

`crops` are 27 colour crops of each of the 200 training pictures of BSDS500 (`$HOURGLASS_DATA/denoise/BSDS500`), codes
of 64 numbers. `--part validation` trains on the crops of 160 of them and looks at those of the other 40; `--part test`
trains on all 5,400 and looks at 2,000 crops of the 200 test pictures. PCA is fitted to the crops that `fit` is given,
all of them, of which `fit` itself holds a tenth out. `dsprites` are 10,000 of the made frames, the last 1,000 of them
looked at, codes of 10 numbers.

The number of epochs is what fits into the given CPU seconds (of all threads) by the cost of a step, measured first;
everything else is the default. The seconds reported are those from the call of `fit` to the end of its last epoch, the
start at PCA included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.decomposition import PCA

from hourglass import Embedder
from hourglass.assemble import Architecture, assemble
from hourglass.datasets import dsprites
from hourglass.estimators.names import named_recipe
from hourglass.modalities import Images
from hourglass.networks.pictures import NETWORKS
from hourglass.training import threads
from hourglass.training.machine import has_bfloat16, mixed_precision

SIDE, PER_PICTURE = 64, 27


def crops(folder: Path, n_per_picture: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Crops (N, 3, 64, 64) of all pictures of a folder, and the number of the picture each is of."""
    rng = np.random.default_rng(seed)
    found, picture = [], []
    for number, path in enumerate(sorted(folder.glob("*.jpg"))):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        for _ in range(n_per_picture):
            i, j = rng.integers(pixels.shape[0] - SIDE + 1), rng.integers(pixels.shape[1] - SIDE + 1)
            found.append(pixels[i : i + SIDE, j : j + SIDE].transpose(2, 0, 1))
            picture.append(number)
    return np.stack(found), np.array(picture)


def data(name: str, part: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Training examples, test examples, and the size of the code."""
    if name == "dsprites":
        X = dsprites.read("all", n=10_000, seed=0).X
        return X[:9_000], X[9_000:], 10
    folder = Path(os.environ["HOURGLASS_DATA"]) / "denoise" / "BSDS500"
    X, picture = crops(folder / "train", PER_PICTURE)
    if part == "test":
        return X, crops(folder / "test", 10)[0], 64
    held = np.isin(picture, np.random.default_rng(1).permutation(200)[:40])
    return X[~held], X[held], 64


def unexplained(X: np.ndarray, made: np.ndarray, mean: np.ndarray) -> float:
    """Squared error relative to that of the mean picture of the training part."""
    error, total = 0.0, 0.0
    for x, y in zip(np.array_split(X, 10), np.array_split(made, 10), strict=True):
        error += float(np.square(x.astype(np.float64) - y).sum())
        total += float(np.square(x.astype(np.float64) - mean).sum())
    return error / total


def pca(train: np.ndarray, X: np.ndarray, n: int) -> np.ndarray:
    """X as PCA of that many components of the training part makes it."""
    fitted = PCA(n, svd_solver="randomized", iterated_power=8, random_state=0)
    fitted.fit(train.reshape(len(train), -1).astype(np.float32))
    flat = X.reshape(len(X), -1).astype(np.float32)
    return fitted.inverse_transform(fitted.transform(flat)).reshape(X.shape)


def milliseconds(network: str, X: np.ndarray, n_latent: int, recipe: str, precision: str, batch: int = 128) -> float:
    """CPU milliseconds per picture of one pass forward and back; the best of five."""
    modality = Images().infer(X[:1000])
    likelihood = modality.likelihood(None, "shared")
    torch.manual_seed(0)
    model = assemble(named_recipe(recipe), modality, likelihood, Architecture(n_latent, network=network))
    x = model.scaling(modality.examples(X[:batch]).rows())
    best = np.inf
    for _ in range(6):
        started = time.process_time()
        with mixed_precision(precision, torch.device("cpu")):
            trip = model.round_trip(x)
            loss = -trip.output.log_prob(x).mean()
        loss.backward()
        best = min(best, time.process_time() - started)
        for parameter in model.parameters():
            parameter.grad = None
    return 1000 * best / len(x)


def fit(X: np.ndarray, seconds: float, n_threads: int, **options: object) -> tuple[Embedder, float]:
    """A fit of as many epochs as that many CPU seconds hold, and those that it took."""
    start, ends = time.process_time(), []

    def watch(state: object) -> None:
        ends.append((time.process_time(), len(state.progress.history)))

    probe = Embedder(max_epochs=1, n_threads=n_threads, **options)
    probe.fit(X, watch=watch)
    begun, done = ends[0][0] - start, ends[-1][0] - ends[0][0]
    epochs = max(1, int((seconds - begun) / done))
    start, ends = time.process_time(), []
    embedder = Embedder(max_epochs=epochs, n_threads=n_threads, **options).fit(X, watch=watch)
    return embedder, ends[-1][0] - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cost", "crops", "dsprites"])
    parser.add_argument("--part", choices=["validation", "test"], default="validation")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["conv"])
    parser.add_argument("--recipes", nargs="+", default=["vae", "ae"])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    print(json.dumps({"processor": platform.processor() or platform.machine(), "cpu": processor(),
                      "bfloat16": has_bfloat16(torch.device("cpu")), "threads": o.threads}))  # fmt: skip
    if o.what == "cost":
        for name in ("crops", "dsprites"):
            X, _, n_latent = data(name, "validation")
            for network in NETWORKS:
                cost = {p: round(milliseconds(network, X, n_latent, "vae", p), 2) for p in ("bfloat16", "float32")}
                print(json.dumps({"pictures": name, "network": network, "ms_per_picture": cost}), flush=True)
        return
    X, test, n_latent = data(o.what, o.part)
    mean = X.mean(0, dtype=np.float64)
    line = {"pictures": o.what, "n": len(X), "looked_at": len(test), "part": o.part}
    print(json.dumps({**line, "pca": round(unexplained(test, pca(X, test, n_latent), mean), 4)}), flush=True)
    for recipe in o.recipes:
        for network in o.networks:
            for seed in range(o.seeds):
                options = {"n_latent": n_latent, "recipe": recipe, "network": network, "random_state": seed}
                embedder, seconds = fit(X, o.seconds, o.threads, **options)
                with threads(o.threads):
                    figures = {
                        "unexplained": round(unexplained(test, embedder.reconstruct(test), mean), 4),
                        "nats": round(float(embedder.score(test)), 1),
                    }
                settings = embedder.settings_
                print(
                    json.dumps(
                        {
                            "recipe": recipe,
                            "network": network,
                            "seed": seed,
                            "cpu_seconds": round(seconds),
                            "wall_seconds": round(embedder.summary_.seconds),
                            "epochs": len(embedder.history_),
                            "best_epoch": embedder.summary_.best_epoch,
                            "batch": settings.batch_size,
                            "precision": settings.precision,
                            **figures,
                        }
                    ),
                    flush=True,
                )


def processor() -> str:
    """Its name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    main()
