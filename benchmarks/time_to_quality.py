"""The seconds to the test ELBO that pythae's own VAE ends with, ours beside its own, in the same minutes.

    python benchmarks/time_to_quality.py --epochs 100 --every 10 --horizons 3 4 6 8 12

pythae trains its default network (784-512-16) with batches of 128 at a learning rate of 1e-3, its better setting (its
defaults, 64 and 1e-4, learn more slowly), scoring off the clock. Ours is the default VAE with `max_epochs` as given;
its clock is the whole of `fit`, figures and density included. Both are scored alike: one sample of the code, the 10,000
test images binarised once. The horizon that counts is the shortest whose *held-out* ELBO reaches the target.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path

import torch
from rivals.bernoulli_elbo import bernoulli_elbo
from rivals.environment import python_of
from rivals.mnist_images import binarised

from hourglass import Embedder, Images, datasets
from hourglass.datasets import find, names

HERE = Path(__file__).parent


def rival(epochs: int, every: int, threads: int) -> list[dict[str, float]]:
    """pythae's scored epochs: epoch, seconds, elbo."""
    folder = Path(find(next(f for f in names()["mnist"].files if "train-images" in str(f.path)))).parent
    command = [python_of("pythae"), HERE / "rivals/pythae_elbo.py", folder, "--epochs", epochs, "--every", every]
    command += ["--threads", threads, "--batch", 128, "--learning-rate", 1e-3, "--latent", 16]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True)
    scored = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [s for s in scored if "elbo" in s]


def ours(epochs: int, seed: int, threads: int, x: torch.Tensor) -> dict[str, float]:
    """One fit of ours, scored."""
    X = datasets.load("mnist").X
    started = time.perf_counter()
    vae = Embedder(modality=Images(binarise="dynamic"), max_epochs=epochs, random_state=seed, n_threads=threads).fit(X)
    seconds = time.perf_counter() - started
    model = vae.model_

    def posterior(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        q = model.encode(rows.view(-1, 1, 28, 28))
        return q.mean, q.log_variance  # type: ignore[attr-defined]

    def decode(z: torch.Tensor) -> torch.Tensor:
        return model.decode(z).mean.flatten(1)

    best = vae.history_[vae.summary_.best_epoch - 1]["held_out"]
    return {
        "epochs": epochs,
        "seconds": round(seconds, 1),
        "training_seconds": round(vae.summary_.seconds, 1),
        "held_out_elbo": round(-(best["reconstruction"] + best["kl"]), 2),
        "elbo": round(bernoulli_elbo(posterior, decode, x), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--horizons", type=int, nargs="+", default=[3, 4, 6, 8, 12])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    o = parser.parse_args()
    scored = rival(o.epochs, o.every, o.threads)
    for s in scored:
        print(json.dumps({"side": "pythae", **s}), flush=True)
    target = max(s["elbo"] for s in scored)
    reached = next(s for s in scored if s["elbo"] == target)["seconds"]
    test = datasets.load("mnist", split="test").X
    x = torch.from_numpy(binarised(test.reshape(len(test), -1)))
    for seed in range(o.seeds):
        for horizon in o.horizons:
            mine = ours(horizon, seed, o.threads, x)
            mine["ratio"] = round(reached / mine["seconds"], 1)
            print(json.dumps({"side": "hourglass", "seed": seed, **mine}), flush=True)
            if mine["held_out_elbo"] >= target:
                break


if __name__ == "__main__":
    main()
