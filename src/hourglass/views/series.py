"""How series look, and how they are written: one below the other in a table, one per file of a folder, or as sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hourglass import readers
from hourglass.modalities import Series
from hourglass.readers import containers
from hourglass.readers.memory import as_arrow
from hourglass.readers.series import SOUND, TABLES
from hourglass.readers.writing import file_stem, written_whole
from hourglass.views import tables
from hourglass.views.forms import Lines

Chunks = Iterable[tuple[Any, Sequence[str] | None]]


def view(modality: Series, examples: Any) -> Lines:
    """Series, or windows of them; those shorter than the longest end in NaN. Categories are their places."""
    each = _each(modality, examples)
    cells = tables.view(modality.channels, modality._of_channels(containers.concatenate(each)))
    values = np.full((len(each), cells.values.shape[1], max(map(len, each))), np.nan)
    done = 0
    for i, one in enumerate(each):
        values[i, :, : len(one)] = cells.values[done : done + len(one)].T
        done += len(one)
    return Lines(np.where(np.isfinite(values), values, np.nan), cells.names)


def _is_one(modality: Series, examples: Any) -> bool:
    """Whether this is one table, and not several series."""
    return containers.is_frame(examples) or (
        isinstance(examples, np.ndarray) and examples.ndim == (1 if modality.is_flat else 2)
    )


def _each(modality: Series, examples: Any) -> list[Any]:
    """Tables of one series each."""
    each = [examples] if _is_one(modality, examples) else list(examples)
    return [np.asarray(x)[:, None] if modality.is_flat and np.ndim(x) == 1 else x for x in each]


def _table(modality: Series, one: Any) -> Any:
    """A series as a `pyarrow.Table`, its columns called as the channels are."""
    table = as_arrow(one, "series")
    names = [column.name for column in modality.channels.columns]
    return table if containers.is_frame(one) or table.num_columns != len(names) else table.rename_columns(names)


def _as_table(path: Path, chunks: Chunks, modality: Series) -> int:
    """One series as it is; of several, one below the other, with the columns `series` and `instant` before theirs."""
    import pyarrow as pa

    n = 0

    def long() -> Iterable[tuple[Any, None]]:
        nonlocal n
        for examples, names in chunks:
            if _is_one(modality, examples):
                n += 1
                yield _table(modality, _each(modality, examples)[0]), None
                continue
            for i, one in enumerate(_each(modality, examples)):
                table = _table(modality, one)
                name = str(n) if names is None else names[i]
                table = table.add_column(0, _free("instant", table), pa.array(np.arange(len(table))))
                yield table.add_column(0, _free("series", table), pa.array([name] * len(table))), None
                n += 1

    columns = modality.channels.columns
    decimals = {c.name: c.decimals_written for c in columns if c.decimals_written is not None}
    readers.write_chunks(path, long(), decimals=decimals)
    return n


def _free(name: str, table: Any) -> str:
    """The name, or with a line below it where a channel is called so."""
    return name if name not in table.column_names else f"{name}_"


def _as_array(path: Path, chunks: Chunks, modality: Series) -> int:
    parts = [(examples, names) for examples, names in chunks]
    arrays = [_numbers(modality, examples) for examples, _ in parts]
    names = [name for _, own in parts for name in own or ()] or None
    values = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    readers.write(path, values, index=names if names and len(names) == len(values) else None)
    return 1 if _is_one(modality, parts[0][0]) else len(values)


def _numbers(modality: Series, examples: Any) -> np.ndarray:
    if isinstance(examples, np.ndarray):
        return examples
    values = np.moveaxis(view(modality, examples).values, 1, 2)  # (N, T, C)
    return values[0] if _is_one(modality, examples) else values


def _folder(path: Path, chunks: Chunks, modality: Series) -> int:
    """One .csv file for each series, or one .wav file of sound, under the name of its record."""
    ending = ".wav" if modality.rate else ".csv"
    n = 0
    with written_whole(path) as temporary:
        for examples, names in chunks:
            each = _each(modality, examples)
            for one, name in zip(each, names or [""] * len(each), strict=True):
                file = temporary / f"{file_stem(name, (*TABLES, *SOUND)) if name else f'{n:05}'}{ending}"
                file.parent.mkdir(parents=True, exist_ok=True)
                if modality.rate:
                    _write_sound(file, one, modality.rate)
                else:
                    readers.write(file, _table(modality, one))
                n += 1
    return n


def _sound(path: Path, chunks: Chunks, modality: Series) -> int:
    """One .wav file; several series one after the other."""
    each = [one for examples, _ in chunks for one in _each(modality, examples)]
    with written_whole(path) as temporary:
        _write_sound(temporary, np.concatenate(each), modality.rate or 1)
    return len(each)


def _write_sound(path: Path, samples: Any, rate: int) -> None:
    from scipy.io import wavfile

    levels = np.rint(np.clip(np.nan_to_num(np.asarray(samples)), -1, 1) * (2**15 - 1)).astype(np.int16)
    with path.open("wb") as file:
        wavfile.write(file, rate, levels)


ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
WRITERS = dict.fromkeys(ENDINGS, _as_table) | {".npy": _as_array, ".npz": _as_array, ".wav": _sound, "": _folder}
