"""Panels of a detector of series: scores along time, events and their reasons, the signal about the oddest of them."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from hourglass.detection.evaluation import Evaluation, anomalies
from hourglass.detection.stream import Event, Events
from hourglass.detection.volume import period, volume_under_pr
from hourglass.estimators.anomaly_scores import Given
from hourglass.plots.detection import contribution_bars, score_timeline
from hourglass.plots.lines import along_time
from hourglass.report.markup import table_markup
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData
from hourglass.report.words import many

EVENTS, CHANNELS = 12, 3  # that are shown
EXPLAINED = 500  # alarms
AROUND = 150  # instants, before and after an event


def of_instants(s: ReportData) -> list[Panel]:
    """Of every instant handed in; of series that are seen whole, of each of them."""
    detector = s.estimator
    given = detector.given_accepted(s.accepted, s.given_condition)
    found = detector.detect_given(given)
    truth = _truth(s, len(found))
    if given.examples is None or len(given.examples.layout) != len(found):
        return [_scores(s, found, truth, "series")]
    layout = given.examples.layout
    order = layout.handed_in_places()
    events = _events(found.score[order], found.alarm[order], layout.record, given.examples.window[0])
    return [
        _scores(s, found, truth, "instant", order, layout.record),
        _of_events(s, events, found, order, layout),
        *_signal(s, events, found, given, order, layout),
        *_channels(s, found, given),
    ]


def _truth(s: ReportData, n: int) -> np.ndarray | None:
    """Which of n instants are anomalies by their labels; None where there are none that say so."""
    if s.given_labels is None or len(s.given_labels) != n:
        return None
    arguments = (s.estimator.origin_.arguments if s.estimator.origin_ else None) or {}
    return anomalies(np.asarray(s.given_labels), arguments.get("normal"))


def _scores(
    s: ReportData, found: Any, truth: Any, noun: str, order: np.ndarray | None = None, record: np.ndarray | None = None
) -> Panel:
    calibration, n = s.estimator.calibration_, int(found.alarm.sum())
    order = np.arange(len(found)) if order is None else order
    scores, truth = found.score[order], None if truth is None else truth[order]
    sentences = [
        f"{n:,} of {many(len(found), noun)} raise an alarm ({n / len(found):.2%}).",
        f"The threshold is what {calibration.rate:.2g} of {many(len(calibration), noun)} kept apart exceed. "
        "Neighbouring instants are alike, so this is a guide and no promise.",
    ]
    if truth is not None:
        sentences.append(f"{Evaluation.of(scores, found.alarm[order], truth).sentence()}.")
        if truth.any() and s.cut.n_records == 1:
            width = period(np.nan_to_num(s.cut.stitch(s.originals.values)[0][0]))
            volume = volume_under_pr(truth, scores, width)
            sentences.append(
                f"VUS-PR {volume:.3f}, with tolerances of up to {width} instants; chance has {truth.mean():.3f}."
            )
    if record is not None:
        breaks = np.flatnonzero(np.diff(record)) + 1
        scores = np.insert(scores, breaks, np.nan)
        truth = None if truth is None else np.insert(truth, breaks, False)
    return Panel(
        "Scores along time",
        " ".join(sentences),
        lambda scheme: score_timeline(scores, calibration.threshold, truth=truth, scheme=scheme),
        f"A line of {len(found):,} scores with the threshold {calibration.threshold:.3g}; {n} alarms.",
    )


def _events(scores: np.ndarray, alarms: np.ndarray, record: np.ndarray, gap: int) -> list[Event]:
    """Alarms less than a window apart are one event; the highest first."""
    found: list[Event] = []
    for r in np.unique(record):
        rows = np.flatnonzero(record == r)
        events = Events(gap=gap)
        each = [*events.update(alarms[rows], scores[rows]), *events.finish()]
        first = int(rows[0])
        found += [Event(first + e.first, first + e.last, e.alarms, first + e.peak, e.score) for e in each]
    return sorted(found, key=lambda event: -event.score)


def _of_events(s: ReportData, events: list[Event], found: Any, order: np.ndarray, layout: Any) -> Panel:
    def name(row: int) -> str:
        place = int(layout.place[row])
        return (
            str(place)
            if s.cut.n_records == 1
            else f"{s.cut.record_names[layout.record[row]] if s.cut.record_names else layout.record[row]}@{place}"
        )

    lines = [
        (
            f"{name(event.first)} to {name(event.last)}",
            [f"{event.alarms:,}", name(event.peak), f"{event.score:.2f}", escape(found.reason[order[event.peak]])],
        )
        for event in events[:EVENTS]
    ]
    return Panel(
        "Events" if len(events) <= EVENTS else f"The {EVENTS} largest events of {len(events):,}",
        "Alarms less than a window apart are one event. Why: the channels without which the score at its peak would be "
        "much lower, with what the model expects there."
        if lines
        else "No instant raises an alarm.",
        html=table_markup(["instants", "alarms", "peak", "score", "why"], lines, "Events", "reasons") if lines else "",
    )


def _signal(
    s: ReportData, events: list[Event], found: Any, given: Given, order: np.ndarray, layout: Any
) -> list[Panel]:
    """The channels that contribute most to the largest event, with what is expected of them."""
    if not events:
        return []
    event = events[0]
    rows = np.flatnonzero(layout.record == layout.record[event.peak])
    near = rows[(rows >= event.peak - AROUND) & (rows <= event.peak + AROUND)]
    why = s.estimator.explain_given(given, order[near])
    inside = (near >= event.first) & (near <= event.last)
    channels = np.argsort(-why.contribution[inside].sum(0), kind="stable")[:CHANNELS]
    names = [why.columns[i].name for i in channels]
    places = layout.place[near]
    marked = [near[(near >= e.first) & (near <= e.last)] for e in events]
    shaded = [(int(layout.place[each[0]]), int(layout.place[each[-1]])) for each in marked if len(each)]
    return [
        Panel(
            "The largest event",
            "What was observed, what the model expects there from the other channels, and the score with its "
            f"threshold; events are shaded. Channels by what they contribute: {', '.join(names)}.",
            lambda scheme: along_time(
                why.observed[:, channels].T,
                why.expected[:, channels].T,
                found.score[order[near]],
                names,
                first=int(places[0]),
                threshold=s.estimator.calibration_.threshold,
                marked=shaded,
                unit="anomaly score",
                scheme=scheme,
            ),
            f"{len(near)} instants of {len(names)} channels about instant {int(layout.place[event.peak])}, "
            "with the score.",
        )
    ]


def _channels(s: ReportData, found: Any, given: Given) -> list[Panel]:
    """What the channels of series of several contribute to the alarms."""
    which = np.flatnonzero(found.alarm)
    if given.examples is None or len(given.examples.channels) < 2 or not len(which):
        return []
    which = np.sort(which[np.argsort(-found.score[which], kind="stable")[:EXPLAINED]])
    why = s.estimator.explain_given(given, which)
    shares = np.clip(why.contribution, 0, None).mean(0)
    shown = np.flatnonzero(shares > 0)
    names = [why.columns[i].name for i in shown]
    return [
        Panel(
            "What makes the alarms",
            "By how much the score of alarms falls, on average, where one channel is as the model expects it.",
            lambda scheme: contribution_bars(names, shares[shown], unit="score", scheme=scheme),
            "Bar chart: " + ", ".join(f"{why.columns[i].name} {shares[i]:.2g}" for i in np.argsort(-shares)[:5]) + ".",
        )
    ]
