"""Figures of tables: how well columns come back, how they change over the code, how drawn rows are spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from hourglass.exploration import Manifold, Traversal
from hourglass.modalities.column_statistics import Column
from hourglass.modalities.columns import read_columns
from hourglass.plots.scheme import LIGHT, SMALL, WIDTH, Scheme, heading, hide_axes, new_figure, style_axes

MAX_BARS = 24
MAX_LINES = 8
MAX_PANELS = 8
MAX_NAMED_CATEGORIES = 6
BINS = 24
MAX_NAME_LENGTH = 18


def to_numeric(modality: Any, X: Any) -> np.ndarray:
    """A table (N, D) float64: numbers as they are, categories as their place among the known ones, NaN for missing."""
    columns = read_columns(X)
    table = np.full((len(next(iter(columns.values()))), len(modality.columns)), np.nan)
    for i, (column, values) in enumerate(zip(modality.columns, columns.values(), strict=True)):
        if values.dtype == object:
            place = {name: j for j, name in enumerate(column.categories)}
            table[:, i] = [place.get(str(v), math.nan) for v in values.tolist()]
        elif column.kind == "category":
            place_of = np.searchsorted(np.array(column.categories, dtype=float), values).astype(float)
            table[:, i] = np.where(np.isnan(values), np.nan, place_of)
        else:
            table[:, i] = values
    return table


def is_categorical(column: Column) -> bool:
    """Whether a column of `numbers` holds places among its categories."""
    return column.texts or column.kind == "category"


def format_cell(column: Column, value: float) -> str:
    """One cell of `numbers` as text, in the column's own words or to three digits."""
    if math.isnan(value):
        return "missing"
    if is_categorical(column):
        category = column.categories[int(np.clip(round(value), 0, len(column.categories) - 1))]
        return category if isinstance(category, str) else f"{category:g}"
    if 1000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def shortened(text: str, longest: int = MAX_NAME_LENGTH) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


@dataclass(frozen=True, eq=False)
class ColumnErrors:
    """`errors` (D,) of each column: 0 is exact, 1 no better than its mean or its commonest category; NaN where that
    has no meaning (a constant column)."""

    names: tuple[str, ...]
    errors: np.ndarray


def column_errors(modality: Any, originals: Any, made: Any) -> ColumnErrors:
    """How far each column's reconstruction is off, missing cells left out.

    Numbers: squared error over variance. Categories: share of wrong cells over the share that is not the commonest.
    """
    before, after = to_numeric(modality, originals), to_numeric(modality, made)
    errors = np.full(before.shape[1], np.nan)
    for i, column in enumerate(modality.columns):
        known = ~np.isnan(before[:, i])
        x, y = before[known, i], after[known, i]
        if not len(x):
            continue
        if is_categorical(column):
            _, counts = np.unique(x, return_counts=True)
            off, guess = float((x != y).mean()), 1 - counts.max() / len(x)
        else:
            off, guess = float(np.square(x - y).mean()), float(x.var())
        if guess > 1e-12 * np.square(x).max():
            errors[i] = off / guess
    return ColumnErrors(tuple(c.name for c in modality.columns), errors)


def reconstructions(modality: Any, originals: Any, made: Any, *, scheme: Scheme = LIGHT) -> Figure:
    """How well each column comes back from the code, the worst first; at most 24 columns.

    Parameters
    ----------
    modality : Tables, fitted.
    originals, made : N rows each, in the form of what was fitted.
    """
    judged = column_errors(modality, originals, made)
    order = [int(i) for i in np.argsort(-np.nan_to_num(judged.errors, nan=-1)) if np.isfinite(judged.errors[i])]
    order = order[:MAX_BARS]
    figure = new_figure(70 + 20 * max(1, len(order)), scheme)
    axes = figure.subplots()
    style_axes(axes, scheme, grid="x")
    places = -np.arange(len(order))
    values = judged.errors[order]
    edge = max(1.05, min(1.6, float(values.max(initial=0)) * 1.1))
    axes.barh(places, np.minimum(values, edge), height=0.62, color=scheme.colours[0])
    axes.axvline(1, color=scheme.colours[1], linewidth=1.4, linestyle=(0, (5, 2)))
    for place, value in zip(places, values, strict=True):
        inside = value > 0.85 * edge
        axes.annotate(
            f"{value:.2f}", (min(value, edge), place), xytext=(-4 if inside else 4, 0), textcoords="offset points",
            va="center", ha="right" if inside else "left", fontsize=SMALL, color=scheme.paper if inside else scheme.ink,
        )  # fmt: skip
    axes.set_yticks(places, [shortened(judged.names[i]) for i in order])
    axes.tick_params(axis="y", length=0, labelcolor=scheme.ink)
    axes.set_ylim(-len(order) + 0.4, 0.6)
    axes.set_xlim(0, edge)
    axes.set_xlabel("relative error (dashed: no better than guessing)")
    return figure


