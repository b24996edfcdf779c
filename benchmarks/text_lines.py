"""Lines of text: what a code keeps of lines that were not learned from, and alerts among lines of a log.

    python benchmarks/text_lines.py lines --texts BGL OpenSSH shakespeare [--validation]
    python benchmarks/text_lines.py alerts --seeds 5

A fifth of the lines, at most 2,000, are held out at random; at most 8,000 others are learned from, and `fit` holds out
some of them for itself. With --validation the held-out lines are left out altogether, and as many others are judged:
settings are chosen there. Logs are split into words with `fields=typed`, Shakespeare into characters. The first field
of BGL, which says whether a line is an alert, is taken off. `tokens`: the share of tokens that come back in their
place, the end of the line being one; `lines`: those of which all do; `bag`: the tokens that come back in any place,
over those of the longer of the two lines. Nats are per token: given the code, and in all (of a VAE minus its bound, so
that the code is counted; of a plain autoencoder nobody knows). The unigram and the bigram model know the same tokens;
`place` has frequencies for every place of a line. PCA is of the counts of tokens, and its reconstruction is rounded.

`alerts`: six tenths of the normal lines of BGL are learned from, the other normal lines and all alerts are judged:
area under the ROC curve, medians of the seeds. `nats` is minus `score_samples`, `nats per token` its mean. The nearest
neighbour is that of the bag of tokens by the cosine, with tf-idf and without.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from hourglass import Embedder, readers
from hourglass.estimators import passes
from hourglass.modalities import Text

DATA = Path(os.environ["HOURGLASS_DATA"]) / "text"
LOG, PROSE = Text(unit="word", fields="typed"), Text(unit="character")
SMOOTHING = 5.0  # lines' worth of the unigram model that every row of the bigram model starts from


def lines_of(name: str) -> tuple[np.ndarray, np.ndarray, Text]:
    """Lines, whether each is an alert, and how they are read."""
    if name == "shakespeare":
        X = readers.read(DATA / "tinyshakespeare.txt").X
        return X, np.zeros(len(X), dtype=bool), PROSE
    X = readers.read(DATA / f"loghub/{name}_2k.log").X
    if name != "BGL":
        return X, np.zeros(len(X), dtype=bool), LOG
    fields = [line.split(" ", 1) for line in X]
    return np.array([rest for _, rest in fields], dtype=object), np.array([label != "-" for label, _ in fields]), LOG


def bags(cells: np.ndarray, n: int) -> np.ndarray:
    """Tokens (N, T), NaN where there are none -> how often each occurs, (N, n)."""
    counts = np.zeros((len(cells), n))
    for row, line in enumerate(cells):
        for token, count in Counter(line[~np.isnan(line)].astype(int).tolist()).items():
            counts[row, token] = count
    return counts


def until_end(cells: np.ndarray) -> np.ndarray:
    """Cells (N, T) with NaN behind the first end."""
    ended = np.cumsum(cells == 0, axis=1) - (cells == 0) > 0
    return np.where(ended, np.nan, cells)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The tokens that two bags share, over those of the larger, on average."""
    shared = np.minimum(one, other).sum(1)
    return float((shared / np.maximum(np.maximum(one.sum(1), other.sum(1)), 1)).mean())


def said(name: str, **figures: float) -> None:
    print(f"{name:<22}" + "".join(f" {key} {value:7.3f}" for key, value in figures.items()), flush=True)


def without_code(train: np.ndarray, test: np.ndarray, n: int) -> None:
    known, tokens = ~np.isnan(test), (~np.isnan(test)).sum()
    counts = bags(train, n).sum(0) + 0.5
    unigram = counts / counts.sum()
    places = np.full((train.shape[1], n), 0.5)
    pairs = SMOOTHING * np.tile(unigram, (n, 1))
    for line in train:
        line = line[~np.isnan(line)].astype(int)
        places[np.arange(len(line)), line] += 1
        np.add.at(pairs, (np.r_[0, line[:-1]], line), 1)  # a line begins where another has ended
    places /= places.sum(1, keepdims=True)
    pairs /= pairs.sum(1, keepdims=True)
    nats = {"unigram": 0.0, "place": 0.0, "bigram": 0.0}
    for line in test:
        line = line[~np.isnan(line)].astype(int)
        nats["unigram"] -= np.log(unigram[line]).sum()
        nats["place"] -= np.log(places[np.arange(len(line)), line]).sum()
        nats["bigram"] -= np.log(pairs[np.r_[0, line[:-1]], line]).sum()
    usual = until_end(np.tile(places.argmax(1).astype(float), (len(test), 1)))
    for name, total in nats.items():
        said(name, in_all=total / tokens)
    said("most frequent by place", tokens=(usual == test)[known].mean(), bag=overlap(bags(usual, n), bags(test, n)))


