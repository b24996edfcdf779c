"""Results -> matplotlib figures, by the object interface alone: no pyplot, no global state.

`pictures`, `cells` and `lines` draw examples in the form that `views` gives them; the other figures are the same for
all data. Notebooks show figures by themselves.
"""

from hourglass.plots import cells, lines, pictures
from hourglass.plots.comparison import rate_distortion
from hourglass.plots.dimensions import dimension_bars
from hourglass.plots.labels import Groups, group
from hourglass.plots.losses import loss_curves
from hourglass.plots.scatter import latent_scatter
from hourglass.plots.scheme import DARK, LIGHT, Scheme

__all__ = [
    "DARK",
    "LIGHT",
    "Groups",
    "Scheme",
    "cells",
    "dimension_bars",
    "group",
    "latent_scatter",
    "lines",
    "loss_curves",
    "pictures",
    "rate_distortion",
]