def _change(modality: Any, table: np.ndarray) -> np.ndarray:
    """How much each column of a walk (K, D) changes, in standard deviations; a change of category counts as one."""
    change = np.zeros(table.shape[1])
    for i, column in enumerate(modality.columns):
        values = table[:, i]
        if column.constant:
            continue
        change[i] = len(np.unique(values)) - 1 if is_categorical(column) else np.ptp(values) / column.scale
    return change


def traversals(modality: Any, walks: Sequence[Traversal], names: Sequence[str], *, scheme: Scheme = LIGHT) -> Figure:
    """For each walk the columns that change most: a line from the low end of the dimension to its high one.

    Lines share one scale, the columns' standard deviations; the numbers beside them are the columns' own. A category
    is a band with its names.

    Parameters
    ----------
    modality : Tables, fitted.
    walks : of `exploration.traversal`.
    names : what stands above each panel.
    """
    tables = [to_numeric(modality, walk.examples) for walk in walks]
    shown = []
    for table in tables:
        change = _change(modality, table)
        order = np.argsort(-change, kind="stable")[:MAX_LINES]
        shown.append(order[change[order] > 0] if (change > 0).any() else order[:1])
    widest = max(
        [np.ptp(t[:, i]) / modality.columns[i].scale for t, s in zip(tables, shown, strict=True) for i in s
         if not is_categorical(modality.columns[i])] or [1.0]
    ) or 1.0  # fmt: skip
    rows = [len(s) for s in shown]
    figure = new_figure(sum(34 + 32 * r for r in rows), scheme)
    panels = figure.subplots(len(walks), 1, squeeze=False, gridspec_kw={"height_ratios": [r + 0.3 for r in rows]})
    for axes, table, order, name in zip(panels[:, 0], tables, shown, names, strict=True):
        hide_axes(axes)
        heading(axes, name, scheme)
        axes.set_xlim(0, 1)
        axes.set_ylim(-len(order) + 0.5, 0.5)
        for row, i in enumerate(order):
            _walk_of_column(axes, -row, modality.columns[i], table[:, i], widest, scheme)
    return figure


FROM, TO = 0.48, 0.84  # where lines lie between names and values


def _walk_of_column(axes: Axes, row: float, column: Column, values: np.ndarray, widest: float, scheme: Scheme) -> None:
    axes.text(0, row, shortened(column.name, 17), va="center", fontsize=SMALL, color=scheme.ink)
    ends = (format_cell(column, values[0]), format_cell(column, values[-1]))
    axes.text(FROM - 0.025, row, shortened(ends[0], 10), va="center", ha="right", fontsize=SMALL, color=scheme.faint)
    axes.text(TO + 0.025, row, shortened(ends[1], 10), va="center", ha="left", fontsize=SMALL, color=scheme.faint)
    across = np.linspace(FROM, TO, len(values))
    if is_categorical(column):
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


