"""Colours, sizes and the empty figure that all others start from."""

from __future__ import annotations

import io
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

PIXELS_PER_INCH = 96  # of a style sheet: figures are laid out in its pixels
SHARP = 2  # device pixels per style-sheet pixel
WIDTH = 460  # pixels: a column of a desktop page, and nearly a telephone's width
TEXT, SMALL = 10.5, 9.5  # points; at 460 pixels 14 and 12.7 pixels high, on a telephone 11 and 10


@dataclass(frozen=True)
class Scheme:
    """Colours of text, lines and data on one kind of paper.

    `colours` follow Okabe and Ito 2008 ("Color universal design"), without their yellow, which paper swallows, and with
    more for ten classes; shapes and direct labels carry the same information for who sees no colour.
    """

    ink: str
    faint: str
    line: str
    paper: str
    colours: tuple[str, ...]
    sequence: str = "cividis"  # a colour map even in lightness, the same to colour-blind eyes (Nunez et al. 2018)


LIGHT = Scheme(
    ink="#1b1f27",
    faint="#5d6675",
    line="#d4d8df",
    paper="#ffffff",
    colours=(
        "#0072b2",
        "#d55e00",
        "#009e73",
        "#b8578f",
        "#d18e00",
        "#3b9bd1",
        "#3a3f4a",
        "#8a6d3b",
        "#6a51a3",
        "#7d9a1e",
    ),
)
DARK = Scheme(
    ink="#e9ebef",
    faint="#a2abb9",
    line="#3b424e",
    paper="#14171c",
    colours=(
        "#58a6e8",
        "#f2854b",
        "#35c29b",
        "#e39ac6",
        "#f0b73f",
        "#9ad4f7",
        "#d5d9e0",
        "#c8a878",
        "#a99be8",
        "#b9d65c",
    ),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*", "h")


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=SHARP * PIXELS_PER_INCH)
        return file.getvalue()


def new_figure(height: float, scheme: Scheme, width: float = WIDTH) -> Figure:
    """An empty figure, sizes in style-sheet pixels."""
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03)
    figure = NotebookFigure(figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), layout=layout)
    figure.set_facecolor(scheme.paper)
    return figure


def style_axes(axes: Axes, scheme: Scheme, grid: str = "y") -> None:
    """Gives axes the scheme's colours: two spines, a faint grid ("x", "y", "both" or "")."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(scheme.line)
    axes.tick_params(colors=scheme.faint, labelsize=SMALL, length=3)
    if grid:
        axes.grid(axis=grid, color=scheme.line, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(scheme.faint)
        label.set_fontsize(SMALL)


def hide_axes(axes: Axes) -> None:
    """Axes without frame, ticks and grid."""
    axes.set_axis_off()


def heading(axes: Axes, text: str, scheme: Scheme) -> None:
    """A title at the left, in the text's size."""
    axes.set_title(text, loc="left", fontsize=TEXT, color=scheme.ink, pad=7)
