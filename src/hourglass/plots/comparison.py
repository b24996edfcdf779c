"""Recipes and code sizes side by side; shapes and dashes tell the lines apart, colour only helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hourglass.plots.scheme import LIGHT, MARKERS, SMALL, WIDTH, Scheme, heading, new_figure, style_axes

DASHES = ("-", "--", "-.", ":")
PANEL = 300  # pixels, its height

Curves = Mapping[str, Sequence[Mapping[str, Any]]]


def rate_distortion(curves: Curves, baseline: float, recommended: int, scheme: Scheme = LIGHT) -> Figure:
    """Errors and nats of held-out data against the size of the code, and nats against the rate.

    Parameters
    ----------
    curves : recipe -> its sizes in ascending order, each with n_latent, unexplained_variance, unexplained_categories,
        nats, uncertainty (of the nats), reconstruction, rate and detection; None where there is no such figure.
    baseline : nats per example without a code.
    recommended : size of the code, marked by a grey band.
    scheme : colours.
    """
    against_size = [
        ("Two-sample AUC of generated rows (0.5 is chance)", "detection"),
        ("Unexplained variance of the numbers", "unexplained_variance"),
        ("Wrong categories, relative to the most frequent value", "unexplained_categories"),
        ("Nats per example (dotted: without a code)", "nats"),
    ]
    against_size = [(title, key) for title, key in against_size if _has(curves, key)]
    n = len(against_size) + _has(curves, "rate")
    columns = min(n, 2)
    figure = new_figure(50 + PANEL * -(-n // columns), scheme, WIDTH * columns)
    panels = figure.subplots(-(-n // columns), columns, squeeze=False).ravel()
    styles = _styles(curves, scheme)
    for axes, (title, key) in zip(panels, against_size, strict=False):
        heading(axes, title, scheme)
        _against_size(axes, curves, key, styles, scheme)
        axes.axvline(recommended, color=scheme.line, linewidth=8, alpha=0.7, zorder=0)
        if key == "nats":
            axes.axhline(baseline, color=scheme.faint, linestyle=":", linewidth=1.2)
        elif key == "detection":
            axes.set_ylim(0.45, 1.02)
        else:
            axes.set_ylim(bottom=0)
    if _has(curves, "rate"):
        _against_rate(panels[n - 1], curves, styles, scheme)
    for axes in panels[n:]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    for axes in panels[1:n]:  # recipes that the first panel has no figure of
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            if label not in labels:
                handles, labels = [*handles, handle], [*labels, label]
    figure.legend(
        handles, labels, frameon=False, fontsize=SMALL, labelcolor=scheme.ink, handlelength=3, ncols=2 * columns,
        loc="outside upper left", borderpad=0.3, title=f"Grey: the recommended size, {recommended}", alignment="left",
        title_fontproperties={"size": SMALL},
    ).get_title().set_color(scheme.faint)  # fmt: skip
    return figure


def _has(curves: Curves, key: str) -> bool:
    return any(point[key] is not None for curve in curves.values() for point in curve)


def _styles(curves: Curves, scheme: Scheme) -> dict[str, dict[str, Any]]:
    names = [name for name in curves if name != "pca"]
    styles: dict[str, dict[str, Any]] = {
        name: {
            "marker": MARKERS[k % len(MARKERS)],
            "linestyle": DASHES[k % len(DASHES)],
            "color": scheme.colours[k % len(scheme.colours)],
        }
        for k, name in enumerate(names)
    }
    return styles | {"pca": {"marker": "x", "linestyle": ":", "color": scheme.faint}}


def _against_size(axes: Axes, curves: Curves, key: str, styles: dict[str, dict[str, Any]], scheme: Scheme) -> None:
    style_axes(axes, scheme)
    for name, curve in curves.items():
        points = [point for point in curve if point[key] is not None]
        if not points:
            continue
        x, y = [point["n_latent"] for point in points], [point[key] for point in points]
        axes.plot(x, y, label="PCA" if name == "pca" else name, linewidth=1.6, markersize=6, **styles[name])
        spread = [point["uncertainty"] or 0.0 for point in points]
        if key == "nats" and any(spread):
            axes.errorbar(x, y, yerr=spread, fmt="none", ecolor=styles[name]["color"], capsize=3, linewidth=1)
    axes.set_xscale("log", base=2)
    sizes = sorted({point["n_latent"] for curve in curves.values() for point in curve})
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("size of the code")


def _against_rate(axes: Axes, curves: Curves, styles: dict[str, dict[str, Any]], scheme: Scheme) -> None:
    style_axes(axes, scheme)
    heading(axes, "Rate and distortion (numbers: size of the code)", scheme)
    for name, curve in curves.items():
        points = [point for point in curve if point["rate"] is not None]
        if not points:
            continue
        x, y = [point["rate"] for point in points], [point["reconstruction"] for point in points]
        axes.plot(x, y, label=name, linewidth=1.6, markersize=6, **styles[name])
        for point, at_x, at_y in zip(points, x, y, strict=True):
            axes.annotate(
                str(point["n_latent"]), (at_x, at_y), xytext=(5, 5), textcoords="offset points", fontsize=SMALL,
                color=scheme.faint,
            )  # fmt: skip
    axes.set_xlabel("rate: KL from the prior, nats per example")
    axes.set_ylabel("-log p(x | code), nats per example")
