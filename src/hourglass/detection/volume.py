"""Volume under the surface: how well scores of instants rank anomalous stretches, whose edges nobody knows exactly.

Source: Paparrizos, Boniol, Palpanas, Tsay, Elmore, Franklin 2022, "Volume under the surface: a new accuracy evaluation
measure for time-series anomaly detection", PVLDB 15(11); the form of TSB-AD (Liu and Paparrizos 2024).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import argrelextrema

THRESHOLDS = 250
LAGS, FIRST_LAG = 400, 3
SHORTEST, LONGEST, OTHERWISE = 3, 300, 125  # instants, of a period that is believed
MAX_INSTANTS = 20_000


def volume_under_pr(is_anomaly: ArrayLike, scores: ArrayLike, width: int) -> float:
    """VUS-PR: the mean area under precision and recall over tolerances of 0, 1, ..., `width` instants.

    With a tolerance of w, instants within w / 2 of an anomalous stretch count as anomalous by sqrt(1 - distance / w)
    where they raise an alarm. Recall is multiplied by the share of stretches that have any alarm.

    Parameters
    ----------
    is_anomaly, scores : (T,) each; higher scores are more anomalous.
    width : the largest tolerance, usually one period, see `period`.

    Raises
    ------
    ValueError : where no instant is anomalous, or lengths differ.
    """
    truth, found = np.asarray(is_anomaly, dtype=bool), np.asarray(scores, dtype=np.float64)
    if truth.shape != found.shape or not truth.any():
        raise ValueError(f"labels {truth.shape} with an anomaly among them are needed for scores {found.shape}")
    order = np.argsort(-found, kind="stable")
    falling = found[order]
    thresholds = falling[np.linspace(0, len(found) - 1, THRESHOLDS).astype(int)]
    alarms = np.searchsorted(-falling, -thresholds, side="right")  # how many scores are at least as large
    stretches = _stretches(truth)
    areas = []
    for w in range(width + 1):
        weight = _with_edges(truth, stretches, w)
        hits = np.concatenate([[0.0], np.cumsum(weight[order])])[alarms]
        at_edges = np.concatenate([[0.0], np.cumsum(np.where(truth, 0.0, weight)[order])])[alarms]
        highest = np.array([found[first : last + 1].max() for first, last in _widened(stretches, w, len(found))])
        share = (highest[None] >= thresholds[:, None]).mean(1)
        recall = share * np.minimum(hits / (truth.sum() + at_edges / 2), 1)
        areas.append(float(np.diff(recall, prepend=0.0) @ (hits / alarms)))
    return float(np.mean(areas))


def period(signal: ArrayLike) -> int:
    """The lag of the highest peak of the autocorrelation of (T,), 3 to 300 instants; 125 where there is none."""
    x = np.asarray(signal, dtype=np.float64)[:MAX_INSTANTS]
    x = x - x.mean()
    n = 2 ** int(np.ceil(np.log2(2 * len(x))))
    spectrum = np.fft.rfft(x, n)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), n)[FIRST_LAG : min(LAGS, len(x) - 1) + 1]
    peaks = argrelextrema(correlation, np.greater)[0]
    if not len(peaks):
        return OTHERWISE
    best = int(peaks[correlation[peaks].argmax()])
    return best + FIRST_LAG if SHORTEST <= best <= LONGEST else OTHERWISE


def _stretches(truth: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First and last instant of each anomalous stretch, (K, 2)."""
    steps = np.diff(truth.astype(np.int8), prepend=0, append=0)
    return np.stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1], 1)


def _with_edges(truth: NDArray[np.bool_], stretches: NDArray[np.int64], w: int) -> NDArray[np.float64]:
    weight = truth.astype(np.float64)
    for first, last in stretches.tolist():
        after = np.arange(last + 1, min(last + w // 2 + 1, len(truth)))
        weight[after] += np.sqrt(1 - (after - last) / w) if w else 0.0
        before = np.arange(max(first - w // 2, 0), first)
        weight[before] += np.sqrt(1 - (first - before) / w) if w else 0.0
    return np.minimum(weight, 1.0)


def _widened(stretches: NDArray[np.int64], w: int, n: int) -> list[tuple[int, int]]:
    """Stretches with their edges, joined where these meet."""
    joined: list[tuple[int, int]] = []
    for first, last in stretches.tolist():
        low, high = max(first - w // 2, 0), min(last + w // 2, n - 1)
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], high
        else:
            joined.append((low, high))
    return joined
