"""The whole plane of a two-dimensional code, decoded on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hourglass.exploration.conditions import one_condition
from hourglass.exploration.ranges import Source, check_single_code, code_quantiles


@dataclass(frozen=True, eq=False)
class Manifold:
    """A grid over a plane of codes.

    `x` (side,) are the values of dimension 0 from left to right, `y` (side,) those of dimension 1 from
    bottom to top. `codes` (side * side, 2) and the `examples` decoded from them go row by row from the top left.
    """

    x: np.ndarray
    y: np.ndarray
    codes: np.ndarray
    examples: Any

    @property
    def side(self) -> int:
        return len(self.x)


def manifold(estimator: Any, side: int = 15, *, condition: Any = None, source: Source = "codes") -> Manifold:
    """What every place of a two-dimensional code decodes to.

    Places are the quantiles (i + 1/2) / side of each dimension, so that every column and every row of the grid stands
    for an equal share of the codes.

    Parameters
    ----------
    estimator : Embedder, fitted with n_latent=2.
    side : places in each direction.
    condition : one condition, where the model was fitted with one.
    source : "codes" or "prior"
        Whose quantiles; see `code_quantiles`.

    Returns
    -------
    Manifold

    Raises
    ------
    ValueError : if the code does not have two dimensions.

    Source: Kingma and Welling 2013, arXiv:1312.6114, appendix A, for the quantiles of the prior.
    """
    check_single_code(estimator)
    if estimator.n_latent_ != 2:
        raise ValueError(
            f"the code has n_latent={estimator.n_latent_} dimensions, but a grid shows two: fit with n_latent=2, "
            "or use traversal for one dimension at a time"
        )
    if side < 2:
        raise ValueError(f"side={side} must be at least 2")
    places = code_quantiles(estimator, (np.arange(side) + 0.5) / side, condition=condition, source=source)
    x, y = places[:, 0], places[:, 1]
    first, second = np.meshgrid(x, y[::-1])
    codes = np.stack([first.ravel(), second.ravel()], axis=1)
    examples = estimator.inverse_transform(codes, condition=one_condition(estimator, condition, side * side))
    return Manifold(x, y, codes, examples)
