"""Anomalies in time series: VUS-PR of a detector and of simpler methods on series of TSB-AD.

    python benchmarks/tsb_ad.py run U --half 1 --methods detector raw --seeds 3 --out tsb.jsonl
    python benchmarks/tsb_ad.py table tsb.jsonl

The first `tr_N` instants, which the name of a file gives, are learned from. Scored are the whole series and the part
after these alone. Settings were chosen on the first half by name (the first ten of U, the first ten of M).

Methods: `detector` with its defaults; `not_centred` with windows as they are; `network` its score without stored
windows; `pca`, `kmeans` and `forest` over windows of 96 (scikit-learn); `ae`, a plain autoencoder of windows of 100
(one hidden layer of 64, code 16); `raw`, the distance to the nearest of the training windows of 96, centred and
smoothed; `untrained`, the same distance between codes of a convolutional encoder with random weights.

Source: Liu and Paparrizos 2024, "The elephant in the room: towards a reliable time-series anomaly detection benchmark".
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats
from scipy.ndimage import uniform_filter1d
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from torch import nn

from hourglass import Detector
from hourglass.detection.volume import period, volume_under_pr

DATA = Path(os.environ.get("HOURGLASS_DATA", ".")) / "series"
WIDTH, WIDTH_OF_AE, STORED, FIRST_HALF = 96, 100, 2_000, 10


def series_of(part: str, half: int | None) -> list[Path]:
    files = sorted((DATA / f"tsb-ad-{part.lower()}").glob("*.csv"))
    return files if half is None else files[:FIRST_HALF] if half == 1 else files[FIRST_HALF:]


def windows_of(X: np.ndarray, width: int, centre: bool) -> np.ndarray:
    """(T - W + 1, C, W)."""
    found = np.lib.stride_tricks.sliding_window_view(X, width, axis=0)
    return found - found.mean(2, keepdims=True) if centre else found


def per_instant(scores: np.ndarray, n: int, width: int) -> np.ndarray:
    """Scores of windows -> the mean over the windows that cover each instant."""
    total, count = np.zeros(n + 1), np.zeros(n + 1)
    np.add.at(total, np.arange(len(scores)), scores)
    np.add.at(total, np.arange(len(scores)) + width, -scores)
    np.add.at(count, np.arange(len(scores)), 1.0)
    np.add.at(count, np.arange(len(scores)) + width, -1.0)
    return np.cumsum(total)[:n] / np.cumsum(count)[:n]


def standardised(X: np.ndarray, train: int) -> tuple[np.ndarray, int]:
    scale = X[:train].std(0)
    X = (X - X[:train].mean(0)) / np.where(scale > 1e-9, scale, 1.0)
    return X, min(WIDTH, max(8, train // 4))


def over_windows(score: Callable[[np.ndarray, np.ndarray, int], np.ndarray], centre: bool = False):
    def method(X: np.ndarray, train: int, seed: int) -> np.ndarray:
        X, width = standardised(X, train)
        windows = windows_of(X, width, centre).reshape(len(X) - width + 1, -1)
        return per_instant(score(windows[: train - width + 1], windows, seed), len(X), width)

    return method


def pca(train: np.ndarray, windows: np.ndarray, seed: int) -> np.ndarray:
    model = PCA(min(10, min(train.shape) - 1), random_state=seed).fit(train)
    return np.square(windows - model.inverse_transform(model.transform(windows))).sum(1)


def kmeans(train: np.ndarray, windows: np.ndarray, seed: int) -> np.ndarray:
    return KMeans(min(20, len(train)), n_init=1, random_state=seed).fit(train).transform(windows).min(1)


def forest(train: np.ndarray, windows: np.ndarray, seed: int) -> np.ndarray:
    return -IsolationForest(random_state=seed).fit(train).score_samples(windows)


def nearest(train: np.ndarray, windows: np.ndarray, seed: int) -> np.ndarray:
    """To the nearest of at most 2,000 training windows; windows that begin close by do not count."""
    which = np.random.default_rng(seed).permutation(len(train))[:STORED]
    stored = torch.from_numpy(np.ascontiguousarray(train[which])).float()
    places, found = torch.from_numpy(which), []
    for first in range(0, len(windows), 1_000):
        part = torch.from_numpy(np.ascontiguousarray(windows[first : first + 1_000])).float()
        distance = torch.cdist(part, stored)
        own = (torch.arange(first, first + len(part))[:, None] - places).abs() < WIDTH // 2
        alone = own.all(1, keepdim=True)
        found.append(distance.masked_fill(own & ~alone, torch.inf).min(1).values)
    return torch.cat(found).double().numpy()


def raw(X: np.ndarray, train: int, seed: int) -> np.ndarray:
    return uniform_filter1d(over_windows(nearest, centre=True)(X, train, seed), 64)


def untrained(X: np.ndarray, train: int, seed: int) -> np.ndarray:
    X, width = standardised(X, train)
    windows = windows_of(X, width, centre=True)
    torch.manual_seed(seed)
    layers, channels = [], X.shape[1]
    for wide in (32, 64, 64):
        layers += [nn.Conv1d(channels, wide, 5, stride=2, padding=2), nn.GELU()]
        channels = wide
    encode = nn.Sequential(*layers, nn.Flatten())
    with torch.no_grad():
        parts = [
            encode(torch.from_numpy(np.ascontiguousarray(windows[i : i + 2_000])).float())
            for i in range(0, len(windows), 2_000)
        ]
    codes = torch.cat(parts).numpy()
    return uniform_filter1d(per_instant(nearest(codes[: train - width + 1], codes, seed), len(X), width), 64)


def plain_ae(train: np.ndarray, windows: np.ndarray, seed: int) -> np.ndarray:
    torch.manual_seed(seed)
    n = train.shape[1]
    model = nn.Sequential(
        nn.Linear(n, 64), nn.ReLU(), nn.Linear(64, 16), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, n)
    )
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    x = torch.from_numpy(np.ascontiguousarray(train)).float()
    for _ in range(50):
        for index in torch.randperm(len(x)).split(128):
            loss = (model(x[index]) - x[index]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        parts = torch.from_numpy(np.ascontiguousarray(windows)).float().split(2_000)
        return torch.cat([(model(part) - part).square().mean(1) for part in parts]).double().numpy()


def ae(X: np.ndarray, train: int, seed: int) -> np.ndarray:
    X, _ = standardised(X, train)
    width = min(WIDTH_OF_AE, train // 4)
    windows = windows_of(X, width, False).reshape(len(X) - width + 1, -1)
    return per_instant(plain_ae(windows[: train - width + 1], windows, seed), len(X), width)


def detector(**options):
    def method(X: np.ndarray, train: int, seed: int) -> np.ndarray:
        settings = {"modality": "series", "random_state": seed, "n_threads": 1} | options
        if not np.ptp(X[:train], axis=0).any():
            return np.zeros(len(X))  # it refuses a series that never changes: there is nothing to learn
        return -Detector(**settings).fit(X[:train]).score_samples(X)

    return method


METHODS = {
    "detector": detector(),
    "not_centred": detector(modality="series centre=no"),
    "network": detector(anomaly_score="network"),
    "pca": over_windows(pca),
    "kmeans": over_windows(kmeans),
    "forest": over_windows(forest),
    "ae": ae,
    "raw": raw,
    "untrained": untrained,
}


def run(arguments: argparse.Namespace) -> None:
    done = set()
    if arguments.out.exists():
        done = {(r["file"], r["method"], r["seed"]) for r in map(json.loads, arguments.out.read_text().splitlines())}
    for seed in range(arguments.seeds):
        for path in series_of(arguments.part, arguments.half):
            table = pd.read_csv(path)
            X, truth = table.iloc[:, :-1].to_numpy(np.float64), table["Label"].to_numpy() > 0
            train = int(path.stem.split("_tr_")[1].split("_")[0])
            width = period(X[:, 0])
            for name in arguments.methods:
                if (path.name, name, seed) in done:
                    continue
                began = time.process_time()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    scores = METHODS[name](X, train, seed)
                seconds = time.process_time() - began
                found = {"whole": volume_under_pr(truth, scores, width)}
                if truth[train:].any():
                    found["test"] = volume_under_pr(truth[train:], scores[train:], width)
                row = {"file": path.name, "part": arguments.part, "method": name, "seed": seed, "seconds": seconds}
                with arguments.out.open("a") as out:
                    out.write(json.dumps(row | found) + "\n")
                print(path.name[:24], name, {k: round(v, 3) for k, v in found.items()}, f"{seconds:.0f} s", flush=True)


def table(arguments: argparse.Namespace) -> None:
    """Means of the series' medians over seeds; p of a signed-rank test against the first method's."""
    rows = [json.loads(line) for line in arguments.out.read_text().splitlines()]
    halves = {p.name: (part, 1 + (i >= FIRST_HALF)) for part in "UM" for i, p in enumerate(series_of(part, None))}
    found: dict[str, dict[str, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in rows:
        for what in ("whole", "test"):
            if what in row:
                found[what][row["method"]][row["file"]].append(row[what])
    for what, methods in found.items():
        first = next(iter(methods.values()))
        print(f"\n{what}: | method | U, first half | U, second | M, first | M, second | all | p |")
        for name, files in methods.items():
            values = {file: float(np.median(v)) for file, v in files.items()}
            cells = []
            for place in (("U", 1), ("U", 2), ("M", 1), ("M", 2)):
                mine = [v for file, v in values.items() if halves[file] == place]
                cells.append(f"{np.mean(mine):.3f} ({len(mine)})" if mine else "-")
            both = sorted(set(files) & set(first))
            ours = np.array([values[file] - np.median(first[file]) for file in both])
            p = stats.wilcoxon(ours).pvalue if np.any(ours) else 1.0
            seconds = np.mean([row["seconds"] for row in rows if row["method"] == name])
            print(
                f"| {name} | {' | '.join(cells)} | {np.mean(list(values.values())):.3f} | {p:.3f} | {seconds:.0f} s |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    runs = parts.add_parser("run")
    runs.add_argument("part", choices=["U", "M"])
    runs.add_argument("--half", type=int, choices=[1, 2])
    runs.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    runs.add_argument("--seeds", type=int, default=1)
    runs.add_argument("--out", type=Path, required=True)
    runs.set_defaults(act=run)
    shown = parts.add_parser("table")
    shown.add_argument("out", type=Path)
    shown.set_defaults(act=table)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.act(arguments)


if __name__ == "__main__":
    main()
