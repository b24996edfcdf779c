"""Panels of a detector: its scores and threshold, its alarms and their reasons, and cheaper methods beside it."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import torch

from hourglass.detection.evaluation import Evaluation, anomalies
from hourglass.detection.members import MEANINGS
from hourglass.estimators.anomaly_scores import Given
from hourglass.plots.detection import contribution_bars, score_histogram
from hourglass.report.instants import of_instants
from hourglass.report.markup import table_markup
from hourglass.report.panels import Panel, Section
from hourglass.report.report_data import ReportData
from hourglass.report.words import capitalised, many

ALARMS = 12
CLEARLY = 0.005  # AUROC, from which on one method is said to be better than another
THIS = "this detector"


def detection(s: ReportData) -> Section:
    """What an analyst wants to know of the alarms among the examples shown."""
    if s.cut.layout is not None:
        return Section("detection", "Anomalies", of_instants(s))
    if s.is_cut:
        caption = (
            f"Scores and alarms are of instants, not of {s.noun}s: hourglass detect, or Detector.detect, gives them."
        )
        return Section("detection", "Anomalies", [Panel("Scores and alarms", caption)])
    found, truth = s.estimator.detect_given(Given(s.rows)), _truth(s)
    panels = [_scores(s, found, truth), _alarms(s, found), *_contributions(s, found), _beside(s, found, truth)]
    return Section("detection", "Anomalies", panels)


def _truth(s: ReportData) -> np.ndarray | None:
    """Which examples are anomalies by their labels; None where there are none that say so."""
    if s.labels is None or s.labels.codes is None:
        return None
    arguments = (s.estimator.origin_.arguments if s.estimator.origin_ else None) or {}
    return anomalies(np.array([*s.labels.names, ""])[s.labels.codes], arguments.get("normal"))


def _scores(s: ReportData, found: Any, truth: np.ndarray | None) -> Panel:
    calibration, n = s.estimator.calibration_, int(found.alarm.sum())
    low, high = s.estimator.realised_rate_
    sentences = [
        f"{n:,} of the {len(found):,} {s.noun}s shown raise an alarm ({n / len(found):.2%}).",
        f"The threshold lets {calibration.rate:.2g} of normal {s.noun}s raise one: with 90 % confidence between "
        f"{low:.2g} and {high:.2g}, from {many(len(calibration), s.noun)} kept apart, as long as what is normal stays "
        "what it was.",
    ]
    if truth is not None:
        sentences.append(f"{Evaluation.of(found.score, found.alarm, truth).sentence()}.")
    return Panel(
        "Scores and threshold",
        " ".join(sentences),
        lambda scheme: score_histogram(
            calibration.scores, found.score, calibration.threshold, name=f"{s.noun}s shown", scheme=scheme
        ),
        f"Histograms of the scores of held-out normal {s.noun}s and of those shown; threshold "
        f"{calibration.threshold:.3g}, {n} alarms.",
    )


def _alarms(s: ReportData, found: Any) -> Panel:
    which = np.flatnonzero(found.alarm)
    worst = which[np.argsort(-found.score[which], kind="stable")][:ALARMS]
    lines = [
        (s.names[i], [f"{found.score[i]:.1f}", f"{found.p_value[i]:.2g}", escape(found.reason[i])])
        for i in worst.tolist()
    ]
    return Panel(
        "Alarms" if len(worst) == len(which) else f"The {len(worst)} largest alarms of {len(which):,}",
        f"p: the share of normal {s.noun}s that are at least as odd. Why: the cells without which the score would be "
        "much lower, with what the model expects there from the others."
        if lines
        else f"None of the {s.noun}s shown raises an alarm.",
        html=table_markup([s.noun, "score", "p", "why"], lines, "Alarms", "reasons") if lines else "",
    )


def _contributions(s: ReportData, found: Any) -> list[Panel]:
    """Which measures, and which columns, make the alarms."""
    which = np.flatnonzero(found.alarm)
    if not len(which):
        return []
    why = s.estimator.explain_given(Given(s.rows[torch.from_numpy(which)]))
    main = np.bincount(why.parts.argmax(1), minlength=len(why.members)) / len(which)
    members = "; ".join(
        f"{share:.0%} because {MEANINGS[name]} ({name})"
        for name, share in sorted(zip(why.members, main.tolist(), strict=True), key=lambda pair: -pair[1])
        if share >= 0.005
    )
    caption = f"What adds most to the score of the alarms: {members}."
    if not why.columns or why.contribution.ndim != 2:
        return [Panel("What makes the alarms", caption)]
    named = np.zeros(len(why.columns))
    for row in range(len(why)):
        named[why.top(row)] += 1
    shown = np.flatnonzero(named)
    names = [why.columns[i].name for i in shown]
    return [
        Panel(
            "What makes the alarms",
            f"{caption} Bars: in how many alarms each column is named as a reason.",
            lambda scheme: contribution_bars(names, named[shown], unit="alarms", scheme=scheme),
            "Bar chart: " + ", ".join(f"{why.columns[i].name} {named[i]:.0f}" for i in np.argsort(-named)[:5]) + ".",
        )
    ]


def _beside(s: ReportData, found: Any, truth: np.ndarray | None) -> Panel:
    """PCA, isolation forest and nearest neighbours on the same rows."""
    scores = s.estimator.baseline_scores_given(Given(s.rows))
    title = "Beside methods that train no network"
    if not scores:
        return Panel(title, f"Left out: no {s.noun}s are stored in this model to fit them to.")
    fitted = f"All are fitted to the same {len(s.estimator.scorer_.rows):,} stored {s.noun}s, standardised alike."
    every = {THIS: found.score, **scores}
    if truth is None or not 0 < truth.sum() < len(truth):
        n = max(1, int(found.alarm.sum()))
        mine = set(np.argsort(-found.score, kind="stable")[:n].tolist())
        lines = [
            (capitalised(name), [f"{len(mine & set(np.argsort(-other, kind='stable')[:n].tolist())) / n:.0%}"])
            for name, other in scores.items()
        ]
        return Panel(
            title,
            f"The share of the {many(n, 'oddest ' + s.noun)} of this detector that are among as many of the other's. "
            f"Which is right, only labels can say: give the report some. {fitted}",
            html=table_markup(["method", "the same"], lines, title),
        )
    areas = {name: Evaluation.of(score, found.alarm, truth).auroc for name, score in every.items()}
    best = max(scores, key=lambda name: areas[name])
    if areas[best] > areas[THIS] + CLEARLY:
        verdict = f"Here {best} is better than this detector: a network is not worth its training for these data."
    elif areas[THIS] > areas[best] + CLEARLY:
        verdict = "This detector is better than all of them."
    else:
        verdict = f"This detector is about as good as the best of them, {best}."
    lines = [(capitalised(name), [f"{area:.3f}"]) for name, area in areas.items()]
    return Panel(
        title,
        f"AUROC by the labels: the probability that an anomaly has a higher score than a normal {s.noun}. {verdict} "
        f"{fitted}",
        html=table_markup(["method", "AUROC"], lines, title),
    )
