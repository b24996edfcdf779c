"""Alarms of a stream: merged into events, and watched for a change of what is normal. Memory does not grow with it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

WINDOW = 1_000  # rows that are judged together
STANDARD_ERRORS = 5.0  # by which the share of the odder half has to differ


@dataclass(frozen=True)
class Event:
    """Alarms that lie together: the first and the last row, how many there were, and the row with the highest score."""

    first: int
    last: int
    alarms: int
    peak: int
    score: float


@dataclass
class Events:
    """Merges alarms into events.

    Parameters
    ----------
    gap : at most so many rows without an alarm may lie inside of an event.
    min_alarms : events of fewer are dropped.
    cool_down : for so many rows after an event no other one begins.

    Examples
    --------
    >>> events = Events(gap=1)
    >>> list(events.update([True, False, True, False, False, True], [3, 0, 5, 0, 0, 2]))
    [Event(first=0, last=2, alarms=2, peak=2, score=5.0)]
    >>> list(events.finish())
    [Event(first=5, last=5, alarms=1, peak=5, score=2.0)]
    """

    gap: int = 0
    min_alarms: int = 1
    cool_down: int = 0
    _open: Event | None = None
    _row: int = 0
    _quiet_until: int = 0

    def update(self, alarms: ArrayLike, scores: ArrayLike) -> Iterator[Event]:
        """The events that end within these rows, (n,) each, which follow those before."""
        alarms, scores = np.asarray(alarms, dtype=bool), np.asarray(scores, dtype=np.float64)
        for i in np.flatnonzero(alarms).tolist():
            row, score = self._row + i, float(scores[i])
            if self._open is not None and row - self._open.last > self.gap + 1:
                yield from self.finish()
            if self._open is None:
                if row >= self._quiet_until:
                    self._open = Event(row, row, 1, row, score)
                continue
            event = self._open
            peak, highest = (row, score) if score > event.score else (event.peak, event.score)
            self._open = Event(event.first, row, event.alarms + 1, peak, highest)
        self._row += len(alarms)
        if self._open is not None and self._row - 1 - self._open.last > self.gap:
            yield from self.finish()

    def finish(self) -> Iterator[Event]:
        """The event that is open, if there is one."""
        event, self._open = self._open, None
        if event is not None and event.alarms >= self.min_alarms:
            self._quiet_until = event.last + 1 + self.cool_down
            yield event


class DriftWatch:
    """Watches whether rows still come from where those came from that the threshold was set on.

    Half of normal rows have p-values of at most 0.5, and few anomalies do not change that. A window in which the share
    differs by five standard errors, of the window and of the calibration, is said to have drifted.

    Parameters
    ----------
    n_calibration : how many rows the p-values rest on.
    window : how many rows are judged together.
    """

    def __init__(self, n_calibration: int, window: int = WINDOW) -> None:
        self.n_calibration = n_calibration
        self._odder: deque[bool] = deque(maxlen=window)
        self._told = False

    def update(self, p_values: ArrayLike) -> str | None:
        """A sentence when drift begins, once until it is over; else None."""
        self._odder.extend((np.asarray(p_values) <= 0.5).tolist())
        n = len(self._odder)
        if n < (self._odder.maxlen or n):
            return None
        share = sum(self._odder) / n
        has_drifted = abs(share - 0.5) > STANDARD_ERRORS * math.sqrt(0.25 / n + 0.25 / self.n_calibration)
        told, self._told = self._told, has_drifted
        if not has_drifted or told:
            return None
        side = "odder" if share > 0.5 else "less odd"
        return (
            f"what is normal has changed: of the last {n:,} rows {max(share, 1 - share):.0%} are {side} than the "
            "middle of those that the threshold was set on, instead of half of them; the false-alarm rate no longer "
            "holds. Fit again on rows of now"
        )
