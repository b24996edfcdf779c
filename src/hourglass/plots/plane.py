"""Axes of the latent plane, whose places are numbered from the left and from below."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hourglass.exploration import Manifold
from hourglass.plots.scheme import Scheme, style_axes


def plane_axes(figure: Figure, grid: Manifold, scheme: Scheme) -> Axes:
    """The axes of a figure, with the codes' values at five places of each edge."""
    axes = figure.subplots()
    style_axes(axes, scheme, grid="")
    places = np.unique(np.linspace(0, grid.side - 1, 5).round().astype(int))
    axes.set_xticks(places, [f"{grid.x[p]:.2g}" for p in places])
    axes.set_yticks(places, [f"{grid.y[p]:.2g}" for p in places])
    axes.set_xlabel("dimension 0")
    axes.set_ylabel("dimension 1")
    return axes
