"""Music: MIDI files, and JSON files of note sets, read as pieces; and pieces written as MIDI.

Source: MIDI 1.0, by mido (an extra); Boulanger-Lewandowski et al. 2012, arXiv:1206.6392, for the note sets of the JSB
chorales.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers.data import Data
from hourglass.readers.decoding import decoding, reason_of

MIDI = (".mid", ".midi")
PITCHES = 128
DRUMS = 9  # the channel that General MIDI keeps for them
TEMPO = 500_000  # microseconds a quarter, 120 quarters a minute, where a file says nothing
VELOCITY = 80
MAX_QUARTERS = 100_000  # of one piece: more is no music


@dataclass(frozen=True, eq=False)
class Piece:
    """Notes, and how time is counted.

    Attributes
    ----------
    notes : (n, 3) whole numbers: pitch from 0 to 127, begin and end in ticks; ordered by begin and pitch.
    ticks : per quarter.
    length : ticks, to the end of the last note or beyond it.
    tempo : microseconds a quarter, at the beginning.
    meter : (4, 4) and the like, at the beginning.
    has_onsets : whether notes are known by their begin; note sets only say what sounds.
    """

    notes: np.ndarray
    ticks: int
    length: int
    tempo: int = TEMPO
    meter: tuple[int, int] = (4, 4)
    has_onsets: bool = True

    is_record = True

    def __len__(self) -> int:
        return len(self.notes)

    @property
    def quarters(self) -> float:
        return self.length / self.ticks


class Pieces(list[Piece]):
    """Pieces; `drums` counts the notes of drums that were left out."""

    def __init__(self, pieces: Iterable[Piece], drums: int = 0) -> None:
        super().__init__(pieces)
        self.drums = drums


def read(path: Path, files: Sequence[Path] | None = None) -> Data:
    """The piece of one .mid file, or of all those of a folder (`files`), each called by its path.

    The label of a piece is the first sub-folder on its path, where there are several. Files that cannot be read, or
    hold no note, are skipped and listed.
    """
    pieces, names, drums = [], [], 0
    skipped: list[tuple[str, str]] = []
    for file in [path] if files is None else [file for file in files if file.suffix.lower() in MIDI]:
        try:
            piece, n = read_midi(file)
        except ValueError as error:
            if files is None:
                raise
            skipped.append((str(file), reason_of(error)))
            continue
        pieces.append(piece)
        drums += n
        names.append((file.relative_to(path) if files is not None else Path(file.name)).as_posix())
    if not pieces:
        raise ValueError(f"{path}: no file of it can be read as music; {skipped[0][0]}: {skipped[0][1]}")
    tops = [name.partition("/")[0] if "/" in name else "" for name in names]
    labels = np.array(tops) if len(set(tops)) > 1 else None
    return Data(Pieces(pieces, drums), labels, tuple(names), "music", tuple(skipped), str(path))


def _mido() -> Any:
    try:
        import mido
    except ImportError as error:
        raise ImportError("MIDI files are read and written by mido: pip install 'hourglass-ae[music]'") from error
    return mido


def read_midi(file: Path) -> tuple[Piece, int]:
    """The notes of all tracks of a MIDI file, and how many of drums were left out.

    A note that begins while the same pitch of the same channel sounds ends it. Notes without an end last to the end.
    """
    mido = _mido()
    with decoding(file, "MIDI"):
        midi = mido.MidiFile(file, clip=True)
        messages = list(mido.merge_tracks(midi.tracks))
        ticks = int(midi.ticks_per_beat)
    notes: list[tuple[int, int, int]] = []
    sounding: dict[tuple[int, int], int] = {}
    now, drums, tempo, meter = 0, 0, None, None
    for message in messages:
        now += message.time
        if message.type == "set_tempo" and tempo is None:
            tempo = int(message.tempo)
        elif message.type == "time_signature" and meter is None:
            meter = (int(message.numerator), int(message.denominator))
        elif message.type in ("note_on", "note_off"):
            begins = message.type == "note_on" and message.velocity > 0
            if message.channel == DRUMS:
                drums += begins
                continue
            key = (message.channel, message.note)
            begin = sounding.pop(key, None)
            if begin is not None and now > begin:
                notes.append((message.note, begin, now))
            if begins:
                sounding[key] = now
    notes += [(note, begin, now) for (_, note), begin in sounding.items() if now > begin]
    if not notes:
        raise ValueError(f"{file}: holds no note" + (f" but {drums} of drums" if drums else ""))
    if ticks < 1 or now > MAX_QUARTERS * ticks:
        raise ValueError(f"{file}: is {now / max(ticks, 1):,.0f} quarters long; at most {MAX_QUARTERS:,} are read")
    ordered = np.array(sorted(set(notes), key=lambda note: (note[1], note[0])), dtype=np.int64)
    return Piece(ordered, ticks, int(ordered[:, 2].max()), tempo or TEMPO, meter or (4, 4)), drums


def looks_like_json(content: Any) -> bool:
    """Whether JSON holds note sets: {split: [piece, ...]} or [piece, ...], a piece being a list of lists of pitches."""
    splits = list(content.values()) if isinstance(content, dict) else [content]
    if not all(isinstance(split, list) for split in splits):
        return False
    pieces = [piece for split in splits for piece in split]
    return bool(pieces) and all(
        isinstance(piece, list) and all(isinstance(step, list) for step in piece) for piece in pieces
    )


def read_json(path: Path) -> Data:
    """A JSON file of note sets: pieces, in splits or not; a piece is a list of steps, a step a list of pitches.

    Negative pitches are silence. Steps are quarters, or sixteenths where the name of the file says "16". The label of a
    piece is its split.
    """
    with decoding(path, "JSON"):
        content = json.loads(path.read_text(encoding="utf-8"))
    if not looks_like_json(content):
        raise ValueError(f"{path}: holds no music: note sets are lists of steps, each a list of pitches")
    splits = content if isinstance(content, dict) else {"": content}
    ticks = 4 if "16" in path.name else 1
    pieces, names = Pieces([]), []
    for split, some in splits.items():
        for i, steps in enumerate(some):
            name = f"{split}/{i}" if split else str(i)
            pieces.append(_of_sets(steps, ticks, f"{path}, piece {name}"))
            names.append(name)
    labels = np.array([name.partition("/")[0] for name in names]) if len(splits) > 1 else None
    return Data(pieces, labels, tuple(names), "music", source=str(path))


def _of_sets(steps: Sequence[Sequence[Any]], ticks: int, where: str) -> Piece:
    roll = np.zeros((len(steps), PITCHES), dtype=bool)
    for i, step in enumerate(steps):
        for pitch in step:
            if (
                isinstance(pitch, bool)
                or not isinstance(pitch, (int, float))
                or pitch != int(pitch)
                or pitch >= PITCHES
            ):
                raise ValueError(f"{where}, step {i} holds {pitch!r}; pitches are whole numbers below {PITCHES}")
            if pitch >= 0:
                roll[i, int(pitch)] = True
    return of_roll(roll, None, ticks)


def of_roll(sounds: np.ndarray, begins: np.ndarray | None, ticks: int) -> Piece:
    """Which pitches sound (T, 128), and which begin there (None: where they did not sound before), T of a tick each."""
    onset = sounds & ~np.pad(sounds, ((1, 0), (0, 0)))[:-1]
    if begins is not None:
        onset |= begins & sounds
    steps, pitches = np.nonzero(onset)
    ends = np.pad(sounds & ~onset, ((0, 1), (0, 0)))  # goes on
    notes = []
    for step, pitch in zip(steps.tolist(), pitches.tolist(), strict=True):
        end = step + 1
        while ends[end, pitch]:
            end += 1
        notes.append((pitch, step, end))
    ordered = np.array(notes, dtype=np.int64).reshape(-1, 3)
    return Piece(ordered, ticks, len(sounds), has_onsets=begins is not None)


def to_midi(piece: Piece) -> bytes:
    """A MIDI file (type 0) of one piano track."""
    mido = _mido()
    scale = max(1, -(-24 // piece.ticks))  # of few ticks some programs make none
    track = mido.MidiTrack()
    numerator, denominator = piece.meter
    track.append(mido.MetaMessage("set_tempo", tempo=piece.tempo, time=0))
    track.append(mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator, time=0))
    events = [(end, 0, pitch) for pitch, _, end in piece.notes.tolist()]
    events += [(begin, 1, pitch) for pitch, begin, _ in piece.notes.tolist()]
    now = 0
    for at, begins, pitch in sorted(events):
        velocity = VELOCITY if begins else 0
        track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=(at - now) * scale))
        now = at
    track.append(mido.MetaMessage("end_of_track", time=(piece.length - now) * scale))
    midi = mido.MidiFile(type=0, ticks_per_beat=piece.ticks * scale)
    midi.tracks.append(track)
    content = io.BytesIO()
    midi.save(file=content)
    return content.getvalue()


def joined(pieces: Sequence[Piece]) -> Piece:
    """Pieces of the same ticks one after the other, each from a whole quarter on."""
    notes, length = [], 0
    for piece in pieces:
        notes.append(piece.notes + [0, length, length])
        length += -(-piece.length // piece.ticks) * piece.ticks
    return replace(pieces[0], notes=np.concatenate(notes), length=length)
