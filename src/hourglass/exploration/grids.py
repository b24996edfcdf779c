"""The whole plane of a two-dimensional code, decoded on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hourglass.exploration.ranges import code_quantiles
from hourglass.exploration.rows import for_each


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


def manifold(estimator: Any, side: int = 15, *, condition: Any = None) -> Manifold:
    """What every place of a two-dimensional code decodes to.

    Places are the quantiles (i + 1/2) / side of the prior, so that each cell stands for an equal share of it; of the
    codes themselves where the recipe has no prior.

    Parameters
    ----------
    estimator : Embedder, fitted with n_latent=2.
    side : places in each direction.
    condition : one condition, where the model was fitted with one.

    Returns
    -------
    Manifold

    Raises
    ------
    ValueError : if the code has not two dimensions.

    Source: Kingma and Welling 2013, arXiv:1312.6114, appendix A.
    """
    check_is_fitted(estimator, "model_")
    if estimator.n_latent_ != 2:
        raise ValueError(
            f"the code has n_latent={estimator.n_latent_} dimensions, but a grid shows two: fit with n_latent=2, "
            "or use traversal for one dimension at a time"
        )
    if side < 2:
        raise ValueError(f"side={side} must be at least 2")
    places = code_quantiles(estimator, (np.arange(side) + 0.5) / side, condition=condition)
    x, y = places[:, 0], places[:, 1]
    first, second = np.meshgrid(x, y[::-1])
    codes = np.stack([first.ravel(), second.ravel()], axis=1)
    n_columns = len(estimator.condition_) if estimator.condition_ else 0
    examples = estimator.inverse_transform(codes, condition=for_each(condition, side * side, n_columns))
    return Manifold(x, y, codes, examples)
