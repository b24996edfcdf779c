"""The list of public data sets. A new one is a line here and, if nothing here reads it, a file of its own."""

from __future__ import annotations

import difflib
from typing import Any

from hourglass.datasets import (
    dsprites,
    mnist,
    nsl_kdd,
    scikit_learn,
    toy_levels,
    toy_log,
    toy_payments,
    toy_series,
    toy_tunes,
)
from hourglass.datasets.dataset import Dataset, Split
from hourglass.readers.data import Data

DATASETS = (
    scikit_learn.DIGITS,
    mnist.MNIST,
    mnist.FASHION_MNIST,
    dsprites.DSPRITES,
    nsl_kdd.NSL_KDD,
    scikit_learn.IRIS,
    scikit_learn.WINE,
    scikit_learn.BREAST_CANCER,
    scikit_learn.DIABETES,
    scikit_learn.PHOTOS,
    toy_levels.TOY_LEVELS,
    toy_log.TOY_LOG,
    toy_payments.TOY_PAYMENTS,
    toy_series.TOY_SERIES,
    toy_tunes.TOY_TUNES,
)


def names() -> dict[str, Dataset]:
    """Every data set that `load` knows, by name.

    Examples
    --------
    >>> names()["mnist"].rows
    {'train': 60000, 'test': 10000}
    """
    return {dataset.name: dataset for dataset in DATASETS}


def load(name: str, split: Split = "train", **options: Any) -> Data:
    """Examples of a public data set, with labels.

    Parameters
    ----------
    name : str
        One of `names()`.
    split : {"train", "test", "all"}, default "train"
        As its authors split it; sets without a split are given whole for "train" and "all".
    **options
        For dsprites: `n`, how many of its 737,280 pictures (default 20000), and `seed` (default 0).

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        For an unknown name (with the nearest one) or a split that does not exist.
    ConnectionError
        If the files are not available locally and cannot be downloaded; it says what to put where.

    Examples
    --------
    >>> load("digits").X.shape
    (1797, 1, 8, 8)
    >>> load("dsprites", n=5).X.shape
    (5, 1, 64, 64)
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? There" if near else "there"
        raise ValueError(f"name={name!r}: no such data set; {hint} are {', '.join(known)}")
    if options and known[name].read is not dsprites.read:
        raise TypeError(f"{name} takes no option {sorted(options)[0]!r}; only dsprites takes n and seed")
    return known[name].load(split, **options)
