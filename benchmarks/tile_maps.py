"""Nats per tile of levels that were not seen: a VAE of windows beside what can be said without a code.

Super Mario Bros of the Video Game Level Corpus in windows of 14 x 28 at every step. The levels 1-3, 4-1 and 6-2 are
kept for the test; with --validation they are left out altogether and 1-2 and 5-1 are judged instead: settings are
chosen there. Kid Icarus, whose levels are climbed, has windows of 32 x 16 and level 6 for the test, 3 for validation.
Nats are the negative ELBO with one and with 20 samples of the code, per tile; a dimension of the code is active where
the variance of its mean over windows is above 0.01 (Burda et al. 2016, arXiv:1509.00519).

    HOURGLASS_DATA=... python benchmarks/tile_maps.py [--game "Kid Icarus"] [--validation] [--recipe vae] [--seeds 3]
        [option=value ...]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
import warnings
from pathlib import Path

import numpy as np

from hourglass import Embedder, readers
from hourglass.modalities import TileMaps

GAMES = {  # the size of windows, levels for the test, levels for validation
    "Super Mario Bros": ((14, 28), ("mario-1-3", "mario-4-1", "mario-6-2"), ("mario-1-2", "mario-5-1")),
    "Kid Icarus": ((32, 16), ("kidicarus_6",), ("kidicarus_3",)),
}


def levels(game: str, validation: bool) -> tuple[list[str], list[str]]:
    """Levels to train on and to judge."""
    data = readers.read(Path(os.environ["HOURGLASS_DATA"]) / "levels" / game)
    numbers = [Path(name).stem for name in data.names or ()]
    _, test, judged = GAMES[game]
    judged = judged if validation else test
    left_out = {*test, *judged}
    parts = [
        [text for text, number in zip(data.X, numbers, strict=True) if wanted(number)]
        for wanted in (lambda number: number not in left_out, lambda number: number in judged)
    ]
    return parts[0], parts[1]


def independent(train: np.ndarray, test: np.ndarray, n_tiles: int, by_row: bool) -> float:
    """Nats per tile of independent tiles (N, H, W), whose frequencies are those in training: over all, or by row."""
    rows = train.shape[1]
    counts = np.stack([(train == k).sum((0, 2)) for k in range(n_tiles)]) + 0.5  # (K, H)
    counts = counts if by_row else np.repeat(counts.sum(1, keepdims=True), rows, 1)
    log_p = np.log(counts / counts.sum(0))
    return -float(np.mean([log_p[test[:, row].astype(int), row].mean() for row in range(rows)]))


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", choices=list(GAMES), default="Super Mario Bros")
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--recipe", default="vae")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--controls", action="store_true", help="only what needs no training")
    parser.add_argument("options", nargs="*", help="of Embedder, as max_epochs=20")
    given = parser.parse_args()
    options = {name: _value(v) for name, _, v in (each.partition("=") for each in given.options)}
    train, test = levels(given.game, given.validation)
    modality = TileMaps(window=GAMES[given.game][0])
    fitted = modality.infer(train)
    tiles = [fitted.examples(part).rows()[:, 0].numpy() for part in (train, test)]
    for name, by_row in (("tile frequencies", False), ("independent tiles by row", True)):
        print(f"{name:28} {independent(*tiles, len(fitted.tiles), by_row):.3f}")
    for seed in range(0 if given.controls else given.seeds):
        start = time.process_time()
        embedder = Embedder(recipe=given.recipe, modality=modality, random_state=seed, n_threads=1, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            embedder.fit(train)
        seconds = time.process_time() - start
        n = np.prod(embedder.modality_.shape)
        weight = np.bincount(embedder.examples(test).record)
        one, twenty = (-np.average(embedder.score_samples(test, n_samples=k), weights=weight) / n for k in (1, 20))
        active = int((embedder.transform(test).var(0) > 0.01).sum())
        s = embedder.summary_
        print(
            f"{given.recipe} {options} seed {seed}: {one:.3f} (20 samples: {twenty:.3f}); code {embedder.n_latent_}, "
            f"{active} active, KL {s.kl / n:.3f}, held out {s.negative_elbo / n:.3f}, epoch {s.best_epoch} of "
            f"{s.epochs} of {s.max_epochs}, {seconds:.0f} CPU s",
            flush=True,
        )


if __name__ == "__main__":
    main()
