"""How much each dimension of the code is used."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hourglass.exploration import DimensionUse
from hourglass.plots.scheme import LIGHT, SMALL, Scheme, new_figure, style_axes

MAX_NAMED_BARS = 16  # more bars have no room for their names
MIN_BARS = 6  # so that few bars stay slender


def dimension_bars(use: DimensionUse, scheme: Scheme = LIGHT) -> Figure:
    """A bar for each latent dimension, the most informative first; unused ones are hollow.

    Parameters
    ----------
    use : of `exploration.dimension_use`.
    scheme : colours.
    """
    order = use.order
    values, active = use.values[order], use.active[order]
    figure = new_figure(230, scheme)
    axes = figure.subplots()
    style_axes(axes, scheme)
    places = np.arange(len(values))
    faces = [scheme.colours[0] if a else "none" for a in active]
    edges = [scheme.colours[0] if a else scheme.faint for a in active]
    wide = 0.75 if len(values) < 80 else 1.0
    axes.bar(places, values, width=wide, color=faces, edgecolor=edges, linewidth=1.2)
    middle, half = (len(values) - 1) / 2, max(len(values), MIN_BARS) / 2
    axes.set_xlim(middle - half - 0.2, middle + half + 0.2)
    axes.set_ylim(0, 1.12 * (float(values.max()) or 1.0))
    nats = use.unit == "nats"
    axes.set_ylabel("KL, nats per example" if nats else "standard deviation of the code")
    if len(values) <= MAX_NAMED_BARS:
        axes.set_xticks(places, [str(d) for d in order])
        axes.set_xlabel("latent dimension")
        for place, value in zip(places, values, strict=True):
            axes.annotate(
                f"{value:.2g}" if len(values) > 10 else f"{value:.3g}", (place, value), xytext=(0, 3),
                textcoords="offset points", ha="center", fontsize=SMALL - (1 if len(values) > 10 else 0),
                color=scheme.ink,
            )  # fmt: skip
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        first = ", ".join(map(str, order[:3].tolist()))
        axes.set_xlabel(f"latent dimensions, the most informative first ({first}, …)")
    idle = int((~active).sum())
    if idle:
        axes.text(
            0.98, 0.92, f"{idle} of {len(values)} unused (hollow)", transform=axes.transAxes, ha="right", va="top",
            fontsize=SMALL, color=scheme.faint,
        )  # fmt: skip
    return figure