def manifold(modality: Any, grid: Manifold, *, scheme: Scheme = LIGHT) -> Figure:
    """The plane of a two-dimensional code: how the columns change over it, those that change most; at most 8.

    Numbers are shades with contour lines that bear their values; categories are areas with their names.
    """
    table = to_numeric(modality, grid.examples)
    change = _change(modality, table)
    order = np.argsort(-change, kind="stable")[:MAX_PANELS]
    order = np.sort(order[change[order] > 0]) if (change > 0).any() else order[:1]
    rows = -(-len(order) // 2)
    figure = new_figure(40 + 205 * rows, scheme)
    panels = figure.subplots(rows, 2, squeeze=False, sharex=True, sharey=True)
    for axes in panels.ravel()[len(order) :]:
        hide_axes(axes)
    for axes, i in zip(panels.ravel(), order, strict=False):
        column = modality.columns[i]
        style_axes(axes, scheme, grid="")
        heading(axes, shortened(column.name, 24), scheme)
        plane = table[:, i].reshape(grid.side, grid.side)[::-1]  # upwards
        if is_categorical(column):
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
    for label in axes.clabel(lines, fontsize=SMALL - 0.5, fmt=lambda v: format_cell(column, v)):
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
            first.ravel()[nearest], second.ravel()[nearest], shortened(format_cell(column, value), 12), ha="center",
            va="center", fontsize=SMALL, color="white", path_effects=[withStroke(linewidth=2.5, foreground="#222222")],
            clip_on=True,
        )  # fmt: skip


def samples(modality: Any, originals: Any, drawn: Any, *, scheme: Scheme = LIGHT) -> Figure:
    """How the columns of drawn rows are spread beside those of real rows: the first 8 that vary.

    Real rows are a filled shape (bars), drawn rows a dashed line (squares).

    Parameters
    ----------
    modality : Tables, fitted.
    originals, drawn : rows in the form of what was fitted.
    """
    real, new = to_numeric(modality, originals), to_numeric(modality, drawn)
    varying = [i for i, c in enumerate(modality.columns) if not c.constant and np.isfinite(real[:, i]).any()]
    varying = varying[:MAX_PANELS]
    rows = max(1, -(-len(varying) // 2))
    figure = new_figure(34 + 125 * rows, scheme, WIDTH)
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes in panels[len(varying) :]:
        hide_axes(axes)
    for axes, i in zip(panels, varying, strict=False):
        column = modality.columns[i]
        style_axes(axes, scheme, grid="")
        heading(axes, shortened(column.name, 26), scheme)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        x, y = (t[:, i][np.isfinite(t[:, i])] for t in (real, new))
        if is_categorical(column) or column.kind == "binary":
            _shares(axes, column, x, y, scheme)
        else:
            low, high = np.quantile(x, [0.005, 0.995])
            edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
            for values, colour, filled in ((x, scheme.faint, True), (y, scheme.colours[1], False)):
                heights, _ = np.histogram(values, edges)
                axes.stairs(
                    heights / max(1, len(values)), edges, fill=filled, color=colour, alpha=0.35 if filled else 1,
                    linewidth=1.5, linestyle="-" if filled else (0, (4, 1.5)),
                    label="real" if filled else "drawn",
                )  # fmt: skip
            axes.xaxis.set_major_locator(MaxNLocator(4))
    handles = [
        panels[0].fill_between([], [], color=scheme.faint, alpha=0.35, label="real rows"),
        panels[0].plot([], [], color=scheme.colours[1], linestyle=(0, (4, 1.5)), label="drawn rows")[0],
    ]
    figure.legend(
        handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL, labelcolor=scheme.ink
    )
    return figure


def _shares(axes: Axes, column: Column, x: np.ndarray, y: np.ndarray, scheme: Scheme) -> None:
    """Share of each of the commonest categories: a bar for real rows, a square for drawn ones."""
    levels, counts = np.unique(x, return_counts=True)
    levels = levels[np.argsort(-counts, kind="stable")][:MAX_NAMED_CATEGORIES]
    places = np.arange(len(levels))
    axes.bar(places, [(x == v).mean() for v in levels], color=scheme.faint, alpha=0.35, width=0.7)
    nearest = y
    if not is_categorical(column) and len(y):
        nearest = np.asarray(column.categories, dtype=float)[
            np.abs(y[:, None] - np.asarray(column.categories, dtype=float)).argmin(axis=1)
        ]
    shares = [float((nearest == v).mean()) if len(y) else 0.0 for v in levels]
    axes.plot(places, shares, "s", color=scheme.colours[1], markersize=6, markerfacecolor="none", markeredgewidth=1.6)
    room = max(3, 22 // max(1, len(levels)))
    axes.set_xticks(places, [shortened(format_cell(column, v), room) for v in levels])
    axes.set_ylim(0, 1.25 * max([axes.get_ylim()[1] / 1.05, *shares]))
