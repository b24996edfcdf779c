"""Series: what held-out windows claim against fresh data, reconstruction beside PCA, and memory.

    python benchmarks/series.py honest --seeds 3
    python benchmarks/series.py reconstruction --seeds 3
    python benchmarks/series.py memory

`honest`: an AR(2) process of 1,500 instants in windows of 64; a plain autoencoder with a code of 16. Claimed: nats per
window given the code, and the unexplained share, on the windows held out by `fit`. Fresh: the same on 6,000 new
instants of the process.

`reconstruction`: the first 70 % of a real series are learned from, the rest is judged: the unexplained share of the
variance of windows at every quarter of a window, beside PCA of the training windows (those of the fit) with as many
components. NAB's traffic on a road (one channel), an ECG (two), and a spacecraft's telemetry (25 channels, of which
many are constant).

`memory`: 60,000 instants of 25 channels in windows of 96 that begin at every instant: one epoch, peak memory of the
process above that before the fit, less the series itself.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA

from hourglass import Embedder
from hourglass.estimators import passes

DATA = Path(os.environ.get("HOURGLASS_DATA", ".")) / "series"


def ar2(n: int, seed: int) -> np.ndarray:
    rng, x = np.random.default_rng(seed), np.zeros(n + 200)
    for i in range(2, n + 200):
        x[i] = 1.8 * x[i - 1] - 0.9 * x[i - 2] + rng.normal()
    return x[200:]


def judged(model: Embedder, X: np.ndarray) -> tuple[float, float]:
    """Nats per window given the code, and the unexplained share of the variance."""
    raw = model.modality_.examples(model._accept(X, None)[0]).rows()
    x = model.model_.scaling(raw)
    cells = passes.cell_log_prob(model.model_, raw, None).double()
    back = model.model_.scaling(passes.reconstruct(model.model_, raw, None))
    moving = x.std((0, 2)) > 0
    wrong, x = (x - back)[:, moving].double(), x[:, moving].double()
    return float(-cells.flatten(1).sum(1).mean()), float(wrong.square().sum() / (x - x.mean(0)).square().sum())


def honest(seeds: int) -> None:
    found = []
    for seed in range(seeds):
        model = Embedder(16, recipe="ae", modality="series window=64", random_state=seed, n_threads=1)
        model.fit(ar2(1500, seed))
        nats, error = judged(model, ar2(6000, 1000 + seed))
        s = model.summary_
        found.append((s.reconstruction, nats, s.unexplained, error))
        print(f"seed {seed}: nats claimed {s.reconstruction:.1f}, fresh {nats:.1f}; unexplained claimed "
              f"{s.unexplained:.3f}, fresh {error:.3f}; {s.n_independent} windows apart", flush=True)  # fmt: skip
    print("mean ", " ".join(f"{value:.3f}" for value in np.mean(found, axis=0)))


def real() -> dict[str, np.ndarray]:
    tsb = sorted((DATA / "tsb-ad-u").glob("006_*")) + sorted((DATA / "tsb-ad-m").glob("144_*"))
    tables = [np.genfromtxt(path, delimiter=",", skip_header=1)[:, :-1] for path in tsb]
    ecg = np.genfromtxt(DATA / "ecg/MBA_ECG805_data.out", delimiter=",")[:20_000, :1]
    return {"traffic": tables[0], "ECG": ecg, "SMAP": tables[1]}


def reconstruction(seeds: int) -> None:
    for name, X in real().items():
        at = int(0.7 * len(X))
        for size in (8, 16):
            rows = []
            for seed in range(seeds):
                for recipe in ("ae", "vae"):
                    start = time.perf_counter()
                    model = Embedder(size, recipe=recipe, modality="series", random_state=seed, n_threads=1).fit(X[:at])
                    seconds = time.perf_counter() - start
                    rows.append((recipe, judged(model, X[at:])[1], seconds))
            train, test = (model.modality_.examples(model._accept(part, None)[0], dense).rows()
                           for part, dense in ((X[:at], True), (X[at:], False)))  # fmt: skip
            x, y = (model.model_.scaling(part).double().flatten(1).numpy() for part in (train, test))
            pca = PCA(size, svd_solver="covariance_eigh").fit(x)
            back = pca.inverse_transform(pca.transform(y))
            moving = y.std(0) > 0
            error = np.square(y - back)[:, moving].sum() / np.square(y - y.mean(0))[:, moving].sum()
            said = "  ".join(
                f"{r} {np.median([e for q, e, _ in rows if q == r]):.4f} "
                f"({min(e for q, e, _ in rows if q == r):.4f}-{max(e for q, e, _ in rows if q == r):.4f}, "
                f"{np.median([t for q, _, t in rows if q == r]):.0f} s)"
                for r in ("ae", "vae")
            )
            print(f"{name:<8} {X.shape} code {size}: PCA {error:.4f}  {said}", flush=True)


def memory() -> None:
    X = np.random.default_rng(0).normal(size=(60_000, 25)).cumsum(0)
    options = {"recipe": "ae", "modality": "series window=96", "max_epochs": 1, "n_threads": 1}
    Embedder(4, **options).fit(X[:500])  # what torch itself takes is not counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    model = Embedder(16, **options).fit(X)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    n = len(model.modality_.examples(model._accept(X, None)[0], dense=True))
    print(f"{n:,} windows of 96 x 25; {after - before:.0f} MB more at the peak, the series has {X.nbytes / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["honest", "reconstruction", "memory"])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    {"honest": lambda: honest(arguments.seeds), "reconstruction": lambda: reconstruction(arguments.seeds),
     "memory": memory}[arguments.what]()  # fmt: skip


if __name__ == "__main__":
    main()
