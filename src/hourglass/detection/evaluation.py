"""How good alarms are, where labels are known: with the false-alarm rate that they really had beside every figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NORMAL_WORDS = ("normal", "benign", "inlier", "good", "ok", "negative", "no", "false", "0", "0.0", "-")


def anomalies(labels: ArrayLike, normal: str | None = None) -> NDArray[np.bool_] | None:
    """Which of labels (N,) are not of normal rows; None where none of them says which are.

    `normal` is the label of normal rows. By default one of few usual words: "normal", "benign", "inlier", 0, ...
    """
    texts = np.asarray(labels).astype(str)
    lower = np.char.lower(texts)
    if normal is not None:
        return np.asarray(texts != normal)
    found = [word for word in NORMAL_WORDS if (lower == word).any()]
    return np.asarray(lower != found[0]) if found else None


@dataclass(frozen=True)
class Evaluation:
    """Figures of scores and alarms beside the truth.

    Attributes
    ----------
    auroc : the probability that an anomaly has a higher score than a normal row; NaN where there are none of one.
    precision, recall, f1 : of the alarms.
    false_alarm_rate : the share of normal rows that raised one.
    """

    n_normal: int
    n_anomalies: int
    auroc: float
    precision: float
    recall: float
    f1: float
    false_alarm_rate: float

    @classmethod
    def of(cls, score: ArrayLike, alarm: ArrayLike, is_anomaly: ArrayLike) -> Evaluation:
        """From scores (N,), alarms (N,) and the truth (N,)."""
        from sklearn.metrics import roc_auc_score

        score, alarm, truth = np.asarray(score), np.asarray(alarm, dtype=bool), np.asarray(is_anomaly, dtype=bool)
        hits, false = int((alarm & truth).sum()), int((alarm & ~truth).sum())
        n, n_normal = int(truth.sum()), int((~truth).sum())
        return cls(
            n_normal=n_normal,
            n_anomalies=n,
            auroc=float(roc_auc_score(truth, score)) if n and n_normal else float("nan"),
            precision=_share(hits, hits + false),
            recall=_share(hits, n),
            f1=_share(2 * hits, hits + false + n),
            false_alarm_rate=_share(false, n_normal),
        )

    def sentence(self) -> str:
        """The figures in words."""
        return (
            f"{self.n_anomalies:,} of {self.n_anomalies + self.n_normal:,} are anomalies by their labels: AUROC "
            f"{self.auroc:.3f}; alarms with precision {self.precision:.2f}, recall {self.recall:.2f}, F1 {self.f1:.2f} "
            f"at a realised false-alarm rate of {self.false_alarm_rate:.2%}"
        )


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else float("nan")
