"""A detector under the conventions of PyOD, for what is written for its models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from hourglass.estimators.detector import Detector


@dataclass(eq=False, repr=False)
class PyODStyle(BaseEstimator):
    """A detector whose scores are higher for anomalies and whose labels are 1 for anomalies and 0 for the others.

    Parameters
    ----------
    detector : Detector or None
        What scores; None takes one with its defaults.
    contamination : float or None
        Share of the training rows that are labelled anomalies, which sets the threshold as PyOD does; None keeps the
        threshold of the detector's false-alarm rate.

    Attributes
    ----------
    detector_ : Detector, fitted.
    decision_scores_, labels_ : (N,) scores of the training rows, and 1 for anomalies among them.
    threshold_ : above which a row is one.

    Examples
    --------
    >>> from hourglass import Detector
    >>> from hourglass.estimators.pyod_style import PyODStyle
    >>> X = np.vstack([np.random.default_rng(0).normal(size=(300, 2)), [[9.0, -9.0]]])
    >>> model = PyODStyle(Detector(n_latent=1, max_epochs=5, random_state=0), contamination=0.01).fit(X)
    >>> int(model.labels_[-1])
    1
    """

    detector: Detector | None = None
    contamination: float | None = None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits the detector to X; y is ignored."""
        c = self.contamination
        if c is not None and not 0 < c <= 0.5:
            raise ValueError(f"contamination={c!r} must lie between 0 and 0.5, or be None")
        self.detector_ = (Detector() if self.detector is None else clone(self.detector)).fit(X)
        self.decision_scores_ = self.decision_function(X)
        if c is None:
            self.threshold_ = self.detector_.calibration_.threshold
        else:
            self.threshold_ = float(np.quantile(self.decision_scores_, 1 - c))
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Anomaly scores, (N,): higher is more anomalous."""
        check_is_fitted(self, "detector_")
        return -self.detector_.score_samples(X)

    def predict(self, X: Any) -> np.ndarray:
        """1 for anomalies, 0 for the others, (N,)."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def predict_proba(self, X: Any) -> np.ndarray:
        """(N, 2): one less, and the share of normal rows that are less anomalous than each row."""
        p = self.detector_.p_values(X)
        return np.column_stack([p, 1 - p])

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """`fit`, then `labels_`."""
        labels: np.ndarray = self.fit(X).labels_
        return labels
