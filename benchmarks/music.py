"""JSB chorales: nats per frame of pieces that were not seen, and MIDI files there and back.

    HOURGLASS_DATA=... python benchmarks/music.py nats [--validation] [--seeds 3] [option=value ...]
    HOURGLASS_DATA=... python benchmarks/music.py midi

`nats`: note sets on a grid of quarters, split into 229, 76 and 77 pieces as published. Trained on the first, judged on
the last, or with --validation on the second: settings are chosen there. Pieces are cut into windows that share no
frame; nats are minus the bound of log p with one and with 50 samples of the code, over all frames. Beside it, fitted on
the same training pieces: `static`, a probability for each pitch; `Markov`, a probability for each pitch given that it
sounded in the frame before. Options are those of `Embedder`; `network=conv`, `modality="music bars=8"`.

`midi`: every file of the folder is read, put on the grid, cut, put together, written, and read again by mido: how many
notes there are before and after on the grid, and how many files come back the same.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from hourglass import Embedder, readers
from hourglass.estimators import passes
from hourglass.modalities import Music
from hourglass.readers.music import read_midi, to_midi

DATA = Path(os.environ.get("HOURGLASS_DATA", ".")) / "music"


def parts() -> dict[str, list]:
    data = readers.read(DATA / "jsb/jsb-chorales-quarter.json")
    return {split: [p for p, of in zip(data.X, data.labels, strict=True) if of == split] for split in set(data.labels)}


def rolls(pieces: list) -> list[np.ndarray]:
    modality = Music(transpose=False).infer(pieces)
    found = []
    for piece in pieces:
        roll = np.zeros((piece.length, 128), dtype=bool)
        roll[:, modality.lowest : modality.lowest + modality.n_pitches] = modality._planes(piece)[0]
        found.append(roll)
    return found


def controls(train: list, test: list) -> dict[str, float]:
    learned, judged = rolls(train), rolls(test)
    every = np.concatenate(learned)
    p = (every.sum(0) + 0.5) / (len(every) + 1)
    after = np.ones((2, 128)), np.full((2, 128), 2.0)  # sounding, and all, by what was before
    for roll in learned:
        before = np.pad(roll, ((1, 0), (0, 0)))[:-1]
        for state in (0, 1):
            after[0][state] += (roll & (before == state)).sum(0)
            after[1][state] += (before == state).sum(0)
    q = after[0] / after[1]
    nats = {"static": 0.0, "Markov": 0.0}
    for roll in judged:
        before = np.pad(roll, ((1, 0), (0, 0)))[:-1].astype(int)
        given = np.take_along_axis(q, before, 0)
        nats["static"] -= np.log(np.where(roll, p, 1 - p)).sum()
        nats["Markov"] -= np.log(np.where(roll, given, 1 - given)).sum()
    frames = sum(map(len, judged))
    return {name: total / frames for name, total in nats.items()}


def nats_per_frame(model: Embedder, pieces: list, samples: int) -> float:
    modality = model.modality_
    windows = []
    for piece in pieces:
        cells = modality._cells(piece).astype(np.float32)
        padded = np.full((-(-len(cells) // modality.width) * modality.width, cells.shape[1]), np.nan, np.float32)
        padded[: len(cells)] = cells
        windows.append(padded.reshape(-1, modality.width, cells.shape[1]))
    raw = torch.from_numpy(np.concatenate(windows)).transpose(1, 2).contiguous()
    frames = int((~raw[:, 0].isnan()).sum())
    scores = passes.evidence(model.model_, raw, None, samples, 0).double()
    unknown = 0.0  # what a missing cell counts is taken out again
    if (missing := raw.isnan()).any():
        likelihood = model.model_.decode.likelihood
        unknown = float((likelihood.log_prob_missing.double().expand(raw.shape[1:]) * missing).sum())
    return float(-(scores.sum() - unknown) / frames)


def nats(arguments: argparse.Namespace) -> None:
    data = parts()
    test = data["valid" if arguments.validation else "test"]
    print({name: round(value, 2) for name, value in controls(data["train"], test).items()})
    options = {key: json.loads(value) if value[:1].isdigit() else value
               for key, value in (o.split("=", 1) for o in arguments.options)}  # fmt: skip
    found = []
    for seed in range(arguments.seeds):
        start = time.perf_counter()
        model = Embedder(**{"modality": "music", "n_threads": 1, "random_state": seed, **options}).fit(data["train"])
        seconds = time.perf_counter() - start
        figures = [nats_per_frame(model, test, samples) for samples in (1, 50)]
        found.append(figures)
        s = model.summary_
        print(f"seed {seed}: {figures[0]:.3f} bound, {figures[1]:.3f} with 50 samples; code {model.n_latent_}, KL "
              f"{s.kl:.1f} a window, {s.active_units} active, epoch {s.best_epoch} of {s.epochs}, {seconds:.0f} s",
              flush=True)  # fmt: skip
    print("median", np.round(np.median(found, axis=0), 3))


def midi() -> None:
    data = readers.read(DATA / "midi")
    modality = Music().infer(data.X)
    print(f"{len(data.X)} files read, {len(data.skipped)} not; {modality.describe()}")
    examples = modality.examples(data.X)
    same, before, after = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for piece, back in zip(data.X, modality.stitch(examples, examples.rows(), data.X), strict=True):
            file = Path(folder) / "a.mid"
            file.write_bytes(to_midi(back))
            one, other = modality._planes(piece), modality._planes(read_midi(file)[0])
            n = len(other[0])
            before, after = before + int(one[1].sum()), after + int(other[1].sum())
            same += all(np.array_equal(a[:n], b) and not a[n:].any() for a, b in zip(one, other, strict=True))
    print(f"{same} of {len(data.X)} files come back the same; notes on the grid before {before:,}, after {after:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["nats", "midi"])
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("options", nargs="*")
    arguments = parser.parse_intermixed_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    {"nats": lambda: nats(arguments), "midi": midi}[arguments.what]()


if __name__ == "__main__":
    main()
