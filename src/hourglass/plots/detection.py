"""Figures of anomaly scores."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from hourglass.plots.scheme import LIGHT, SMALL, Scheme, new_figure, style_axes

BINS = 50
MAX_BARS = 12
MAX_POINTS = 2_000


def score_histogram(
    normal: ArrayLike, scores: ArrayLike, threshold: float, *, name: str = "rows", scheme: Scheme = LIGHT
) -> Figure:
    """Histograms of the scores of held-out normal examples and of others, with the threshold between them.

    The axis is linear near 0 and logarithmic far out, so that anomalies a thousand times off are still on it.

    Parameters
    ----------
    normal, scores : (n,) and (N,), higher is more anomalous.
    threshold : above which an alarm is raised.
    name : of the examples of `scores`.
    scheme : colours.
    """
    normal, scores = (np.arcsinh(np.asarray(s, dtype=np.float64)) for s in (normal, scores))
    low, high = min(normal.min(), scores.min()), max(normal.max(), scores.max(), np.arcsinh(threshold))
    edges = np.linspace(low, high + 1e-9, BINS + 1)
    figure = new_figure(250, scheme)
    axes = figure.subplots()
    style_axes(axes, scheme)
    for values, colour, label, filled in (
        (normal, scheme.faint, "normal, kept apart", True),
        (scores, scheme.colours[0], name, False),
    ):
        share = 100 * np.histogram(values, edges)[0] / len(values)
        axes.stairs(share, edges, color=colour, label=label, fill=filled, alpha=0.45 if filled else 1.0, linewidth=1.6)
    at = np.arcsinh(threshold)
    axes.axvline(at, color=scheme.colours[1], linewidth=1.4, linestyle=(0, (4, 2)))
    axes.annotate(
        f"threshold {threshold:.3g}", (at, 1.0), xycoords=("data", "axes fraction"), xytext=(4, -10),
        textcoords="offset points", fontsize=SMALL, color=scheme.colours[1],
    )  # fmt: skip
    ticks = [t for t in (-100, -10, -1, 0, 1, 10, 100, 1000, 1e4, 1e5, 1e6) if low <= np.arcsinh(t) <= high]
    axes.set_xticks(np.arcsinh(ticks), [f"{t:g}" for t in ticks])
    axes.set_yscale("symlog", linthresh=1.0)  # of 10,000 rows the few far out are still to be seen
    axes.set_ylim(bottom=0)
    axes.set_yticks([0, 1, 10], ["0", "1 %", "10 %"])
    axes.set_ylabel("share")
    axes.set_xlabel("anomaly score")
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL, labelcolor=scheme.ink)
    return figure


def score_timeline(
    scores: ArrayLike, threshold: float, *, truth: ArrayLike | None = None, scheme: Scheme = LIGHT
) -> Figure:
    """Scores along time with their threshold; of a long series the highest score of each stretch that a point shows.

    Parameters
    ----------
    scores : (T,), higher is more anomalous; NaN parts one series from the next.
    threshold : above which an alarm is raised.
    truth : (T,) bool, shaded; None where it is not known.
    scheme : colours.
    """
    scores = np.asarray(scores, dtype=np.float64)
    step = -(-len(scores) // MAX_POINTS)
    instants = np.arange(0, len(scores), step)
    figure = new_figure(190, scheme)
    axes = figure.subplots()
    style_axes(axes, scheme, grid="x")
    axes.plot(instants, np.fmax.reduceat(scores, instants), color=scheme.colours[0], linewidth=0.9)
    axes.axhline(threshold, color=scheme.colours[1], linewidth=1.4, linestyle=(0, (4, 2)), label="threshold")
    if truth is not None:
        inside = np.logical_or.reduceat(np.asarray(truth, dtype=bool), instants)
        axes.fill_between(
            instants, 0, 1, where=inside, step="mid", transform=axes.get_xaxis_transform(), color=scheme.colours[1],
            alpha=0.2, linewidth=0, label="anomalies by the labels",
        )  # fmt: skip
    axes.set_xlabel("instant")
    axes.set_ylabel("anomaly score")
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL, labelcolor=scheme.ink)
    return figure


def contribution_bars(names: list[str], values: ArrayLike, *, unit: str, scheme: Scheme = LIGHT) -> Figure:
    """Bars of what makes alarms, the largest first.

    Parameters
    ----------
    names, values : (K,) each; at most twelve are drawn.
    unit : of the values.
    scheme : colours.
    """
    values = np.asarray(values, dtype=np.float64)
    order = np.argsort(-values, kind="stable")[:MAX_BARS]
    figure = new_figure(70 + 22 * len(order), scheme)
    axes = figure.subplots()
    style_axes(axes, scheme, grid="x")
    axes.barh(np.arange(len(order)), values[order], color=scheme.colours[0], height=0.7)
    axes.set_yticks(np.arange(len(order)), [names[i] for i in order])
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    return figure
