"""Anomaly scores -> p-values, and a threshold that raises false alarms at a rate the user chose.

Split conformal prediction: scores of held-out normal examples, which nothing was fitted to, are exchangeable with that
of a new normal one. Its p-value, the share of them that are at least as large, is then at most alpha with a probability
of at most alpha, whatever the model and the data. This does not hold for autocorrelated series.

Source: Bates, Candes, Lei, Romano, Sesia 2023, "Testing for outliers with conformal p-values", arXiv:2104.08279.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


class Interval(NamedTuple):
    """Both ends of a range."""

    low: float
    high: float


MIN_FREE = 4  # degrees of freedom of the limit for few independent scores


def check_rate(rate: Any) -> float:
    """The false-alarm rate as a number; raises ValueError for one that is not between 0 and 1."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)) or not 0 < rate < 1:
        raise ValueError(f"false_alarm_rate={rate!r} must lie between 0 and 1, such as 0.01")
    return float(rate)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Anomaly scores of held-out normal examples, and the false-alarm rate that is wanted.

    Attributes
    ----------
    scores : (n,) ascending; higher is more anomalous.
    rate : the share of normal examples that may raise an alarm.
    n_independent : how many of the scores are independent: fewer than n where they are of the instants of a series.
        Then nothing is promised, and the interval is a guide: that of as many scores as are independent.

    Examples
    --------
    >>> calibration = Calibration.fit(np.arange(199.0), rate=0.01)
    >>> calibration.threshold
    197.0
    >>> calibration.p_values([300.0, 100.0])
    array([0.005, 0.5  ])
    """

    scores: NDArray[np.float64]
    rate: float
    n_independent: int

    @classmethod
    def fit(cls, scores: ArrayLike, rate: float, n_independent: int | None = None) -> Calibration:
        """From scores (n,) of held-out normal examples, at least one of them."""
        found = np.sort(np.asarray(scores, dtype=np.float64).ravel())
        if not len(found):
            raise ValueError("no example was held out to calibrate on")
        return cls(found, check_rate(rate), len(found) if n_independent is None else min(n_independent, len(found)))

    def with_rate(self, rate: float) -> Calibration:
        """The same scores under another rate."""
        return replace(self, rate=check_rate(rate))

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def lowest_rate(self) -> float:
        """The lowest false-alarm rate that so many examples can promise: 1 / (n + 1)."""
        return 1 / (len(self) + 1)

    @property
    def rank(self) -> int:
        """How many of the calibration scores are not below the threshold, k = floor(rate (n + 1)), and at least 1."""
        # a rate such as 0.29 of 100 is 28.999999999999996 in floating point
        return max(1, math.floor(self.rate * (len(self) + 1) * (1 + 1e-12)))

    @property
    def threshold(self) -> float:
        """A score above it raises an alarm: the k-th largest calibration score; of dependent ones see `_tail`."""
        highest = float(self.scores[-self.rank])
        if (tail := self._tail) is None:
            return highest
        middle, spread, free = tail
        return max(highest, middle + spread * float(stats.t.isf(self.rate, free)))

    def p_values(self, scores: ArrayLike) -> NDArray[np.float64]:
        """(1 + how many calibration scores are at least as large) / (n + 1), (N,) for scores (N,)."""
        found = np.asarray(scores, dtype=np.float64)
        p = (1 + len(self) - np.searchsorted(self.scores, found, side="left")) / (len(self) + 1)
        if (tail := self._tail) is None:
            return p
        middle, spread, free = tail
        return np.maximum(p, stats.t.sf((found - middle) / spread, free))

    @property
    def _tail(self) -> tuple[float, float, float] | None:
        """Middle, spread and degrees of freedom of the next score, where scores depend on one another; else None.

        The largest of a hundred instants that are five independent windows is about the largest of five, and no
        quantile of 99 %. There the limit that the next one of as many independent normal scores exceeds with a given
        probability holds as well: mean + t sd sqrt(1 + 1 / n), t of Student's distribution with n - 1 degrees of
        freedom. Source: Hahn 1969, "Factors for calculating two-sided prediction intervals for samples from a normal
        distribution"; of one side here. With fewer than four degrees of freedom, where the limit of 1 % is 5 to 32
        standard deviations and nothing would ever raise an alarm, those of four are taken.
        """
        n = self.n_independent
        spread = float(self.scores.std())
        if n == len(self) or spread == 0:
            return None
        free = max(n - 1, 1)  # a single window tells of no spread between windows
        unbiased = math.sqrt((1 + 1 / n) * max(n, 2) / free)
        return float(self.scores.mean()), spread * unbiased, max(free, MIN_FREE)

    def realised(self, confidence: float = 0.9) -> Interval:
        """The range that holds the false-alarm rate of this very threshold over all normal examples to come.

        Given n calibration scores it is distributed as Beta(k, n + 1 - k), or lies below that where scores are tied.
        Source: Vovk 2012, "Conditional validity of inductive conformal predictors", proposition 2.
        """
        tail, n = (1 - confidence) / 2, self.n_independent
        k = self.rank if n == len(self) else max(1.0, self.rank * n / len(self))
        return Interval(*stats.beta.ppf([tail, 1 - tail], k, n + 1 - min(k, n)).tolist())

    def realised_in(self, n: int, confidence: float = 0.9) -> Interval:
        """The range that holds the share of false alarms among n new normal examples: beta-binomial."""
        tail = (1 - confidence) / 2
        found = stats.betabinom.ppf([tail, 1 - tail], n, self.rank, len(self) + 1 - self.rank)
        return Interval(*(found / n).tolist())

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"scores": self.scores, "rate": np.array(self.rate), "n_independent": np.array(self.n_independent)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Calibration:
        return cls(arrays["scores"], float(arrays["rate"]), int(arrays["n_independent"]))


def discoveries(p_values: ArrayLike, rate: float) -> NDArray[np.bool_]:
    """Which of a batch of examples are anomalies, (N,) bool, with at most this expected share of false ones among them.

    Conformal p-values under one calibration set are positively dependent, for which the procedure holds (Bates et al.
    2023, theorem 2). Source: Benjamini and Hochberg 1995.

    Examples
    --------
    >>> discoveries([0.001, 0.02, 0.5, 0.9], 0.1)
    array([ True,  True, False, False])
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    within = np.flatnonzero(p[order] <= rate * np.arange(1, len(p) + 1) / max(1, len(p)))
    found = np.zeros(len(p), dtype=bool)
    if len(within):
        found[order[: within[-1] + 1]] = True
    return found


