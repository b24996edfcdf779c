"""Series: folders of tables or recordings, each a record of its own, and sound files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hourglass.readers import delimited, recordings
from hourglass.readers.data import Data
from hourglass.readers.decoding import decoding, reason_of

SOUND = (".wav",)
TABLES = (".csv", ".tsv")
ALL = (*SOUND, *TABLES, *recordings.SUFFIXES)
Form = Literal["list", "one", "stack", "long"]


class Records(list[Any]):
    """Series, each a table of one row per instant: an array (T, C), or a frame whose columns are channels.

    Attributes
    ----------
    form : how they were handed in: a list of tables, "one" table, a "stack" (N, T, C), or a "long" table of all
        records, one below the other or mixed.
    whole : the long table; None otherwise.
    rows : where its rows stand, record after record, (T,).
    names : what the long table calls each record.
    is_flat : whether arrays had no axis of channels.
    rate : samples per second of sound; None for other series.
    """

    def __init__(
        self,
        records: Iterable[Any],
        form: Form = "list",
        whole: Any = None,
        rows: np.ndarray | None = None,
        names: tuple[str, ...] | None = None,
        is_flat: bool = False,
        rate: int | None = None,
    ) -> None:
        super().__init__(records)
        self.form: Form = form
        self.whole, self.rows, self.names, self.is_flat, self.rate = whole, rows, names, is_flat, rate


def are_among(files: Sequence[Path], kinds: Counter[str]) -> bool:
    """Whether most of the files of a folder, but a licence or the like, are tables or sound; `kinds` counts endings."""
    n = sum(kinds[suffix] for suffix in ALL)
    return n > 0 and 2 * n >= len(files)


def read_sound(path: Path) -> Data:
    """A .wav file: one record (T, C), from -1 to 1."""
    samples, rate = _samples(path)
    return Data(Records([samples], "one", is_flat=samples.shape[1] == 1, rate=rate), kind="series", source=str(path))


def read_recording(path: Path) -> Data:
    """A WFDB record or an EDF file: one table."""
    return Data(Records([recordings.table_of(path)], "one"), kind="series", source=str(path))


def read(path: Path, files: Sequence[Path]) -> Data:
    """A folder of .csv or .tsv tables of the same columns, of recordings of the same signals, or of .wav files.

    Each is a record, called by its path.

    The label of a record is the first sub-folder on its path, where there are several. Files that cannot be read, or
    have other columns than the first, are skipped and listed.

    Raises ValueError if none is left.
    """
    records: list[Any] = []
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    there = {file.suffix.lower() for file in files}
    kind = next(suffixes for suffixes in (SOUND, recordings.SUFFIXES, TABLES) if there & set(suffixes))
    rate, of_sound = None, kind == SOUND
    for file in [file for file in files if file.suffix.lower() in kind]:
        try:
            if of_sound:
                record, own = _samples(file)
                rate = rate or own
                if records and (own, record.shape[1]) != (rate, records[0].shape[1]):
                    known = f"{rate} Hz and {records[0].shape[1]} channels"
                    raise ValueError(f"has {own} Hz and {record.shape[1]} channels, and the first file {known}")
            else:
                record = delimited.read_csv(file) if kind == TABLES else recordings.table_of(file)
                if records and record.column_names != records[0].column_names:
                    known = ", ".join(records[0].column_names)
                    raise ValueError(f"its columns are not those of the first file, {known}")
        except ValueError as error:
            skipped.append((str(file), reason_of(error)))
            continue
        records.append(record)
        names.append(file.relative_to(path).as_posix())
    if not records:
        raise ValueError(f"{path}: no file of it can be read as a series; {skipped[0][0]}: {skipped[0][1]}")
    tops = [name.partition("/")[0] if "/" in name else "" for name in names]
    return Data(
        Records(records, is_flat=of_sound and records[0].shape[1] == 1, rate=rate),
        np.array(tops) if len(set(tops)) > 1 else None,
        tuple(names),
        kind="series",
        skipped=tuple(skipped),
        source=str(path),
    )


def _samples(path: Path) -> tuple[np.ndarray, int]:
    """Samples (T, C) float32 from -1 to 1, and how many there are in a second."""
    from scipy.io import wavfile

    with decoding(path, "a WAV file"):
        rate, samples = wavfile.read(path)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if not len(samples):
        raise ValueError(f"{path}: holds no samples")
    if samples.dtype.kind == "f":
        return samples.astype(np.float32), int(rate)
    if samples.dtype == np.uint8:
        return ((samples.astype(np.float32) - 128) / 128), int(rate)
    return (samples / np.float32(2 ** (8 * samples.dtype.itemsize - 1))).astype(np.float32), int(rate)
