"""Where the codes lie: quantiles of each dimension, of the codes themselves or of the prior."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.utils.validation import check_is_fitted

from hourglass.estimators.conditions import condition_tensor
from hourglass.exploration.conditions import one_condition
from hourglass.randomness import seeded
from hourglass.variants.vae import StandardNormal

Source = Literal["codes", "prior"]
DRAWS = 4000


def check_single_code(estimator: Any) -> None:
    """Raises ValueError for an estimator that is not fitted, or whose codes are not one vector (L,) per example."""
    check_is_fitted(estimator, "model_")
    if grid := estimator.model_.sizes.grid:
        size = " x ".join(map(str, grid))
        raise ValueError(
            f"the codes of this model lie on a grid ({size}): quantiles, traversals, planes and interpolations are of "
            "one code (L,) per example; see transform and inverse_transform for codes on a grid"
        )


def code_quantiles(estimator: Any, q: ArrayLike, *, condition: Any = None, source: Source = "codes") -> np.ndarray:
    """Quantiles of every dimension of the code.

    Parameters
    ----------
    estimator : Embedder, fitted.
    q : (K,) probabilities in (0, 1).
    condition : one condition, where the model was fitted with one.
    source : "codes" or "prior"
        Of the density fitted to the codes after training, which is where the examples are; or of the recipe's prior,
        where the codes of a good variational autoencoder should be.

    Returns
    -------
    (K, L) float64

    Raises
    ------
    ValueError : for source="prior" with a recipe that has none, and for codes on a grid.
    """
    check_single_code(estimator)
    probabilities = np.asarray(q, dtype=np.float64)
    if probabilities.ndim != 1 or not np.all((probabilities > 0) & (probabilities < 1)):
        raise ValueError(f"q={q!r}: give a list of probabilities between 0 and 1, both excluded")
    if source not in ("codes", "prior"):
        raise ValueError(f"source={source!r} is unknown; choose 'codes' or 'prior'")
    if source == "codes":
        return np.quantile(_codes(estimator, condition), probabilities, axis=0)
    return _quantiles_of_prior(estimator, probabilities, condition)


def code_centre(estimator: Any, *, condition: Any = None, source: Source = "codes") -> np.ndarray:
    """The middle of the codes (L,): the median of every dimension."""
    return code_quantiles(estimator, [0.5], condition=condition, source=source)[0]


def _codes(estimator: Any, condition: Any) -> np.ndarray:
    """Draws from the density fitted to the codes, (DRAWS, L)."""
    groups = None
    if estimator.density_.groups != [None]:
        groups = estimator.condition_.groups(one_condition(estimator, condition, DRAWS), DRAWS)
    return np.asarray(estimator.density_.sample(DRAWS, groups, seed=0), dtype=np.float64)


@torch.no_grad()
def _quantiles_of_prior(estimator: Any, probabilities: np.ndarray, condition: Any) -> np.ndarray:
    if estimator.recipe_.prior is None:
        raise ValueError("source='prior': this recipe has no prior; leave it out for the quantiles of the codes")
    given = one_condition(estimator, condition, DRAWS)
    with seeded(0):
        prior = estimator.model_.encode.prior(condition_tensor(estimator.condition_, given, DRAWS))
        if isinstance(prior, StandardNormal):
            return np.repeat(norm.ppf(probabilities)[:, None], estimator.n_latent_, axis=1)
        return np.quantile(prior.sample(DRAWS).flatten(1).double().numpy(), probabilities, axis=0)
