"""Recordings of hearts, brains and the like: WFDB (PhysioNet) and EDF, as series. Both need a package of their own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers.decoding import decoding

WFDB, EDF = (".hea",), (".edf", ".bdf")
SUFFIXES = (*WFDB, *EDF)


def table_of(path: Path) -> Any:
    """The signals of a recording as a `pyarrow.Table`, a column each, in physical units.

    Raises
    ------
    ImportError : where the package that reads it is not there, saying how to install it.
    ValueError : for a file that cannot be read.
    """
    import pyarrow as pa

    names, signals = _of_wfdb(path) if path.suffix.lower() in WFDB else _of_edf(path)
    counts: Counter[str] = Counter()
    columns = {}
    for name, signal in zip(names, signals, strict=True):
        counts[name] += 1
        columns[name if counts[name] == 1 else f"{name} {counts[name]}"] = np.asarray(signal, dtype=np.float64)
    return pa.table(columns)


def _of_wfdb(path: Path) -> tuple[list[str], Any]:
    try:
        import wfdb
    except ImportError as error:
        raise ImportError(f"{path}: WFDB records are read by wfdb: pip install wfdb") from error
    with decoding(path, "WFDB"):
        record = wfdb.rdrecord(str(path.with_suffix("")))
        return list(record.sig_name), record.p_signal.T


def _of_edf(path: Path) -> tuple[list[str], Any]:
    """The signals of the most frequent rate; others would have instants of their own."""
    try:
        import pyedflib
    except ImportError as error:
        raise ImportError(f"{path}: EDF files are read by pyEDFlib: pip install pyedflib") from error
    with decoding(path, "EDF"), pyedflib.EdfReader(str(path)) as file:
        labels = [label.strip() for label in file.getSignalLabels()]
        rates = [float(file.getSampleFrequency(i)) for i in range(len(labels))]
        usual, _ = Counter(rates).most_common(1)[0]
        kept = [i for i, (label, rate) in enumerate(zip(labels, rates, strict=True)) if rate == usual
                and label != "EDF Annotations"]  # fmt: skip
        return [labels[i] for i in kept], [file.readSignal(i) for i in kept]
