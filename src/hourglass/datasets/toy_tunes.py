"""Tunes of our own making: a melody over chords, in the keys and steps of folk music, composed by a few rules."""

from __future__ import annotations

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.readers.data import Data
from hourglass.readers.music import Piece, Pieces

N, BARS, STEPS = 60, 8, 4  # steps a quarter
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
CHORDS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3))  # degrees, a bar each
RHYTHMS = ((4, 4, 4, 4), (4, 2, 2, 4, 4), (6, 2, 4, 4), (8, 4, 4), (2, 2, 2, 2, 4, 4))


def read(split: str) -> Data:
    """60 tunes of 8 bars, labelled major or minor."""
    rng = np.random.default_rng(0)
    scales = [list(SCALES)[i % 2] for i in range(N)]
    pieces = Pieces(_tune(SCALES[scale], rng) for scale in scales)
    names = tuple(f"{scale}/{i // 2}" for i, scale in enumerate(scales))
    return Data(pieces, np.array(scales), names, "music", source="toy_tunes")


def _tune(scale: tuple[int, ...], rng: np.random.Generator) -> Piece:
    tonic, chords = 60 + int(rng.integers(-5, 6)), CHORDS[rng.integers(len(CHORDS))]
    motif = RHYTHMS[rng.integers(len(RHYTHMS))]

    def pitch(degree: int) -> int:
        return tonic + 12 * (degree // 7) + scale[degree % 7]

    notes, degree = [], 7 + int(rng.choice([0, 2, 4]))
    for bar in range(BARS):
        begin, root = bar * 4 * STEPS, chords[bar % 4]
        notes += [(pitch(root + k) - 12, begin, begin + 4 * STEPS) for k in (0, 2, 4)]
        rhythm: tuple[int, ...] = motif if bar % 2 == 0 else RHYTHMS[rng.integers(len(RHYTHMS))]
        if bar == BARS - 1:
            rhythm, degree = (16,), 7
        for length in rhythm:
            notes.append((pitch(degree), begin, begin + length))
            begin += length
            near = [d for d in range(degree - 2, degree + 3) if 5 <= d <= 13 and d != degree]
            in_chord = [d for d in near if (d - root) % 7 in (0, 2, 4)]
            degree = int(rng.choice(in_chord if in_chord and rng.random() < 0.7 else near))
    ordered = np.array(sorted(set(notes), key=lambda note: (note[1], note[0])))
    return Piece(ordered, STEPS, BARS * 4 * STEPS)


TOY_TUNES = Dataset(
    name="toy_tunes",
    title="tunes of our own making: a melody over chords, in major and minor",
    kind="music",
    rows={"all": N},
    licence="MIT, as Hourglass itself",
    citation="none: it is computed",
    read=read,
)
