"""Latent traversals: one dimension of the code is varied, all others are held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hourglass.exploration.conditions import one_condition
from hourglass.exploration.ranges import Source, check_single_code, code_quantiles

TAIL = 0.02  # share of the codes beyond each end of a traversal


@dataclass(frozen=True, eq=False)
class Traversal:
    """`values` (K,) of dimension `dimension`, the `codes` (K, L) and the K `examples` decoded from them."""

    dimension: int
    values: np.ndarray
    codes: np.ndarray
    examples: Any


def traversal(
    estimator: Any,
    dimension: int,
    *,
    steps: int = 9,
    start: ArrayLike | None = None,
    condition: Any = None,
    source: Source = "codes",
) -> Traversal:
    """What changes along one dimension of the code.

    Evenly spaced values from the 2% to the 98% quantile of that dimension.

    Parameters
    ----------
    estimator : Embedder, fitted.
    dimension : which one, from 0.
    steps : K, how many values.
    start : (L,) the code whose other dimensions are held; None takes the middle of the codes.
    condition : one condition, where the model was fitted with one.
    source : "codes" or "prior"
        Whose quantiles; see `code_quantiles`.

    Returns
    -------
    Traversal

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from hourglass import Embedder
    >>> embedder = Embedder(n_latent=2, max_epochs=2, random_state=0).fit(load_iris().data)
    >>> traversal(embedder, 0, steps=5).examples.shape
    (5, 4)
    """
    check_single_code(estimator)
    if not 0 <= dimension < estimator.n_latent_:
        raise ValueError(f"dimension={dimension} is not in the code; it has {estimator.n_latent_}, counted from 0")
    if steps < 2:
        raise ValueError(f"steps={steps} must be at least 2")
    low, centre, high = code_quantiles(estimator, [TAIL, 0.5, 1 - TAIL], condition=condition, source=source)
    centre = centre if start is None else np.asarray(start, dtype=np.float64)
    if centre.shape != (estimator.n_latent_,):
        raise ValueError(f"start has shape {centre.shape}; a code of this model is ({estimator.n_latent_},)")
    codes = np.repeat(centre[None], steps, axis=0)
    codes[:, dimension] = np.linspace(low[dimension], high[dimension], steps)
    examples = estimator.inverse_transform(codes, condition=one_condition(estimator, condition, steps))
    return Traversal(dimension, codes[:, dimension].copy(), codes, examples)
