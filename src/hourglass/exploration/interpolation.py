"""From one example to another through the code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hourglass.exploration.conditions import one_condition
from hourglass.exploration.ranges import check_single_code


def interpolate(
    estimator: Any, a: ArrayLike, b: ArrayLike, steps: int = 9, *, path: str = "linear", condition: Any = None
) -> Any:
    """What lies between two codes.

    Parameters
    ----------
    estimator : Embedder, fitted.
    a, b : (L,) codes, as `transform` gives them.
    steps : how many examples, the two ends among them.
    path : "linear" or "spherical"
        The great arc suits codes of many dimensions under a normal prior, which are rarely near its centre.
    condition : one condition, where the model was fitted with one.

    Returns
    -------
    `steps` examples, in the form of what was fitted.

    Source: White 2016, arXiv:1609.04468, for the spherical path.
    """
    check_single_code(estimator)
    start, end = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    for name, code in (("a", start), ("b", end)):
        if code.shape != (estimator.n_latent_,):
            raise ValueError(f"{name} has shape {code.shape}; a code of this model is ({estimator.n_latent_},)")
    if steps < 2:
        raise ValueError(f"steps={steps} must be at least 2")
    if path not in ("linear", "spherical"):
        raise ValueError(f"path={path!r} is unknown; choose 'linear' or 'spherical'")
    t = np.linspace(0, 1, steps)[:, None]
    codes = (1 - t) * start + t * end
    if path == "spherical":
        lengths = np.linalg.norm(start) * np.linalg.norm(end)
        angle = np.arccos(np.clip(start @ end / lengths, -1, 1)) if lengths > 0 else 0.0
        if 1e-6 < angle < np.pi - 1e-6:  # else there is no one great arc between them
            codes = (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
    return estimator.inverse_transform(codes, condition=one_condition(estimator, condition, steps))
