"""How pieces of music look, and how they are written: as MIDI, as sound, as note sets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.modalities import Music
from hourglass.readers.music import MIDI, Piece, joined, to_midi
from hourglass.readers.writing import file_stem, written_whole
from hourglass.views.forms import Pictures

Chunks = Iterable[tuple[Any, Sequence[str] | None]]

BEGIN, HELD = 255, 150  # levels of a note in a piano roll
RATE = 22_050  # samples a second
HARMONICS, DECAY, ATTACK, RELEASE = 6, 1.2, 0.01, 0.05  # of a note; seconds
LOUDEST = 0.9


def view(modality: Music, examples: Any) -> Pictures:
    """Piano rolls: time to the right, pitch upwards; where a note begins is lighter."""
    rolls = [_levels(modality, piece) for piece in examples]
    width = max(map(len, rolls), default=1)
    levels = np.zeros((len(rolls), 1, modality.n_pitches, width), dtype=np.uint8)
    for i, roll in enumerate(rolls):
        levels[i, 0, :, : len(roll)] = roll.T[::-1]
    return Pictures(levels)


def _levels(modality: Music, piece: Piece) -> np.ndarray:
    """(T, P)."""
    sounds, begins = modality._planes(piece)
    return np.where(begins & sounds, BEGIN, np.where(sounds, HELD, 0))


def sound(piece: Piece) -> np.ndarray:
    """The samples of a piece (T,), from -1 to 1: each note a few harmonics that fade."""
    second = piece.tempo / 1e6 / piece.ticks
    samples = np.zeros(int((piece.length * second + 2 * RELEASE) * RATE) + 1, dtype=np.float32)
    for pitch, begin, end in piece.notes.tolist():
        hertz, length = 440.0 * 2 ** ((pitch - 69) / 12), (end - begin) * second + RELEASE
        t = np.arange(int(length * RATE)) / RATE
        wave = sum(np.sin(2 * np.pi * k * hertz * t) / k**1.5 for k in range(1, HARMONICS + 1) if k * hertz < RATE / 2)
        shape = np.minimum(t / ATTACK, 1) * np.exp(-t / DECAY) * np.minimum((length - t) / RELEASE, 1)
        first = int(begin * second * RATE)
        samples[first : first + len(t)] += (wave * shape)[: len(samples) - first]
    loudest = float(np.abs(samples).max())
    return samples * (LOUDEST / loudest) if loudest else samples


def _content(piece: Piece, ending: str) -> bytes:
    if ending != ".wav":
        return to_midi(piece)
    import io

    from scipy.io import wavfile

    file = io.BytesIO()
    wavfile.write(file, RATE, np.rint(sound(piece) * (2**15 - 1)).astype(np.int16))
    return file.getvalue()


def _one_file(path: Path, chunks: Chunks, modality: Music) -> int:
    """One piece; several one after the other."""
    pieces = [piece for examples, _ in chunks for piece in examples]
    with written_whole(path) as temporary:
        temporary.write_bytes(_content(joined(pieces), path.suffix.lower()))
    return len(pieces)


def _sets(path: Path, chunks: Chunks, modality: Music) -> int:
    """Note sets: for each piece a list of steps, each a list of pitches."""
    pieces = []
    for examples, _ in chunks:
        for piece in examples:
            sounds, _ = modality._planes(piece)
            pieces.append([(np.flatnonzero(step) + modality.lowest).tolist() for step in sounds])
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(pieces), encoding="utf-8")
    return len(pieces)


def _folder(path: Path, chunks: Chunks, modality: Music) -> int:
    """A .mid file for each piece, under the name of its record."""
    n = 0
    with written_whole(path) as temporary:
        for examples, names in chunks:
            for piece, name in zip(examples, names or [""] * len(examples), strict=True):
                file = temporary / f"{file_stem(name, MIDI) if name else f'{n:05}'}.mid"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(to_midi(piece))
                n += 1
    return n


WRITERS = {".mid": _one_file, ".wav": _one_file, ".json": _sets, "": _folder}
