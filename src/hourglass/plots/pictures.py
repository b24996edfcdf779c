"""Figures of pictures: originals beside reconstructions, grids, walks, samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hourglass.exploration import Manifold, Traversal
from hourglass.plots.scheme import LIGHT, SMALL, WIDTH, Scheme, hide_axes, new_figure, style_axes

SHARP = 2  # device pixels a style-sheet pixel
GAP = 3  # device pixels between pictures
LABELS = 66  # style-sheet pixels for names at the left
COLOUR = (3, 4)


def to_rgb(modality: Any, X: Any) -> np.ndarray:
    """Pictures as they are shown: (N, H, W, 3) from 0 to 1, black and white those of the data.

    Of other than one, three or four channels the mean is shown.
    """
    raw = modality.examples(X).rows().float().numpy()
    levels = np.clip((raw - modality.black) / (modality.white - modality.black), 0, 1)
    channels = levels.shape[1]
    if channels in COLOUR:
        return np.moveaxis(levels[:, :3], 1, -1)
    return np.repeat(levels.mean(axis=1)[..., None], 3, axis=-1)


def mosaic(pictures: np.ndarray, columns: int, width: float) -> np.ndarray:
    """Pictures (N, H, W, 3) side by side, `columns` a row, on clear ground: (height, width, 4) in device pixels.

    Small pictures are enlarged by a whole factor, so that pixels stay square and sharp; large ones are thinned.
    """
    n, high, broad = pictures.shape[:3]
    room = max(8, int((SHARP * width - GAP * (columns - 1)) / columns))
    if broad > room:
        every = -(-broad // room)
        pictures = _averaged(pictures, every)
    else:
        factor = -(-room // broad)
        pictures = pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    high, broad = pictures.shape[1:3]
    gap = max(1, round(GAP * broad / room))
    rows = -(-n // columns)
    sheet = np.zeros((rows * (high + gap) - gap, columns * (broad + gap) - gap, 4), dtype=np.float32)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (high + gap), i % columns * (broad + gap)
        sheet[top : top + high, left : left + broad, :3] = picture
        sheet[top : top + high, left : left + broad, 3] = 1
    return sheet


def _averaged(pictures: np.ndarray, every: int) -> np.ndarray:
    """Blocks of every x every pixels become their mean; an incomplete block at the edge is left out."""
    n, high, broad, c = pictures.shape
    h, b = max(1, high // every), max(1, broad // every)
    blocks = pictures[:, : h * every, : b * every].reshape(n, h, min(every, high), b, min(every, broad), c)
    return blocks.mean(axis=(2, 4))


def _imshow(axes: Axes, sheet: np.ndarray, extent: tuple[float, float, float, float] | None = None) -> None:
    axes.imshow(sheet, interpolation="none", aspect="equal" if extent is None else "auto", extent=extent)


def _sheet_figure(
    rows: Sequence[tuple[str, np.ndarray]], columns: int, scheme: Scheme, names: bool, pairs: bool = False
) -> Figure:
    """Rows of pictures, each with its name, at the left (`names`) or above."""
    width = WIDTH - LABELS if names else WIDTH - 8
    sheets = [mosaic(pictures, columns, width) for _, pictures in rows]
    full = max(s.shape[1] for s in sheets)
    heights = [width * s.shape[0] / full for s in sheets]
    title = 0 if names else 22
    gaps = [12 if pairs and i % 2 else 4 if names else 8 for i in range(len(rows))]
    figure = new_figure(sum(heights) + sum(gaps[:-1]) + title * len(rows) + 8, scheme)
    figure.set_layout_engine("none")
    total, top = figure.get_figheight() * 96, 4.0
    left = (LABELS if names else 4) / WIDTH
    for (name, _), sheet, high, gap in zip(rows, sheets, heights, gaps, strict=True):
        if not names:
            figure.text(left, 1 - (top + title - 7) / total, name, fontsize=SMALL, color=scheme.ink, va="baseline")
            top += title
        axes = figure.add_axes((left, 1 - (top + high) / total, width / WIDTH * sheet.shape[1] / full, high / total))
        hide_axes(axes)
        _imshow(axes, sheet)
        if names:
            figure.text(
                left - 0.015, 1 - (top + high / 2) / total, name, fontsize=SMALL, color=scheme.ink, ha="right",
                va="center",
            )  # fmt: skip
        top += high + gap
    return figure


def reconstructions(modality: Any, originals: Any, made: Any, *, columns: int = 8, scheme: Scheme = LIGHT) -> Figure:
    """Pairs of rows: the originals, and below each what came back from its code.

    Parameters
    ----------
    modality : Images, fitted.
    originals, made : N pictures each, in the form of what was fitted.
    columns : pictures a row.
    """
    before, after = to_rgb(modality, originals), to_rgb(modality, made)
    columns = min(columns, len(before))
    rows = []
    for start in range(0, len(before), columns):
        rows += [("original", before[start : start + columns]), ("rebuilt", after[start : start + columns])]
    return _sheet_figure(rows, columns, scheme, names=True, pairs=True)


def manifold(modality: Any, grid: Manifold, *, scheme: Scheme = LIGHT) -> Figure:
    """The plane of a two-dimensional code as a sheet of pictures, the codes' values at the edges."""
    sheet = mosaic(to_rgb(modality, grid.examples), grid.side, WIDTH - 50)
    figure = new_figure((WIDTH - 50) * sheet.shape[0] / sheet.shape[1] + 44, scheme)
    axes = figure.subplots()
    style_axes(axes, scheme, grid="")
    axes.spines[["left", "bottom"]].set_visible(False)
    _imshow(axes, sheet, (-0.5, grid.side - 0.5, -0.5, grid.side - 0.5))
    places = np.unique(np.linspace(0, grid.side - 1, 5).round().astype(int))
    axes.set_xticks(places, [f"{grid.x[p]:.2g}" for p in places])
    axes.set_yticks(places, [f"{grid.y[p]:.2g}" for p in places])
    axes.set_xlabel("dimension 0")
    axes.set_ylabel("dimension 1")
    return figure


def traversals(modality: Any, walks: Sequence[Traversal], names: Sequence[str], *, scheme: Scheme = LIGHT) -> Figure:
    """A row of pictures for each walk along a dimension, from its low end to its high one.

    Parameters
    ----------
    modality : Images, fitted.
    walks : of `exploration.traversal`, all of the same number of steps.
    names : what stands above each row.
    """
    rows = [(name, to_rgb(modality, walk.examples)) for name, walk in zip(names, walks, strict=True)]
    return _sheet_figure(rows, len(rows[0][1]), scheme, names=False)


def samples(
    modality: Any, drawn: Sequence[Any], names: Sequence[str] = ("",), *, columns: int = 8, scheme: Scheme = LIGHT
) -> Figure:
    """New pictures.

    Parameters
    ----------
    modality : Images, fitted.
    drawn : sets of pictures, each in the form of what was fitted.
    names : of the sets, "" for none.
    columns : pictures a row.
    """
    rows = [(name, to_rgb(modality, pictures)) for name, pictures in zip(names, drawn, strict=True)]
    if not any(name for name, _ in rows):
        sheet = mosaic(np.concatenate([pictures for _, pictures in rows]), columns, WIDTH - 8)
        figure = new_figure((WIDTH - 8) * sheet.shape[0] / sheet.shape[1] + 8, scheme)
        axes = figure.subplots()
        hide_axes(axes)
        _imshow(axes, sheet)
        return figure
    return _sheet_figure(rows, columns, scheme, names=len(rows[0][1]) <= columns)
