"""Alarms of series: channels as reasons, in the order and the units that came in, and their page."""

import numpy as np
import pandas
import pytest

from hourglass import Detector
from hourglass.plots.detection import score_timeline
from hourglass.report import detection
from hourglass.report.report_data import report_data

T = np.arange(1_200)
ODD = slice(1_000, 1_030)


def machine(seed=0):
    rng = np.random.default_rng(seed)
    load = 50 + 20 * np.sin(T / 8)
    heat = 20 + 0.1 * load + rng.normal(0, 0.1, len(T))
    mode = np.where(load > 50, "day", "night")
    index = pandas.date_range("2026-01-01", periods=len(T), freq="h")
    return pandas.DataFrame({"load": load + rng.normal(0, 0.5, len(T)), "heat": heat, "mode": mode}, index=index)


@pytest.fixture(scope="module")
def odd():
    X = machine(1)
    X.iloc[ODD, 1] += 6.0
    return X


@pytest.fixture(scope="module")
def detector():
    options = dict(modality="series window=24", n_latent=4, hidden=(32,), max_epochs=25, random_state=0)
    return Detector(false_alarm_rate=0.02, **options).fit(machine())


def test_the_channel_that_is_odd_is_the_reason(detector, odd):
    found = detector.detect(odd)
    inside = np.arange(len(odd))[ODD][5:-5]
    assert found.alarm[inside].mean() > 0.9 and found.alarm[:900].mean() < 0.15
    why = detector.explain(odd)
    assert [column.name for column in why.columns] == ["load", "heat", "mode"]
    assert (np.argmax(why.contribution[inside], axis=1) == 1).mean() > 0.8
    np.testing.assert_allclose(why.observed[:, 0], odd["load"], rtol=1e-5)
    named = [reason for reason in found.reason[inside] if reason.startswith("heat is")]
    assert len(named) > 10 and ", expected 2" in named[0]


def test_reasons_are_in_the_order_of_the_rows_handed_in(detector, odd):
    """A long table of two machines, row by row in turn."""
    options = dict(modality="series window=24 record=who time=when", n_latent=2, hidden=(8,), max_epochs=3)
    two = pandas.concat([machine(2).assign(who="a"), odd.assign(who="b")])
    two = two.rename_axis("when").reset_index().sort_values(["when", "who"], ignore_index=True)
    why = Detector(**options, random_state=0).fit(two).explain(two)
    np.testing.assert_allclose(why.observed[:, 1], two["heat"], rtol=1e-5)
    names = [column.name for column in why.columns]
    texts = [why.cell(row, names.index("mode"))[1] for row in range(50)]
    assert texts == two["mode"][:50].tolist()


def test_a_gap_contributes_nothing(detector, odd):
    gaps = odd.copy()
    gaps.iloc[100:105, 0] = np.nan
    why = detector.explain(gaps)
    assert np.isnan(why.observed[100:105, 0]).all() and (why.contribution[100:105, 0] == 0).all()
    assert np.isfinite(why.contribution).all() and np.isfinite(detector.score_samples(gaps)).all()


def test_the_page_shows_events_with_their_reason(detector, odd):
    labels = np.full(len(odd), "normal", dtype=object)
    labels[ODD] = "hot"
    section = detection.detection(report_data(detector, odd, labels))
    panels = {panel.title: panel for panel in section.panels}
    assert set(panels) >= {"Scores along time", "The largest event", "What makes the alarms"}
    assert "VUS-PR" in panels["Scores along time"].caption and "no promise" in panels["Scores along time"].caption
    events = next(panel for title, panel in panels.items() if "vents" in title)
    assert "heat is" in events.html
    assert "Channels by what they contribute: heat" in panels["The largest event"].caption
    for panel in section.panels:
        assert "<svg" in panel.markup() if hasattr(panel, "markup") else True


def test_the_page_of_one_channel_and_of_a_series_without_alarms():
    X = np.sin(T / 8) + np.random.default_rng(0).normal(0, 0.1, len(T))
    options = dict(modality="series window=24", n_latent=2, hidden=(8,), max_epochs=3, random_state=0)
    model = Detector(**options).fit(X)
    model.calibrations_ = model.calibrations_.with_rate(1e-6)
    section = detection.detection(report_data(model, X[:300]))
    assert {panel.title for panel in section.panels} >= {"Scores along time"}
    assert len(model.explain(X[:300])) == 300


def test_a_timeline_keeps_the_highest_score_of_a_long_series():
    scores = np.zeros(10_001)
    scores[7_777] = 9.0
    figure = score_timeline(scores, 1.0, truth=scores > 0)
    line = figure.axes[0].lines[0]
    assert len(line.get_xdata()) <= 2_000 and max(line.get_ydata()) == 9.0
