"""Likelihoods: the decoder's parameters -> a distribution over x."""

from hourglass.likelihoods.bernoulli import Bernoulli
from hourglass.likelihoods.build import build
from hourglass.likelihoods.categorical import Categorical
from hourglass.likelihoods.constant_cells import ConstantCells
from hourglass.likelihoods.gaussian import Gaussian
from hourglass.likelihoods.laplace import Laplace
from hourglass.likelihoods.likelihood import LIKELIHOODS, Distribution, Likelihood
from hourglass.likelihoods.mixed import Mixed
from hourglass.likelihoods.negative_binomial import NegativeBinomial
from hourglass.likelihoods.point_masses import PointMasses

LIKELIHOODS |= {
    kind.__name__: kind
    for kind in (Bernoulli, Categorical, ConstantCells, Gaussian, Laplace, Mixed, NegativeBinomial, PointMasses)
}

__all__ = [
    "LIKELIHOODS",
    "Bernoulli",
    "Categorical",
    "ConstantCells",
    "Distribution",
    "Gaussian",
    "Laplace",
    "Likelihood",
    "Mixed",
    "NegativeBinomial",
    "PointMasses",
    "build",
]