def lines(arguments: argparse.Namespace) -> None:
    for name in arguments.texts:
        X, _, modality = lines_of(name)
        order = np.random.default_rng(0).permutation(len(X))
        held = min(2_000, len(X) // 5)
        judged, left_out = (order[held : 2 * held], 2 * held) if arguments.validation else (order[:held], held)
        new, X = X[judged], X[order[left_out:]][:8_000]
        found = modality.infer(X)
        n = len(found.tokeniser)
        train, test = (found.examples(part).rows()[:, 0].double().numpy() for part in (X, new))
        unknown = np.isin(test, [i for i, t in enumerate(found.tokeniser.tokens[:3]) if "<unk>" in t])
        known = ~np.isnan(test)
        print(f"\n{name}: {len(X)} lines to learn from, {len(new)} new ones; {found.describe()}")
        print(f"{known.sum() / len(test):.1f} tokens a line, {unknown.sum() / known.sum():.1%} of them <unk>")
        without_code(train, test, n)
        counts, of_new = bags(train, n), bags(test, n)
        for size in arguments.sizes:
            pca = PCA(size, svd_solver="covariance_eigh").fit(counts)
            back = np.rint(pca.inverse_transform(pca.transform(of_new))).clip(0)
            said(f"PCA of bags, {size}", bag=overlap(back, of_new))
        for recipe in arguments.recipes:
            for size in arguments.sizes:
                start = time.perf_counter()
                model = Embedder(
                    n_latent=size, recipe=recipe, modality=modality, max_epochs=arguments.epochs, patience=10,
                    n_threads=1, random_state=0,
                ).fit(X)  # fmt: skip
                seconds = time.perf_counter() - start
                raw = model.modality_.examples(new).rows()
                back = passes.reconstruct(model.model_, raw, None)[:, 0].double().numpy()
                right = (back == test) | ~known
                cells = passes.cell_log_prob(model.model_, raw, None)[:, 0].double().numpy()
                in_all = -model.score_samples(new, n_samples=arguments.samples).sum() / known.sum()
                said(
                    f"{recipe}, {size}", tokens=right[known].mean(), lines=right.all(1).mean(),
                    bag=overlap(bags(until_end(back), n), of_new), given_code=-cells[known].sum() / known.sum(),
                    in_all=in_all if model.recipe_.prior is not None else np.nan,
                    epoch=model.summary_.best_epoch, seconds=seconds,
                )  # fmt: skip


def alerts(arguments: argparse.Namespace) -> None:
    X, is_alert, modality = lines_of("BGL")
    found: dict[str, list[float]] = {}
    for seed in range(arguments.seeds):
        normal = np.random.default_rng(seed).permutation(np.flatnonzero(~is_alert))
        learned = normal[: round(0.6 * len(normal))]
        judged = np.r_[normal[len(learned) :], np.flatnonzero(is_alert)]
        model = Embedder(
            n_latent=16, recipe=arguments.recipe, modality=modality, max_epochs=arguments.epochs, patience=10,
            n_threads=1, random_state=seed,
        ).fit(X[learned])  # fmt: skip
        n = len(model.modality_.tokeniser)
        train, test = (model.modality_.examples(X[r]).rows()[:, 0].double().numpy() for r in (learned, judged))
        length = (~np.isnan(test)).sum(1)
        nats = -model.score_samples(X[judged], n_samples=arguments.samples)
        scores = {"nats": nats, "nats per token": nats / length, "length": length, "shortness": -length}
        seen, new = bags(train, n), bags(test, n)
        weights = TfidfTransformer().fit(seen)
        for name, (a, b) in {
            "nearest bag": (seen, new),
            "nearest bag, tf-idf": (weights.transform(seen).toarray(), weights.transform(new).toarray()),
        }.items():
            distance, _ = NearestNeighbors(n_neighbors=1, metric="cosine").fit(a).kneighbors(b)
            scores[name] = distance[:, 0]
        for name, values in scores.items():
            found.setdefault(name, []).append(roc_auc_score(is_alert[judged], values))
        print(f"seed {seed}: {len(learned)} lines learned, {len(judged)} judged", flush=True)
    for name, values in found.items():
        print(f"{name:<22} {np.median(values):.3f}  ({min(values):.3f} to {max(values):.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lines", "alerts"])
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--texts", nargs="+", default=["BGL", "OpenSSH", "shakespeare"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--recipes", nargs="+", default=["ae", "vae"])
    parser.add_argument("--recipe", default="vae")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    {"lines": lines, "alerts": alerts}[arguments.what](arguments)


if __name__ == "__main__":
    main()
