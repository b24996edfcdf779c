"""Results -> matplotlib figures, by the object interface alone: no pyplot, no global state.

`pictures` and `tables` draw examples of their kind; the other figures are the same for all data.
"""

from hourglass.plots import pictures, tables
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
    "dimension_bars",
    "group",
    "latent_scatter",
    "loss_curves",
    "pictures",
    "rate_distortion",
    "tables",
]
