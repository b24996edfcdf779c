"""The latent map as a scatter of points."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter

from hourglass.exploration import LatentMap
from hourglass.plots.labels import MAX_COLOURS, UNLABELLED, Groups
from hourglass.plots.scheme import LIGHT, MARKERS, SMALL, TEXT, Scheme, new_figure, style_axes

MAX_COMPARED = 300  # points of a class, to find its thickest place
OUTER = 0.01  # share of the numbers at each end that have the colour of the end
LINE = 0.05  # height of a name on a map, as a share of the map


def latent_scatter(latent: LatentMap, groups: Groups | None = None, scheme: Scheme = LIGHT) -> Figure:
    """The examples in the plane of their codes.

    Classes have a colour, a marker and their name where they are thickest; more than 12 have names only. Numbers have a
    scale even in lightness. A code of one dimension has one row a class.

    Parameters
    ----------
    latent : of `exploration.latent_map`.
    groups : of `plots.group`, for the same examples as the map (its `rows` are taken), or None.
    scheme : colours.
    """
    chosen = None if groups is None else groups[latent.rows]
    line = latent.method == "code" and not latent.axes[1]
    n_rows = len(chosen.names) if line and chosen is not None and 1 < len(chosen.names) <= MAX_COLOURS else 0
    figure = new_figure((110 + 26 * max(n_rows, 4)) if line else 430, scheme)
    axes = figure.subplots()
    style_axes(axes, scheme, grid="x" if line else "both")
    points = latent.points.copy()
    if n_rows and chosen is not None and chosen.codes is not None:
        points[:, 1] = 0.7 * (points[:, 1] - 0.5) - chosen.codes
        points[chosen.codes < 0, 1] -= n_rows + 1
    size = float(np.clip(14000 / max(1, len(points)), 6, 36))
    if chosen is None:
        _dots(axes, points, size, scheme.colours[0], "o")
    elif chosen.numbers is not None:
        _numbers(axes, points, size, chosen, scheme)
    else:
        _classes(axes, points, size, chosen, scheme, named=not n_rows)
    axes.set_xlabel(latent.axes[0])
    axes.set_ylabel(latent.axes[1])
    if line:
        axes.spines["left"].set_visible(False)
        names = [] if chosen is None or not n_rows else list(chosen.names)
        axes.set_yticks([-i for i in range(len(names))], names)
    elif latent.method == "tsne":
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("t-SNE: neighbourhoods count, distances and directions do not")
    return figure


def _dots(axes: Axes, points: np.ndarray, size: float, colour: str, marker: str) -> None:
    axes.scatter(points[:, 0], points[:, 1], s=size, c=colour, marker=marker, alpha=0.75, linewidths=0, rasterized=True)


def _numbers(axes: Axes, points: np.ndarray, size: float, groups: Groups, scheme: Scheme) -> None:
    assert groups.numbers is not None
    numbers, text = groups.numbers, groups.text
    known = np.isfinite(numbers)
    _dots(axes, points[~known], size, scheme.line, "o")
    # a few numbers far out would leave one colour for all others
    low, high = np.quantile(numbers[known], [OUTER, 1 - OUTER]) if known.any() else (0.0, 1.0)
    dots = axes.scatter(
        points[known, 0], points[known, 1], s=size, c=numbers[known], cmap=scheme.sequence, linewidths=0,
        rasterized=True, alpha=0.9, vmin=low, vmax=high if high > low else low + 1,
    )  # fmt: skip
    written = None if text is None else FuncFormatter(lambda value, _: text(value))
    bar = axes.figure.colorbar(dots, ax=axes, fraction=0.045, pad=0.02, format=written)
    bar.ax.tick_params(colors=scheme.faint, labelsize=SMALL, length=3)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _thickest(points: np.ndarray) -> tuple[float, float]:
    """The point of (M, 2) with the closest third of the others: inside a cluster, where a median may fall between."""
    some = points[:: max(1, len(points) // MAX_COMPARED)]
    apart = np.linalg.norm(some[:, None] - some[None], axis=-1)
    x, y = some[np.argmin(np.quantile(apart, 1 / 3, axis=1))].tolist()
    return x, y


def _classes(axes: Axes, points: np.ndarray, size: float, groups: Groups, scheme: Scheme, named: bool) -> None:
    assert groups.codes is not None
    many = len(groups.names) > MAX_COLOURS
    _dots(axes, points[groups.codes < 0], size, scheme.line, "o")
    halo = [withStroke(linewidth=3, foreground=scheme.paper)]
    extent = np.maximum(np.ptp(points, axis=0), 1e-12)
    taken: list[np.ndarray] = []  # places of names, in shares of the map
    sizes = np.bincount(groups.codes[groups.codes >= 0], minlength=len(groups.names))
    for i in np.argsort(-sizes, kind="stable").tolist() if many else range(len(groups.names)):
        name = groups.names[i]
        mine = points[groups.codes == i]
        colour = scheme.faint if many else scheme.colours[i % len(scheme.colours)]
        _dots(axes, mine, size * (0.6 if many else 1), colour, "o" if many else MARKERS[i])
        if len(mine) and named:
            place = _thickest(mine)
            short = name if len(name) <= 16 else name[:15] + "…"
            where = np.array(place) / extent
            if many and any((np.abs(where - other) < (0.02 * len(short), LINE)).all() for other in taken):
                continue  # on top of a larger class's name
            taken.append(where)
            axes.annotate(
                short, place, ha="center", va="center", fontsize=SMALL if many else TEXT + 2, fontweight="bold",
                color=scheme.ink, path_effects=halo, annotation_clip=True, zorder=5,
            )  # fmt: skip
    if (groups.codes < 0).any():
        axes.text(
            0.99, 0.01, f"pale: {UNLABELLED}", transform=axes.transAxes, ha="right", va="bottom", fontsize=SMALL,
            color=scheme.faint,
        )  # fmt: skip
    if many or not named or len(groups.names) < 2:
        return
    handles = [
        axes.scatter([], [], s=28, c=scheme.colours[i % len(scheme.colours)], marker=MARKERS[i], label=name[:18])
        for i, name in enumerate(groups.names)
    ]
    longest = max(len(name[:18]) for name in groups.names)
    columns = int(np.clip(60 // (longest + 6), 1, 12))
    rows = -(-len(handles) // columns)
    columns = -(-len(handles) // rows)
    # legends fill column by column, eyes read row by row
    places = [r * columns + c for c in range(columns) for r in range(rows)]
    by_column = [handles[place] for place in places if place < len(handles)]
    legend = axes.figure.legend(
        handles=by_column, loc="outside upper center", ncols=columns, frameon=False,
        fontsize=SMALL, labelcolor=scheme.ink, handletextpad=0.1, columnspacing=1.2,
    )  # fmt: skip
    legend.set_in_layout(True)
