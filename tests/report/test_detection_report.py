"""What the page of a detector says of alarms, of the rate that they really had, and of methods that train nothing."""

import numpy as np
import pandas
import pytest

from hourglass import Detector, report
from hourglass.estimators.anomaly_scores import Scoring
from hourglass.plots import LIGHT
from hourglass.plots.detection import score_histogram
from hourglass.report import detection
from hourglass.report.report_data import report_data


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = pandas.DataFrame(rng.normal(size=(600, 3)), columns=["a", "b", "c"])
    X["sum"] = X["a"] + X["b"]
    X.loc[590:, "sum"] += 9.0
    return X


@pytest.fixture(scope="module")
def detector(rows):
    return Detector(n_latent=2, hidden=(16,), max_epochs=20, false_alarm_rate=0.05, random_state=0).fit(rows[:590])


def texts(detector, rows, labels=None):
    section = detection.detection(report_data(detector, rows, labels))
    return {panel.title: panel.caption + panel.html for panel in section.panels}, section


def test_alarms_have_reasons_and_figures_their_realised_rate(detector, rows):
    labels = np.where(np.arange(600) < 590, "normal", "attack")
    found, section = texts(detector, rows, labels)
    assert (
        "raise an alarm" in found["Scores and threshold"]
        and "realised false-alarm rate" in found["Scores and threshold"]
    )
    listed = next(text for title, text in found.items() if "alarms of" in title or title == "Alarms")
    assert "row 59" in listed and "sum is" in listed and "expected" in listed
    assert all(panel.alt_text and panel.figure(LIGHT).axes for panel in section.panels if panel.figure)


def test_where_another_method_is_better_the_page_says_so(detector, rows, monkeypatch):
    labels = np.where(np.arange(600) < 590, "normal", "attack")
    title = "Beside methods that train no network"
    assert "This detector" in texts(detector, rows, labels)[0][title]
    truth = (labels == "attack").astype(float)
    monkeypatch.setattr(type(detector), "baseline_scores_given", lambda self, given: {"PCA": truth})
    worse = np.random.default_rng(0).normal(size=600)
    parts = lambda self, given: np.tile(worse[: len(given.rows), None] / 4, (1, 4))  # noqa: E731
    monkeypatch.setattr(Scoring, "parts", parts)
    assert "Here PCA is better than this detector" in texts(detector, rows, labels)[0][title]


def test_without_labels_methods_are_compared_by_what_they_share(detector, rows):
    assert "Which is right, only labels can say" in texts(detector, rows)[0]["Beside methods that train no network"]


def test_a_whole_page_of_pictures(tmp_path):
    X = np.random.default_rng(0).integers(0, 255, (60, 8, 8)).astype(np.uint8)
    model = Detector(n_latent=2, max_epochs=1, anomaly_score="encoder", false_alarm_rate=0.1, random_state=0).fit(X)
    page = report.write(model, X, tmp_path).read_text()
    assert 'id="detection"' in page and "Left out: no pictures are stored" in page


def test_scores_far_out_are_still_on_the_axis():
    figure = score_histogram([0.0, 1.0], [0.0, 1e5], 2.0)
    assert figure.axes[0].get_xlim()[1] >= np.arcsinh(1e5)
