"""The width of a location likelihood (a variance, a scale): its start, its floor, its optimum on a batch.

**Why a buffer and not a parameter.** For a batch with mean squared error ``e(theta)``, the Gaussian log-likelihood per
cell is ``-(ln 2 pi v + e(theta) / v) / 2``, largest in v at ``v* = e(theta)``. There its derivative in v vanishes,
so by the envelope theorem the gradient of the maximised likelihood in theta is the partial gradient with v held at v*:
``-grad e / (2 v*)``. Nothing is learnt by differentiating through v; setting it to its optimum is exact, needs no
learning rate of its own, and cannot run away. The same holds for the scale of the Laplace, ``b* = mean |x - m|``.

Source: Rybkin, Daniilidis, Levine, "Simple and Effective VAE Training with Calibrated Decoders" (2021,
arXiv:2006.13202, section 3.2: the optimal sigma-VAE). They take the optimum of each batch; here a running average of
the batch optima, so that one likelihood stands for evaluation too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

NoiseScale = Literal["shared", "feature"] | float
Floor = float | Sequence[float]

MIN_DEVIATION = 1e-3  # in model space, where features have deviation 1: a perfect fit must not reach density infinity


def checked_scale(width: Any, argument: str) -> NoiseScale:
    """``width`` as "shared", "feature" or a positive float.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(width, str):
        if width in ("shared", "feature"):
            return width  # type: ignore[return-value]
    elif math.isfinite(width) and width > 0:
        return float(width)
    raise ValueError(
        f'{argument}={width!r}: use "shared" (one, fitted), "feature" (one per feature, fitted), or a positive number.'
    )


def checked_floor(floor: Any, width: NoiseScale, n_features: int) -> float | list[float]:
    """``floor`` as one standard deviation, or one per feature.

    Raises
    ------
    ValueError
        If a value is negative or not finite, or the list does not fit the features.
    """
    values = torch.as_tensor(floor, dtype=torch.float64)
    if not bool((torch.isfinite(values) & (values >= 0)).all()):
        raise ValueError(f"floor={floor!r}: a standard deviation is finite and not negative; 0 sets no floor.")
    if values.ndim == 0:
        return float(values)
    if width != "feature":
        raise ValueError(f'floor has {values.numel()} values but the width is {width!r}: fit one per "feature".')
    if values.shape != (n_features,):
        raise ValueError(f"floor has shape {tuple(values.shape)} for {n_features} features: give one number each.")
    return [float(value) for value in values]


def scale_floor(floor: float | list[float], width: NoiseScale, per_feature: tuple[int, ...]) -> Tensor:
    """The least standard deviation, () or ``per_feature``."""
    values = torch.as_tensor(floor, dtype=torch.float32).clamp(min=MIN_DEVIATION)
    return values.expand(per_feature[0]).reshape(per_feature).clone() if width == "feature" else values


def initial_log_scale(width: NoiseScale, per_feature: tuple[int, ...]) -> Tensor:
    """The logarithm of the width before any data: a fitted one starts at 1; () or ``per_feature``."""
    if width == "feature":
        return torch.zeros(per_feature, dtype=torch.float32)
    return torch.tensor(0.0 if isinstance(width, str) else math.log(width), dtype=torch.float32)


def updated_log_scale(
    log_width: Tensor, errors: Tensor, rate: float, least: Tensor, n_dims: int, missing: bool
) -> Tensor:
    """The log-width after one step of size ``rate`` from exp(log_width) to the mean of ``errors``, not below ``least``.

    errors (*K, B, *S), NaN where a cell is ``missing``; a feature without a seen cell stays where it is.
    """
    axes = list(range(errors.ndim))
    if log_width.ndim:
        del axes[-n_dims]
    optimum = (errors.nanmean(dim=axes) if missing else errors.mean(dim=axes)).reshape(log_width.shape)
    width = log_width.exp()
    if missing:
        optimum = torch.where(torch.isnan(optimum), width, optimum)
    return torch.maximum(torch.lerp(width, optimum.to(width), rate), least).log()
