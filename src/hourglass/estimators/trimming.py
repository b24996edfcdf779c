"""Training data without the rows that look like anomalies."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone

from hourglass import readers
from hourglass.detection.members import NEIGHBOURS
from hourglass.estimators import data_in
from hourglass.estimators.anomaly_scores import vectors_of
from hourglass.readers import containers
from hourglass.training import threads

MARGIN = 1.5  # neighbours looked at, beyond the share that is trimmed


def trimmed(detector: Any, X: Any, condition: Any) -> tuple[Any, Any]:
    """X and condition without the share `detector.trim` of rows that a first fit finds the oddest.

    By the sum of two ranks: of measures that know no neighbours, and of the distance to the k-th stored row, k being
    larger than the share of anomalies, so that those that lie together do not vouch for each other.

    Raises
    ------
    TypeError : for a ParquetStream, and for windows.
    """
    share = detector.trim
    if isinstance(X, readers.ParquetStream):
        raise TypeError(f"trim={share:g} is for data in memory: leave it out for a ParquetStream")
    data = data_in.read(X)
    first = clone(detector).set_params(trim=0.0, groups=None, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the second fit says all of it again
        first.fit(data, condition=condition)
        given = first.given(data, condition)
    if given.examples is not None:
        raise TypeError(f"trim={share:g} is for whole records, and these are cut into windows: leave it out")
    with threads(detector.n_threads):
        scoring, scorer = first.scoring, first.scorer_
        alone = [name not in NEIGHBOURS for name in scorer.names]
        ranks = rankdata(scoring.parts(given)[:, alone].sum(1))
        if scorer.rows is not None:
            k = math.ceil(MARGIN * share * len(scorer.rows)) + 1
            ranks += rankdata(scorer.rows.kth_distance(vectors_of(first.model_, given.rows, first.device), k))
    kept = np.sort(np.argsort(-ranks, kind="stable")[round(share * len(ranks)) :])
    if condition is not None and not _names_columns(condition, data.X):
        condition = containers.take(containers.canonical(condition), kept)
    names = None if data.names is None else tuple(data.names[i] for i in kept.tolist())
    labels = None if data.labels is None else data.labels[kept]
    return replace(data, X=containers.take(data.X, kept), labels=labels, names=names), condition


def _names_columns(condition: Any, X: Any) -> bool:
    """Whether a condition names columns of X instead of holding values."""
    names = [condition] if isinstance(condition, str) else condition
    return isinstance(names, list | tuple) and set(map(str, names)) <= set(containers.column_names(X) or ())
