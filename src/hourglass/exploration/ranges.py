"""Where the codes lie: quantiles of each dimension, from the prior or from the codes themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.utils.validation import check_is_fitted

from hourglass.estimators.conditions import condition_tensor
from hourglass.exploration.rows import for_each
from hourglass.randomness import seeded
from hourglass.variants.vae import StandardNormal

DRAWS = 4000


def code_quantiles(estimator: Any, q: ArrayLike, *, condition: Any = None) -> np.ndarray:
    """Quantiles of every dimension of the code.

    Of the prior, where the recipe has one; else of the density fitted to the codes after training.

    Parameters
    ----------
    estimator : Embedder, fitted.
    q : (K,) probabilities in (0, 1).
    condition : one condition, where the model was fitted with one.

    Returns
    -------
    (K, L) float64
    """
    check_is_fitted(estimator, "model_")
    probabilities = np.asarray(q, dtype=np.float64)
    if probabilities.ndim != 1 or not np.all((probabilities > 0) & (probabilities < 1)):
        raise ValueError(f"q={q!r}: give a list of probabilities between 0 and 1, both excluded")
    if estimator.recipe_.prior is not None:
        with seeded(0), torch.no_grad():
            rows = None
            if condition is not None and estimator.condition_ is not None:
                each = for_each(condition, DRAWS, len(estimator.condition_))
                rows = condition_tensor(estimator.condition_, each, DRAWS)
            prior = estimator.model_.encode.prior(rows)
            if isinstance(prior, StandardNormal):
                return np.repeat(norm.ppf(probabilities)[:, None], estimator.n_latent_, axis=1)
            return np.quantile(prior.sample(DRAWS).flatten(1).double().numpy(), probabilities, axis=0)
    return np.quantile(_draws(estimator, condition), probabilities, axis=0)


def code_centre(estimator: Any, *, condition: Any = None) -> np.ndarray:
    """The middle of the codes (L,): the median of every dimension, 0 for a standard normal prior."""
    return code_quantiles(estimator, [0.5], condition=condition)[0]


def _draws(estimator: Any, condition: Any) -> np.ndarray:
    groups = None
    if estimator.density_.groups != [None]:
        fitted = estimator.condition_
        groups = fitted.groups(for_each(condition, DRAWS, len(fitted)), DRAWS)
    return estimator.density_.sample(DRAWS, groups, seed=0).astype(np.float64)