@dataclass(frozen=True, eq=False)
class GroupCalibrations:
    """A calibration for each group that has enough examples, and one of all for every other group.

    Attributes
    ----------
    common : of all examples.
    of_group : by the name of the group.
    """

    common: Calibration
    of_group: Mapping[str, Calibration]

    @classmethod
    def fit(
        cls,
        scores: ArrayLike,
        rate: float,
        groups: Sequence[str] | None = None,
        n_independent: int | None = None,
    ) -> GroupCalibrations:
        """From scores (n,) of held-out normal examples, and the group of each; a group needs 1 / rate of them."""
        scores = np.asarray(scores, dtype=np.float64)
        common = Calibration.fit(scores, rate, n_independent)
        if groups is None:
            return cls(common, {})
        names = np.asarray(groups)
        own = {name: Calibration.fit(scores[names == name], rate) for name in sorted(set(groups))}
        return cls(common, own)

    def with_rate(self, rate: float) -> GroupCalibrations:
        """The same scores under another rate."""
        return replace(
            self,
            common=self.common.with_rate(rate),
            of_group={name: calibration.with_rate(rate) for name, calibration in self.of_group.items()},
        )

    def of(self, name: str) -> Calibration:
        """That of a group, where it has enough examples for the rate."""
        own = self.of_group.get(name)
        return self.common if own is None or own.lowest_rate > own.rate else own

    def thresholds(self, groups: Sequence[str] | None, n: int) -> NDArray[np.float64]:
        """The threshold of each of n examples, (n,)."""
        if groups is None or not self.of_group:
            return np.full(n, self.common.threshold)
        of_name = {name: self.of(name).threshold for name in set(groups)}
        return np.array([of_name[name] for name in groups])

    def p_values(self, scores: ArrayLike, groups: Sequence[str] | None) -> NDArray[np.float64]:
        """The p-value of each example under the calibration of its group, (N,)."""
        scores = np.asarray(scores, dtype=np.float64)
        if groups is None or not self.of_group:
            return self.common.p_values(scores)
        names, found = np.asarray(groups), np.empty(len(scores))
        for name in set(groups):
            found[names == name] = self.of(name).p_values(scores[names == name])
        return found

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        arrays = {f"common_{key}": array for key, array in self.common.to_arrays().items()}
        names = list(self.of_group)
        arrays["names"] = np.frombuffer(json.dumps(names).encode(), dtype=np.uint8)
        arrays["sizes"] = np.array([len(self.of_group[name]) for name in names], dtype=np.int64)
        arrays["of_groups"] = np.concatenate([np.zeros(0), *(self.of_group[name].scores for name in names)])
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> GroupCalibrations:
        common = Calibration.from_arrays({key: arrays[f"common_{key}"] for key in ("scores", "rate", "n_independent")})
        names = json.loads(np.asarray(arrays["names"], dtype=np.uint8).tobytes().decode())
        parts = np.split(arrays["of_groups"], np.cumsum(arrays["sizes"])[:-1]) if names else []
        own = {name: Calibration(part, common.rate, len(part)) for name, part in zip(names, parts, strict=True)}
        return cls(common, own)
