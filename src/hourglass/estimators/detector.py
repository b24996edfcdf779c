"""Detector: which rows are unlike the normal ones, and why, with false alarms at a rate that the user chose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from hourglass.assemble import Architecture
from hourglass.detection.baselines import baseline_scores
from hourglass.detection.calibration import Calibration, GroupCalibrations, Interval, discoveries
from hourglass.detection.detections import Detections
from hourglass.detection.exemplars import fits, vectors
from hourglass.detection.reasons import Explanations
from hourglass.detection.scorer import Scorer, check_score
from hourglass.detection.stream import DriftWatch
from hourglass.estimators import passes
from hourglass.estimators.anomaly_scores import Given, Scoring, residuals_of, vectors_of
from hourglass.estimators.estimator import AutoencoderEstimator
from hourglass.estimators.training_data import TrainingData
from hourglass.estimators.trimming import trimmed
from hourglass.parameters import Detection, documented
from hourglass.run_files import Run
from hourglass.training import Rows, threads
from hourglass.training.loop import Watch
from hourglass.user_warnings import warn

MAX_ROWS = 20_000  # of training rows, that exemplars are chosen from
MIN_TO_SCALE = 50  # held-out rows that members of the score are brought onto one scale with
MAX_CALIBRATION = 10_000
MIN_FALL, MIN_NATS = 0.1, 1.0  # of a score, and of a cell's log-probability, from which a cell is named as a reason
MAX_EXPLAINED = 2_000  # alarms of one call that get a reason
MAX_SHARE = 4  # at most one of so many rows is kept apart


@documented
@dataclass(eq=False, repr=False)
class Detector(OutlierMixin, Detection, AutoencoderEstimator):
    """Finds rows that are unlike the normal ones, and says why.

    It is trained on data that are mostly normal. Some of them are kept apart to set the threshold (split conformal
    prediction): of normal rows like these, at most the share `false_alarm_rate` will raise an alarm, whatever the model
    is worth. Rows of a stream whose normal state drifts are not like these, and raise more.

    The default score adds up how far a row is from the nearest of at most 2,000 stored ones (counted three times, less
    where they are a small part of the rows), how far its cells are from their reconstruction, and how far its code is
    from stored codes and from their middle. Each finds what others miss: neighbours miss odd combinations of usual
    values among many columns, a model's errors miss rows off the data that are easy to copy. Cells count by the
    logarithm of their error, so that several that are somewhat odd outweigh a single rare value: the ELBO, whose nats
    have no such bound, raised five times as many false alarms where services that are rare among the normal rows of
    NSL-KDD became frequent.

    Instants of series have the mean over the windows that cover them of two distances, to the nearest stored window
    and, counted four times, to the nearest stored code, through arcsinh; windows are centred unless `centre=no`. Both
    were chosen on half of the series of TSB-AD that the benchmark holds. Errors of reconstruction were worse there,
    most of all where a channel that never changed in training moves once.

    Attributes
    ----------
    scorer_, calibrations_ : what scores are made of, and the scores of the rows kept apart, all and by group.
    calibration_ : of all groups.
    offset_ : `score_samples` below it raises an alarm.
    model_, history_, summary_, advice_, n_latent_, modality_, recipe_, settings_ : as of `Embedder`.

    Examples
    --------
    >>> from hourglass import Detector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(600, 4))
    >>> X[:, 3] = X[:, 0] + X[:, 1]
    >>> detector = Detector(max_epochs=5, random_state=0).fit(X)
    >>> detector.predict([[0.1, 0.1, 0.0, 0.2], [9.0, -9.0, 0.0, 9.0]])
    array([ 1, -1])
    """

    learned: ClassVar[dict[str, type]] = {"scorer_": Scorer, "calibrations_": GroupCalibrations}
    sections: ClassVar[tuple[str, ...]] = ("detection", "reconstructions", "training")
    for_scores: ClassVar[bool] = True

    def check_parameters(self) -> None:
        """Raises ValueError or TypeError for constructor arguments that no fit can have; `fit` begins with it."""
        super().check_parameters()
        self.check_detection()
        check_score(self.anomaly_score)

    # ---- fit -----------------------------------------------------------------------------------------------------

    def _fit(self, X: Any, condition: Any, run: Run | None, resume: bool, watch: Watch | None) -> None:
        self.check_parameters()
        if self.trim > 0:
            X, condition = trimmed(self, X, condition)
        super()._fit(X, condition, run, resume, watch)

    def _n_apart(self, n: int) -> int:
        """A tenth, or as many as the rate needs (k = 2 of them above the threshold), and at most a quarter."""
        if self.calibration_fraction is not None:
            return max(1, round(self.calibration_fraction * n))
        wanted = max(n / 10, 2 / self.false_alarm_rate)
        return max(1, int(min(wanted, n // MAX_SHARE, MAX_CALIBRATION)))

    def _architecture(self, data: TrainingData) -> Architecture:
        names = [column.name for column in self.modality_.columns]
        if self.groups is not None and self.groups not in names:
            raise ValueError(
                f"groups={self.groups!r} is not a column that is learned from; they are {', '.join(names)}"
            )
        return super()._architecture(data)

    def _after_training(self, data: TrainingData) -> None:
        """Stores exemplars, brings members onto one scale, and calibrates on the rows kept apart."""
        assert data.apart is not None  # `_n_apart` asked for some
        some = np.random.default_rng((self.seed_, 6)).permutation(len(data.sample))[:MAX_ROWS]
        rows = data.sample[torch.from_numpy(some)]
        codes = self._codes(rows)
        n_features = vectors(self.model_, self.model_.scaling(rows.raw[:1])).shape[1]
        found = vectors_of(self.model_, rows, self.device) if fits(n_features) else None
        has_prior, apart = self.recipe_.prior is not None, Given(data.apart, data.cut_apart)
        scorer = Scorer.begin(
            self.anomaly_score, has_prior, codes, found, data.n_independent, self.seed_, data.cut_apart is not None
        )
        beside = apart
        if data.held_out is not None and len(data.held_out) >= MIN_TO_SCALE:
            beside = Given(data.held_out, data.cut_held_out)
        cells = passes.cell_log_prob(self.model_, beside.rows.raw, beside.rows.condition, self.device)
        self.scorer_ = scorer.with_typical(cells, residuals_of(self.model_, beside.rows, self.device))
        self.scorer_ = self.scorer_.on_one_scale(_covered(self.scoring.members(beside)))
        scores = self.scorer_.parts(_covered(self.scoring.members(apart))).sum(1).numpy()
        n_independent = None if apart.examples is None else len(apart.examples.independent())
        groups = self._groups_of(data.apart)
        self.calibrations_ = GroupCalibrations.fit(scores, self.false_alarm_rate, groups, n_independent)
        if data.cut_apart is not None:
            self._store_all([rows, data.apart, data.held_out])
        self._warn_unreachable()

    def _store_all(self, parts: list[Rows | None]) -> None:
        """Stores windows of what was kept apart as well, now that the threshold is set; scores only fall by that.

        It was a stretch of time, which may be of another kind than the rest: of records nothing like it is lost.
        """
        every = [part for part in parts if part is not None]
        found = None
        if self.scorer_.rows is not None:
            found = torch.cat([vectors_of(self.model_, part, self.device) for part in every])
        self.scorer_ = self.scorer_.storing(torch.cat([self._codes(part) for part in every]), found, self.seed_)

    def _codes(self, rows: Rows) -> torch.Tensor:
        """(N, L), codes on a grid laid out flat."""
        return passes.encode(self.model_, rows.raw, rows.condition, self.device).flatten(1)

    def _groups_of(self, rows: Rows) -> list[str] | None:
        """The group of each row, in the words of its column."""
        if self.groups is None:
            return None
        place = [column.name for column in self.modality_.columns].index(self.groups)
        column, cells = self.modality_.columns[place], rows.raw[:, place].double()
        words = {value: column.raw_text(value) for value in cells.unique().tolist()}
        return [words.get(value, column.raw_text(value)) for value in cells.tolist()]  # NaN is not equal to itself

    def _warn_unreachable(self) -> None:
        calibration = self.calibration_
        if calibration.rate < calibration.lowest_rate:
            needed = math.ceil(1 / calibration.rate) - 1
            warn(
                f"false_alarm_rate={calibration.rate:g} needs at least {needed:,} rows to calibrate on, and there are "
                f"{len(calibration):,}: expect {calibration.lowest_rate:.2g} instead. Give more rows, a larger "
                "calibration_fraction, or a higher rate"
            )

    def set_false_alarm_rate(self, rate: float) -> Self:
        """Moves the threshold to another false-alarm rate, without refitting; `save` keeps it."""
        check_is_fitted(self, "model_")
        self.calibrations_ = self.calibrations_.with_rate(rate)
        self.false_alarm_rate = self.calibration_.rate
        self._warn_unreachable()
        return self

    # ---- use -----------------------------------------------------------------------------------------------------

    @property
    def calibration_(self) -> Calibration:
        """The calibration of all groups."""
        return self.calibrations_.common

    @property
    def offset_(self) -> float:
        """The threshold of `score_samples`."""
        return -self.calibration_.threshold

    @property
    def realised_rate_(self) -> Interval:
        """The range that holds the false-alarm rate of this very threshold with 90 % confidence."""
        return self.calibration_.realised()

    def score_samples(self, X: Any, *, condition: Any = None) -> np.ndarray:  # type: ignore[override]
        """How normal each row is, (N,) float64: higher is more normal, as in scikit-learn.

        A row's score does not depend on the rows beside it. 0 is the middle of normal rows, -1 about the score that a
        tenth of them are below.
        """
        return -self._scores(X, condition)

    def _scores(self, X: Any, condition: Any) -> np.ndarray:
        """(N,) higher is more anomalous."""
        with threads(self.n_threads):
            return self.scoring.parts(self.given(X, condition)).sum(1)

    def given(self, X: Any, condition: Any = None) -> Given:
        """X as models take it, and where it was cut."""
        return self.given_accepted(*self._accept(X, condition))

    def given_accepted(self, X: Any, condition: Any = None) -> Given:
        """The same of X as its kind of data takes it."""
        examples = self.modality_.examples(X, dense=True)
        rows = Rows(examples.rows(), self._condition_of(examples, condition))
        return Given(rows, examples if examples.axes else None)

    @property
    def scoring(self) -> Scoring:
        """What scores are computed with."""
        return Scoring(self.model_, self.modality_, self.scorer_, self.device)

    def decision_function(self, X: Any, *, condition: Any = None) -> np.ndarray:
        """`score_samples` less `offset_`, or the threshold of the row's group, (N,): below 0 for an alarm."""
        with threads(self.n_threads):
            given = self.given(X, condition)
            scores = self.scoring.parts(given).sum(1)
        return self.calibrations_.thresholds(self._groups_of(given.rows), len(scores)) - scores

    def predict(self, X: Any, *, condition: Any = None) -> np.ndarray:
        """-1 for rows that raise an alarm, 1 for the others, (N,)."""
        return np.where(self.decision_function(X, condition=condition) < 0, -1, 1)

    def p_values(self, X: Any, *, condition: Any = None) -> np.ndarray:
        """For each row the probability that a normal one is at least as anomalous, (N,)."""
        with threads(self.n_threads):
            given = self.given(X, condition)
            return self.calibrations_.p_values(self.scoring.parts(given).sum(1), self._groups_of(given.rows))

    def detect(self, X: Any, *, condition: Any = None, false_discovery_rate: float | None = None) -> Detections:
        """Scores, p-values, alarms and their reasons.

        Parameters
        ----------
        X, condition : as in `fit`.
        false_discovery_rate : instead of the threshold, alarms are the largest set of rows of this X of which at most
            this share is expected to be false (Benjamini and Hochberg 1995).
        """
        return self.detect_given(self.given(X, condition), false_discovery_rate)

    def detect_given(self, given: Given, false_discovery_rate: float | None = None) -> Detections:
        """The same of data as models take them."""
        with threads(self.n_threads):
            parts = self.scoring.parts(given)
            scores, groups = parts.sum(1), self._groups_of(given.rows)
            p_values = self.calibrations_.p_values(scores, groups)
            if false_discovery_rate is None:
                alarms = scores > self.calibrations_.thresholds(groups, len(scores))
            else:
                alarms = discoveries(p_values, false_discovery_rate)
            reasons = np.full(len(scores), "", dtype=object)
            which = np.flatnonzero(alarms)
            reasons[which] = f"one of more than {MAX_EXPLAINED:,} alarms: explain gives its reason"
            which = which[np.argsort(-scores[which], kind="stable")[:MAX_EXPLAINED]]
            if len(which):
                found = self._reasons(given, which, parts)
                reasons[which] = [found.sentence(i) for i in range(len(found))]
        return Detections(scores, p_values, alarms, reasons)

    def score_stream(self, chunks: Iterable[Any], *, condition: Any = None) -> Iterator[Detections]:
        """What `detect` says of each of many chunks of rows in turn, in memory that does not grow with their number.

        Each row's score is the same as in one piece. A warning says when what is normal has changed; alarms are merged
        into events by `hourglass.detection.stream.Events`.

        Parameters
        ----------
        chunks : of rows, each as X in `fit`.
        condition : names of columns, where the model was fitted with a condition.
        """
        drift = DriftWatch(len(self.calibration_))
        for chunk in chunks:
            found = self.detect(chunk, condition=condition)
            if said := drift.update(found.p_value):
                warn(said)
            yield found

    def parts(self, X: Any, *, condition: Any = None) -> dict[str, np.ndarray]:
        """What each measure adds to the score, (N,) by its name: their sum is minus `score_samples`."""
        with threads(self.n_threads):
            found = self.scoring.parts(self.given(X, condition))
        return dict(zip(self.scorer_.names, found.T, strict=True))

    def explain(self, X: Any, *, condition: Any = None) -> Explanations:
        """What is unusual about each row, cell by cell."""
        return self.explain_given(self.given(X, condition))

    def explain_given(self, given: Given, which: np.ndarray | None = None) -> Explanations:
        """The same of data as models take them, or of some of the rows handed in, (n,) ascending places."""
        with threads(self.n_threads):
            parts = self.scoring.parts(given)
            return self._reasons(given, np.arange(len(parts)) if which is None else which, parts)

    def _reasons(self, given: Given, which: np.ndarray, parts: np.ndarray) -> Explanations:
        """Of some rows handed in, (n,); of windows of levels, music and text what each measure adds alone."""
        columns, examples, scores = self.modality_.columns, given.examples, parts[which].sum(1)
        contribution = expected = observed = np.zeros((len(which), 0))
        in_nats = False
        if examples is None:
            rows = given.rows[torch.from_numpy(which)]
            in_nats = not columns or not self.modality_.has_missing or rows.raw.ndim != 2
            found, decoded = (
                self.scoring.as_decoded(rows) if in_nats else self.scoring.if_as_expected(Given(rows), scores, columns)
            )
            contribution, expected, observed = found.numpy(), decoded.double().numpy(), rows.raw.double().numpy()
        elif examples.layout is not None and len(examples.layout) == len(parts):
            columns = examples.channels
            contribution, expected, observed = self.scoring.of_instants(given, which, scores)
        return Explanations(
            contribution=np.where(np.isnan(observed), 0.0, contribution),
            observed=observed,
            expected=expected,
            parts=parts[which],
            members=self.scorer_.names,
            columns=columns,
            least=MIN_NATS if in_nats else MIN_FALL,
        )

    def baseline_scores(self, X: Any, *, condition: Any = None) -> dict[str, np.ndarray]:
        """Anomaly scores (N,) of methods that train no network, fitted to the stored rows; {} where none are stored.

        PCA, isolation forest, and the distances to the nearest and to the fifth row, for comparison.
        """
        return self.baseline_scores_given(self.given(X, condition))

    def baseline_scores_given(self, given: Given) -> dict[str, np.ndarray]:
        """The same of data as models take them."""
        if self.scorer_.rows is None or given.examples is not None:
            return {}
        with threads(self.n_threads):
            return baseline_scores(self.scorer_.rows, vectors_of(self.model_, given.rows, self.device), self.seed_)


def _covered(members: torch.Tensor) -> torch.Tensor:
    """Members (T, M) of the rows that some example covers."""
    return members[~members.isnan().any(1)]
