"""Functions of a fitted estimator that show what its code means: maps, grids, traversals, interpolations, concepts."""

from hourglass.exploration.concepts import concept
from hourglass.exploration.dimensions import DimensionUse, dimension_use
from hourglass.exploration.grids import Manifold, manifold
from hourglass.exploration.interpolation import interpolate
from hourglass.exploration.maps import LatentMap, latent_map
from hourglass.exploration.ranges import code_centre, code_quantiles
from hourglass.exploration.traversals import Traversal, traversal

__all__ = [
    "DimensionUse",
    "LatentMap",
    "Manifold",
    "Traversal",
    "code_centre",
    "code_quantiles",
    "concept",
    "dimension_use",
    "interpolate",
    "latent_map",
    "manifold",
    "traversal",
]
