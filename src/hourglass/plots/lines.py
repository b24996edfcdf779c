"""Figures of lines: reconstructions over their originals, a stretch of time, the latent plane, traversals, samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hourglass.exploration import Manifold
from hourglass.plots.plane import plane_axes
from hourglass.plots.scheme import LIGHT, SMALL, WIDTH, Scheme, heading, hide_axes, new_figure, style_axes
from hourglass.views import Lines

MAX_CHANNELS = 4  # more lines above each other cannot be read
COLUMNS = 2
PANEL, CHANNEL = 40, 46  # style-sheet pixels: a panel without channels, and each channel of it
ALONG = 84  # style-sheet pixels of a channel along time
FILLED = 0.86  # share of its row that a channel's line takes


def _scales(*sets: Lines) -> tuple[np.ndarray, np.ndarray]:
    """The middle and the range of every channel over all sets, (C,) each."""
    values = np.concatenate([lines.values for lines in sets])
    flat = np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)
    known = np.where(np.isfinite(flat).any(axis=1)[:, None], flat, 0.0)
    low, high = np.nanmin(known, axis=1), np.nanmax(known, axis=1)
    return (low + high) / 2, np.where(high > low, high - low, 1.0)


def _small_multiples(
    n: int, channels: Sequence[str], draw: Callable[[Axes, int], None], names: Sequence[str], scheme: Scheme
) -> Figure:
    """n panels side by side, each with its channels one below the other; `draw` fills the panel of that number."""
    shown = min(len(channels), MAX_CHANNELS)
    rows = -(-n // COLUMNS)
    figure = new_figure(24 + rows * (PANEL + CHANNEL * shown), scheme)
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True).ravel()
    for axes in panels[n:]:
        hide_axes(axes)
    for i, axes in enumerate(panels[:n]):
        style_axes(axes, scheme, grid="x")
        axes.spines["left"].set_visible(False)
        axes.set_ylim(-shown + 0.5, 0.5)
        axes.set_yticks([-c for c in range(shown)], list(channels[:shown]) if shown > 1 else [""])
        axes.tick_params(axis="y", length=0)
        if names:
            heading(axes, names[i], scheme)
        draw(axes, i)
    return figure


def _draw(axes: Axes, values: np.ndarray, scales: tuple[np.ndarray, np.ndarray], **style: object) -> None:
    """The channels (C, T) of one example."""
    middle, extent = scales
    for c, line in enumerate(values[:MAX_CHANNELS]):
        axes.plot(np.arange(len(line)), FILLED * (line - middle[c]) / extent[c] - c, **style)  # type: ignore[arg-type]


def reconstructions(
    originals: Lines, reconstructions: Lines, *, names: Sequence[str] = (), scheme: Scheme = LIGHT
) -> Figure:
    """Small multiples of the originals (solid) with their reconstructions over them (dashed).

    Parameters
    ----------
    originals, reconstructions : N windows each; of more than four channels the first four.
    names : what stands above each panel.
    scheme : colours.
    """
    scales = _scales(originals, reconstructions)

    def both(axes: Axes, i: int) -> None:
        _draw(axes, originals.values[i], scales, color=scheme.faint, linewidth=1.6)
        _draw(axes, reconstructions.values[i], scales, color=scheme.colours[1], linewidth=1.3, linestyle=(0, (4, 1.5)))

    figure = _small_multiples(len(originals), originals.names, both, names, scheme)
    handles = [
        figure.axes[0].plot([], [], color=scheme.faint, label="original")[0],
        figure.axes[0].plot([], [], color=scheme.colours[1], linestyle=(0, (4, 1.5)), label="reconstruction")[0],
    ]
    figure.legend(
        handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL, labelcolor=scheme.ink
    )
    return figure


def along_time(
    original: np.ndarray,
    reconstruction: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str],
    *,
    first: int = 0,
    threshold: float | None = None,
    marked: Sequence[tuple[int, int]] = (),
    unit: str = "nats",
    scheme: Scheme = LIGHT,
) -> Figure:
    """A series with its reconstruction over it, each channel in its own units, and below them a score of each instant.

    Parameters
    ----------
    original, reconstruction : (C, T), NaN where there is none; of more than four channels the first four.
    scores : (T,).
    names : of the channels.
    first : the number of the first instant.
    threshold : of the scores, drawn as a line.
    marked : first and last instants of what is to be seen, such as events.
    unit : of the scores.
    scheme : colours.
    """
    shown = min(len(original), MAX_CHANNELS)
    figure = new_figure(30 + ALONG * (shown + 1), scheme)
    panels = figure.subplots(shown + 1, 1, squeeze=False, sharex=True).ravel()
    instants = first + np.arange(original.shape[1])
    for c, axes in enumerate(panels[:-1]):
        style_axes(axes, scheme, grid="x")
        axes.plot(instants, original[c], color=scheme.faint, linewidth=1.4, label="original")
        axes.plot(instants, reconstruction[c], color=scheme.colours[1], linewidth=0.9, label="reconstruction")
        heading(axes, names[c], scheme)
    style_axes(panels[-1], scheme, grid="x")
    panels[-1].plot(instants, scores, color=scheme.colours[0], linewidth=0.9)
    heading(panels[-1], unit, scheme)
    if threshold is not None:
        panels[-1].axhline(threshold, color=scheme.colours[1], linewidth=1.2, linestyle=(0, (4, 2)))
    for axes in panels:
        for begin, end in marked:
            axes.axvspan(begin - 0.5, end + 0.5, color=scheme.colours[1], alpha=0.15, linewidth=0)
    panels[0].legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=SMALL, labelcolor=scheme.ink
    )
    return figure


def samples(sets: Sequence[Lines], names: Sequence[str] = ("",), *, scheme: Scheme = LIGHT) -> Figure:
    """Small multiples of windows: each set in turn.

    Parameters
    ----------
    sets : generated windows, or any others.
    names : of the sets, "" for none.
    scheme : colours.
    """
    scales = _scales(*sets)
    every = np.concatenate([lines.values for lines in sets])
    above = [name for name, lines in zip(names, sets, strict=True) for _ in range(len(lines))]

    def one(axes: Axes, i: int) -> None:
        _draw(axes, every[i], scales, color=scheme.colours[0], linewidth=1.4)

    return _small_multiples(len(every), sets[0].names, one, above if any(names) else (), scheme)


def traversals(traversals: Sequence[Lines], names: Sequence[str], *, scheme: Scheme = LIGHT) -> Figure:
    """For each latent traversal its windows over each other, from the low end of the dimension (dark) to the high one.

    Parameters
    ----------
    traversals : views of the `examples` of `exploration.traversal`.
    names : what stands above each panel.
    scheme : colours.
    """
    scales = _scales(*traversals)
    shades = matplotlib.colormaps[scheme.sequence]

    def steps(axes: Axes, i: int) -> None:
        for k, values in enumerate(traversals[i].values):
            _draw(axes, values, scales, color=shades(k / max(1, len(traversals[i]) - 1)), linewidth=1.2)

    return _small_multiples(len(traversals), traversals[0].names, steps, names, scheme)


def manifold(grid: Manifold, lines: Lines, *, scheme: Scheme = LIGHT) -> Figure:
    """The plane of a two-dimensional code as a sheet of small lines, of the first channel.

    Parameters
    ----------
    grid : of `exploration.manifold`.
    lines : the view of its `examples`.
    scheme : colours.
    """
    middle, extent = (scale[0] for scale in _scales(lines))
    figure = new_figure(WIDTH - 40, scheme)
    axes = plane_axes(figure, grid, scheme)
    along = np.linspace(-0.43, 0.43, lines.values.shape[2])
    for i, values in enumerate(lines.values[:, 0]):
        row, column = divmod(i, grid.side)
        heights = grid.side - 1 - row + FILLED * (values - middle) / extent
        axes.plot(column + along, heights, color=scheme.colours[0], linewidth=1)
    return figure
