"""Figures of tables: how well columns are reconstructed, how they change over the code, how samples are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, PercentFormatter

from hourglass.exploration import Manifold
from hourglass.modalities.column import Column
from hourglass.plots.scheme import LIGHT, SMALL, Scheme, heading, hide_axes, new_figure, style_axes
from hourglass.views import Cells

MAX_BARS = 24
MAX_LINES = 8
MAX_PANELS = 8
MAX_NAMED_CATEGORIES = 6
BINS = 24
DATE_LENGTH = 10  # characters of a date without its time of day
OUTER = 0.005  # share of the numbers at each end that a histogram leaves out
MAX_NAME_LENGTH = 18


def shortened(text: str, longest: int = MAX_NAME_LENGTH) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


@dataclass(frozen=True, eq=False)
class ColumnErrors:
    """The unexplained share (D,) of each column.

    0 is exact, 1 no better than always predicting its mean or its most frequent category; NaN where that has no meaning
    (a constant column).
    """

    names: tuple[str, ...]
    errors: np.ndarray


def column_errors(originals: Cells, reconstructions: Cells) -> ColumnErrors:
    """How far each column's reconstruction is off, missing cells left out.

    Numbers: squared error over variance (1 - R^2). Categories and columns of two values: share of wrong cells over the
    share that is not the most frequent value.
    """
    errors = np.full(len(originals.columns), np.nan)
    for i, column in enumerate(originals.columns):
        known = np.isfinite(originals.values[:, i])
        x, y = originals.values[known, i], reconstructions.values[known, i]
        if not len(x):
            continue
        if column.is_categorical or column.kind == "binary":
            _, counts = np.unique(x, return_counts=True)
            y = y if column.is_categorical else _nearest_value(column, y)
            off, guess = float((x != y).mean()), 1 - counts.max() / len(x)
        else:
            off, guess = float(np.square(x - y).mean()), float(x.var())
        if guess > 1e-12 * np.square(x).max():
            errors[i] = off / guess
    return ColumnErrors(originals.names, errors)


def _nearest_value(column: Column, values: np.ndarray) -> np.ndarray:
    """Numbers (N,) of a column of two values as the nearer, which is the more probable, of the two."""
    low, high = (float(value) for value in column.categories)
    return np.where(values > (low + high) / 2, high, low)


def reconstructions(originals: Cells, reconstructions: Cells, *, scheme: Scheme = LIGHT) -> Figure:
    """How well each column is reconstructed from the code, the worst first; at most 24 columns.

    Parameters
    ----------
    originals, reconstructions : N rows each.
    scheme : colours.
    """
    found = column_errors(originals, reconstructions)
    order = [int(i) for i in np.argsort(-np.nan_to_num(found.errors, nan=-1)) if np.isfinite(found.errors[i])]
    order = order[:MAX_BARS]
    figure = new_figure(70 + 20 * max(1, len(order)), scheme)
    axes = figure.subplots()
    style_axes(axes, scheme, grid="x")
    places = -np.arange(len(order))
    values = found.errors[order]
    edge = max(1.05, min(1.6, float(values.max(initial=0)) * 1.1))
    axes.barh(places, np.minimum(values, edge), height=0.62, color=scheme.colours[0])
    axes.axvline(1, color=scheme.colours[1], linewidth=1.4, linestyle=(0, (5, 2)))
    for place, value in zip(places, values, strict=True):
        inside = value > 0.85 * edge
        axes.annotate(
            f"{value:.2f}", (min(value, edge), place), xytext=(-4 if inside else 4, 0), textcoords="offset points",
            va="center", ha="right" if inside else "left", fontsize=SMALL, color=scheme.paper if inside else scheme.ink,
        )  # fmt: skip
    axes.set_yticks(places, [shortened(found.names[i]) for i in order])
    axes.tick_params(axis="y", length=0, labelcolor=scheme.ink)
    axes.set_ylim(-len(order) + 0.4, 0.6)
    axes.set_xlim(0, edge)
    axes.set_xlabel("unexplained share (dashed: as without a code)")
    return figure


def _change(cells: Cells) -> np.ndarray:
    """How much each column of K rows changes, in standard deviations; a change of category counts as one."""
    change = np.zeros(len(cells.columns))
    for i, column in enumerate(cells.columns):
        values = cells.values[:, i]
        if column.constant:
            continue
        change[i] = len(np.unique(values)) - 1 if column.is_categorical else np.ptp(values) / column.scale
    return change


def _most_changed(cells: Cells, most: int) -> np.ndarray:
    """The columns that change, those that change most first; one column where none does."""
    change = _change(cells)
    order = np.argsort(-change, kind="stable")[:most]
    return order[change[order] > 0] if (change > 0).any() else order[:1]


def traversals(traversals: Sequence[Cells], names: Sequence[str], *, scheme: Scheme = LIGHT) -> Figure:
    """For each latent traversal the columns that change most: a line from the low end of the dimension to its high one.

    Lines share one scale, the columns' standard deviations; the numbers beside them are the columns' own. A category
    is a band, the values at its ends beside it.

    Parameters
    ----------
    traversals : views of the `examples` of `exploration.traversal`.
    names : what stands above each panel, "" for nothing.
    scheme : colours.
    """
    shown = [_most_changed(cells, MAX_LINES) for cells in traversals]
    spreads = [
        float(np.ptp(cells.values[:, i])) / cells.columns[i].scale
        for cells, order in zip(traversals, shown, strict=True)
        for i in order
        if not cells.columns[i].is_categorical
    ]
    widest = max(spreads, default=1.0) or 1.0
    rows = [len(order) for order in shown]
    figure = new_figure(sum((34 if name else 8) + 32 * r for r, name in zip(rows, names, strict=True)), scheme)
    panels = figure.subplots(len(rows), 1, squeeze=False, gridspec_kw={"height_ratios": [r + 0.3 for r in rows]})
    for axes, cells, order, name in zip(panels[:, 0], traversals, shown, names, strict=True):
        hide_axes(axes)
        if name:
            heading(axes, name, scheme)
        axes.set_xlim(0, 1)
        axes.set_ylim(-len(order) + 0.5, 0.5)
        for row, i in enumerate(order):
            _traversal_of_column(axes, -row, cells.columns[i], cells.values[:, i], widest, scheme)
    return figure


FROM, TO = 0.48, 0.84  # where lines lie between names and values


def _traversal_of_column(
    axes: Axes, row: float, column: Column, values: np.ndarray, widest: float, scheme: Scheme
) -> None:
    axes.text(0, row, shortened(column.name, 17), va="center", fontsize=SMALL, color=scheme.ink)
    ends = (column.text(values[0]), column.text(values[-1]))
    axes.text(FROM - 0.025, row, shortened(ends[0], 10), va="center", ha="right", fontsize=SMALL, color=scheme.faint)
    axes.text(TO + 0.025, row, shortened(ends[1], 10), va="center", ha="left", fontsize=SMALL, color=scheme.faint)
    across = np.linspace(FROM, TO, len(values))
    if column.is_categorical:
        half = (across[1] - across[0]) / 2
        starts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
        for k, (a, b) in enumerate(pairwise(starts)):
            left, right = max(FROM, across[a] - half), min(TO, across[b - 1] + half)
            axes.plot(
                [left + 0.004, right - 0.004], [row, row], linewidth=7 if k % 2 == 0 else 3, solid_capstyle="butt",
                color=scheme.colours[2],
            )  # fmt: skip
        return
    standard = (values - (values.min() + values.max()) / 2) / column.scale
    axes.plot([FROM, TO], [row, row], color=scheme.line, linewidth=0.7)
    axes.plot(across, row + 0.78 * standard / widest, color=scheme.colours[0], linewidth=1.8)
    axes.plot(across[[0, -1]], row + 0.78 * standard[[0, -1]] / widest, "o", color=scheme.colours[0], markersize=4)


def manifold(grid: Manifold, cells: Cells, *, scheme: Scheme = LIGHT) -> Figure:
    """The plane of a two-dimensional code: how the columns change over it, those that change most; at most 8.

    Numbers are shades with contour lines that bear their values; categories are areas with their names.

    Parameters
    ----------
    grid : of `exploration.manifold`.
    cells : the view of its `examples`.
    scheme : colours.
    """
    order = np.sort(_most_changed(cells, MAX_PANELS))
    rows = -(-len(order) // 2)
    figure = new_figure(40 + 205 * rows, scheme)
    panels = figure.subplots(rows, 2, squeeze=False, sharex=True, sharey=True)
    for axes in panels.ravel()[len(order) :]:
        hide_axes(axes)
    for axes, i in zip(panels.ravel(), order, strict=False):
        column = cells.columns[i]
        style_axes(axes, scheme, grid="")
        heading(axes, shortened(column.name, 24), scheme)
        plane = cells.values[:, i].reshape(grid.side, grid.side)[::-1]  # upwards
        if column.is_categorical:
            _areas(axes, grid, column, plane, scheme)
        else:
            _heights(axes, grid, column, plane, scheme)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_locator(MaxNLocator(4))
    figure.supxlabel("dimension 0", fontsize=SMALL, color=scheme.faint)
    figure.supylabel("dimension 1", fontsize=SMALL, color=scheme.faint)
    return figure


def _heights(axes: Axes, grid: Manifold, column: Column, plane: np.ndarray, scheme: Scheme) -> None:
    if not np.ptp(plane) > 0:
        axes.set_facecolor(scheme.line)
        return
    shades = axes.contourf(grid.x, grid.y, plane, levels=12, cmap=scheme.sequence)
    shades.set_rasterized(True)  # seams show between areas drawn as vectors
    lines = axes.contour(grid.x, grid.y, plane, levels=4, colors="white", linewidths=0.9)
    for label in axes.clabel(lines, fontsize=SMALL - 0.5, fmt=lambda v: column.text(v)):
        label.set_path_effects([withStroke(linewidth=2, foreground="#222222")])


def _areas(axes: Axes, grid: Manifold, column: Column, plane: np.ndarray, scheme: Scheme) -> None:
    present, places = np.unique(plane, return_inverse=True)
    shades = np.linspace(0.15, 0.85, max(2, len(present)))[places.reshape(plane.shape)]
    axes.pcolormesh(grid.x, grid.y, shades, cmap=scheme.sequence, vmin=0, vmax=1, shading="nearest", rasterized=True)
    first, second = np.meshgrid(grid.x, grid.y)
    for value in present:
        mine = plane == value
        middle = np.median(first[mine]), np.median(second[mine])
        nearest = np.argmin(np.where(mine, (first - middle[0]) ** 2 + (second - middle[1]) ** 2, np.inf))
        axes.text(
            first.ravel()[nearest], second.ravel()[nearest], shortened(column.text(value), 12), ha="center",
            va="center", fontsize=SMALL, color="white", path_effects=[withStroke(linewidth=2.5, foreground="#222222")],
            clip_on=True,
        )  # fmt: skip


def samples(originals: Cells, samples: Cells, *, scheme: Scheme = LIGHT) -> Figure:
    """How the columns of generated rows are distributed, compared with real rows: the first 8 that vary.

    Real rows are a filled shape (bars), generated rows a dashed line (squares).

    Parameters
    ----------
    originals, samples : real rows and generated ones.
    scheme : colours.
    """
    real, new = originals.values, samples.values
    varying = [i for i, c in enumerate(originals.columns) if not c.constant and np.isfinite(real[:, i]).any()]
    varying = varying[:MAX_PANELS]
    named = [i for i in varying if originals.columns[i].is_categorical or originals.columns[i].kind == "binary"]
    numeric = [i for i in varying if i not in named]
    groups = [group for group in (numeric, named) if group] or [[]]
    rows = [max(1, -(-len(group) // 2)) for group in groups]
    figure = new_figure(34 + 140 * sum(rows), scheme)
    figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr, call-arg]
    heights = [r + 0.25 * (k == 0) for k, r in enumerate(rows)]  # of panels, the legend above the first
    # apart, because names of categories need room beside their axes
    parts = figure.subfigures(len(groups), 1, squeeze=False, height_ratios=heights)
    for part, group, n in zip(parts[:, 0], groups, rows, strict=True):
        part.set_facecolor("none")
        panels = part.subplots(n, 2, squeeze=False).ravel()
        for axes in panels[len(group) :]:
            hide_axes(axes)
        for axes, i in zip(panels, group, strict=False):
            column = originals.columns[i]
            style_axes(axes, scheme, grid="")
            heading(axes, shortened(column.name, 26), scheme)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            x, y = (t[:, i][np.isfinite(t[:, i])] for t in (real, new))
            (_shares if group is named else _histograms)(axes, column, x, y, scheme)
    handles = [
        panels[0].fill_between([], [], color=scheme.faint, alpha=0.35, label="real rows"),
        panels[0].plot([], [], color=scheme.colours[1], linestyle=(0, (4, 1.5)), label="generated rows")[0],
    ]
    parts[0, 0].legend(
        handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL, labelcolor=scheme.ink
    )
    return figure


def _histograms(axes: Axes, column: Column, x: np.ndarray, y: np.ndarray, scheme: Scheme) -> None:
    """Real numbers as a filled shape, generated ones as a dashed line, each as shares of their rows."""
    low, high = np.quantile(x, [OUTER, 1 - OUTER])
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    if column.whole:  # every bin holds as many whole numbers
        width = max(1, round((high - low) / BINS))
        edges = np.arange(np.floor(low), np.ceil(high) + width + 1, width) - 0.5
    for values, colour, filled in ((x, scheme.faint, True), (y, scheme.colours[1], False)):
        heights, _ = np.histogram(values, edges)
        axes.stairs(
            heights / max(1, len(values)), edges, fill=filled, color=colour, alpha=0.35 if filled else 1,
            linewidth=1.5, linestyle="-" if filled else (0, (4, 1.5)),
        )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(2 if column.is_time else 4))
    axes.xaxis.set_major_formatter(lambda value, _: _tick(column, value))


def _tick(column: Column, value: float) -> str:
    if column.is_time:
        return column.text(value)[:DATE_LENGTH]
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"


def _shares(axes: Axes, column: Column, x: np.ndarray, y: np.ndarray, scheme: Scheme) -> None:
    """Share of each of the most frequent values: a bar for real rows, a square for generated ones."""
    levels, counts = np.unique(x, return_counts=True)
    levels = levels[np.argsort(-counts, kind="stable")][:MAX_NAMED_CATEGORIES]
    places = -np.arange(len(levels))
    nearest = y if column.is_categorical else _nearest_value(column, y)
    real = [float((x == v).mean()) for v in levels]
    generated = [float((nearest == v).mean()) if len(y) else 0.0 for v in levels]
    axes.barh(places, real, color=scheme.faint, alpha=0.35, height=0.7)
    axes.plot(
        generated, places, "s", color=scheme.colours[1], markersize=5, markerfacecolor="none", markeredgewidth=1.5
    )
    axes.set_yticks(places, [shortened(column.text(v), 13) for v in levels])
    axes.tick_params(axis="y", length=0, labelcolor=scheme.ink)
    axes.set_ylim(-max(len(levels), 3) + 0.4, 0.6)
    axes.set_xlim(0, 1.1 * max([*real, *generated, 1e-9]))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
