"""Figures of pictures: originals beside reconstructions, the latent plane, traversals, samples, thumbnails on a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hourglass.exploration import LatentMap, Manifold
from hourglass.plots.plane import plane_axes
from hourglass.plots.scheme import (
    LIGHT,
    PIXELS_PER_INCH,
    SHARP,
    SMALL,
    WIDTH,
    Scheme,
    hide_axes,
    new_figure,
    style_axes,
)
from hourglass.views import Pictures

GAP = 3  # device pixels between pictures
LABELS = 104  # style-sheet pixels for names at the left
THUMBNAILS = 150  # at most on a map
THUMBNAIL = 0.066  # their side, as a share of the map's


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
    total, top = figure.get_figheight() * PIXELS_PER_INCH, 4.0
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


def reconstructions(
    originals: Pictures, reconstructions: Pictures, *, columns: int = 8, scheme: Scheme = LIGHT
) -> Figure:
    """Pairs of rows: the originals, and below each its reconstruction.

    Parameters
    ----------
    originals, reconstructions : N pictures each.
    columns : pictures per row.
    scheme : colours.
    """
    before, after = originals.rgb, reconstructions.rgb
    columns = min(columns, len(before))
    rows = []
    for start in range(0, len(before), columns):
        part = slice(start, start + columns)
        rows += [("original", before[part]), ("reconstruction", after[part])]
    return _sheet_figure(rows, columns, scheme, names=True, pairs=True)


def manifold(grid: Manifold, pictures: Pictures, *, scheme: Scheme = LIGHT) -> Figure:
    """The plane of a two-dimensional code as a sheet of pictures, the codes' values at the edges.

    Parameters
    ----------
    grid : of `exploration.manifold`.
    pictures : the view of its `examples`.
    scheme : colours.
    """
    sheet = mosaic(pictures.rgb, grid.side, WIDTH - 50)
    figure = new_figure((WIDTH - 50) * sheet.shape[0] / sheet.shape[1] + 44, scheme)
    axes = plane_axes(figure, grid, scheme)
    axes.spines[["left", "bottom"]].set_visible(False)
    _imshow(axes, sheet, (-0.5, grid.side - 0.5, -0.5, grid.side - 0.5))
    return figure


def traversals(traversals: Sequence[Pictures], names: Sequence[str], *, scheme: Scheme = LIGHT) -> Figure:
    """A row of pictures for each latent traversal, from the low end of the dimension to its high one.

    Parameters
    ----------
    traversals : views of the `examples` of `exploration.traversal`, all of the same number of steps.
    names : what stands above each row.
    scheme : colours.
    """
    rows = [(name, pictures.rgb) for name, pictures in zip(names, traversals, strict=True)]
    return _sheet_figure(rows, len(rows[0][1]), scheme, names=False)


def samples(
    sets: Sequence[Pictures], names: Sequence[str] = ("",), *, columns: int = 8, scheme: Scheme = LIGHT
) -> Figure:
    """Sets of pictures, one after the other.

    Parameters
    ----------
    sets : generated pictures, or any others.
    names : of the sets, "" for none.
    columns : pictures per row.
    scheme : colours.
    """
    rows = [(name, pictures.rgb) for name, pictures in zip(names, sets, strict=True)]
    if not any(name for name, _ in rows):
        sheet = mosaic(np.concatenate([pictures for _, pictures in rows]), columns, WIDTH - 8)
        figure = new_figure((WIDTH - 8) * sheet.shape[0] / sheet.shape[1] + 8, scheme)
        axes = figure.subplots()
        hide_axes(axes)
        _imshow(axes, sheet)
        return figure
    return _sheet_figure(rows, columns, scheme, names=len(rows[0][1]) <= columns)


def thumbnails(latent: LatentMap, pictures: Pictures, *, scheme: Scheme = LIGHT) -> Figure:
    """Pictures where their codes are on a latent map: as many as find room without covering each other.

    Parameters
    ----------
    latent : of `exploration.latent_map`.
    pictures : the examples of the map (its `rows` are taken).
    scheme : colours.
    """
    low, high = latent.points.min(axis=0), latent.points.max(axis=0)
    places = (latent.points - low) / np.maximum(high - low, 1e-12)  # from 0 to 1
    high_, wide = pictures.size
    size = THUMBNAIL * np.array([wide, high_]) / max(wide, high_)
    chosen = _apart(places, size)
    figure = new_figure(430, scheme)
    axes = figure.subplots()
    style_axes(axes, scheme, grid="")
    axes.set_xticks([])
    axes.set_yticks([])
    for place, picture in zip(places[chosen], _small(pictures[latent.rows[chosen]].rgb), strict=True):
        left, bottom = place - size / 2
        _imshow(axes, picture, (left, left + size[0], bottom, bottom + size[1]))
    axes.set_xlim(-THUMBNAIL, 1 + THUMBNAIL)
    axes.set_ylim(-THUMBNAIL, 1 + THUMBNAIL)
    axes.set_xlabel(latent.axes[0])
    axes.set_ylabel(latent.axes[1])
    return figure


def _apart(places: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Positions of places (N, 2) that are apart by `size` (2,) in either direction, at most THUMBNAILS of them."""
    chosen: list[int] = []
    for i in np.random.default_rng(0).permutation(len(places)).tolist():
        if not (np.abs(places[chosen] - places[i]) < 1.04 * size).all(axis=1).any():
            chosen.append(i)
        if len(chosen) == THUMBNAILS:
            break
    return np.array(chosen)


def _small(rgb: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, 3) thinned to what a thumbnail can show."""
    room = SHARP * THUMBNAIL * WIDTH
    longest = max(rgb.shape[1:3])
    return _averaged(rgb, -(-longest // round(room))) if longest > room else rgb
