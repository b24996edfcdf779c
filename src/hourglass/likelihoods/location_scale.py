"""Noise about the decoder's output whose scale is fitted: what the Gaussian and the Laplace share.

**Why a buffer and not a parameter.** For a batch with mean squared error ``e(theta)``, the Gaussian log-likelihood per
cell is ``-(ln 2 pi v + e(theta) / v) / 2``, largest in v at ``v* = e(theta)``. There its derivative in v vanishes,
so by the envelope theorem the gradient of the maximised likelihood in theta is the partial gradient with v held at v*:
``-grad e / (2 v*)``. Nothing is learned by differentiating through v; setting it to its optimum is exact, needs no
learning rate of its own, and cannot run away. The same holds for the scale of the Laplace, ``b* = mean |x - m|``.

Source: Rybkin, Daniilidis, Levine, "Simple and Effective VAE Training with Calibrated Decoders" (2021,
arXiv:2006.13202, section 3.2: the optimal sigma-VAE). They take the optimum of each batch; here a running average of
the batch optima, so that one likelihood stands for evaluation too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from hourglass.likelihoods.likelihood import Likelihood, at_least_float32

Variance = Literal["shared", "partial", "feature"] | float
Floor = float | Sequence[float]

CELLS_TO_BELIEVE = 2.0  # of one feature, from which on its own variance counts more than that of all
MIN_DEVIATION = 1e-3  # in model space, where features have deviation 1: a perfect fit must not reach density infinity


class LocationScale(Likelihood):
    """Cells with noise about the decoder's output; the noise's scale s is ``exp(log_scale)``, of x's own units.

    At its optimum ``s ** power`` is the mean of ``|x - m| ** power``, and ``update_scale`` moves it there.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is S: the decoder puts out the location m.
    variance : "shared", "partial", "feature" or float
        One fitted variance; one per feature (axis 0 of S: columns, channels), fitted; or a fixed one, in model space.
        "partial" is partial pooling: shared while it is trained with, so that no feature takes the whole code for
        itself, and then one per feature, which few cells draw towards the shared one.
    floor : float or sequence of float
        Least *standard deviation* of a fitted variance (the resolution of a column), one for all or one per feature. In
        any case a fitted deviation stays above 1e-3. A fixed variance is taken as given.
    missing : bool
        Skip NaN cells of x.

    Raises
    ------
    ValueError
        If the variance is none of these, or a floor is negative, not finite, or does not fit the features.
    """

    power: ClassVar[int]
    deviation_of_scale: ClassVar[float]  # the standard deviation where the scale is 1
    log_scale: Tensor  # () or (S[0], 1, ...)
    _least: Tensor

    def __init__(
        self, shape: Sequence[int], variance: Variance = "shared", floor: Floor = 0.0, missing: bool = False
    ) -> None:
        super().__init__(shape, missing=missing)
        self.variance = _checked_variance(variance)
        self.floor = _checked_floor(floor, self.variance, self.shape[0])
        per_feature = self.variance in ("partial", "feature") or not isinstance(self.floor, float)
        own = self.per_feature if per_feature else ()
        deviation = 1.0 if isinstance(self.variance, str) else math.sqrt(self.variance) / self.deviation_of_scale
        least = torch.as_tensor(self.floor, dtype=torch.float32).clamp(min=MIN_DEVIATION) / self.deviation_of_scale
        least = least.expand(self.shape[0]).reshape(own).clone() if own else least
        self.register_buffer("log_scale", torch.full(own, math.log(deviation), dtype=torch.float32))
        self.register_buffer("_least", least, persistent=False)

    @staticmethod
    def errors(difference: Tensor) -> Tensor:
        """|x - m| ** power of x - m, which may be overwritten."""
        raise NotImplementedError

    def regression_target(self, x: Tensor) -> Tensor | None:
        """x itself, the mean where it is not known: the decoder puts out the location."""
        return torch.where(x.isnan(), x.nanmean(0).nan_to_num(0.0), x) if self.missing else x

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Move the scale towards its optimum on this batch; a feature without a known cell keeps its own."""
        if not isinstance(self.variance, str):
            return
        errors = self.errors(x - at_least_float32(parameters))  # (*K, B, *S), NaN where a cell is missing
        axes = list(range(errors.ndim))
        if self.variance == "feature":
            del axes[-self.n_dims]
        optimum = errors.nanmean(dim=axes) if self.missing else errors.mean(dim=axes)
        self._move_scale(optimum, rate)

    @torch.no_grad()
    def settle_scale(self, parameters: Tensor, x: Tensor) -> None:
        """Set the scale, once training is over: of "partial", that of each feature, drawn towards the shared one.

        The logarithm of a variance that was fitted to n cells has itself a variance of 2 / n. Where those of features
        lie about the shared one with a variance of 1, their best estimate weighs the latter like 2 cells.
        """
        if self.variance != "partial":
            self.update_scale(parameters, x, 1.0)
            return
        errors = self.errors(x - at_least_float32(parameters)).movedim(-self.n_dims, -1).flatten(0, -2)
        known = ~errors.isnan()
        sums, n = errors.nan_to_num(0.0).sum(0), known.sum(0)
        least = self._least.flatten() ** self.power
        shared, own = torch.maximum(sums.sum() / n.sum(), least), torch.maximum(sums / n.clamp(min=1), least)
        weight = n / (n + CELLS_TO_BELIEVE)
        self._move_scale(torch.exp(torch.lerp(shared.log(), own.log(), weight)), 1.0)

    def _move_scale(self, optimum: Tensor, rate: float) -> None:
        """Towards a mean error, () or (S[0],), that may be NaN where nothing is known."""
        if optimum.ndim:
            optimum = optimum.reshape(self.log_scale.shape)
        before = (self.power * self.log_scale).exp()
        if self.missing:
            optimum = torch.where(torch.isnan(optimum), before, optimum)
        after = torch.maximum(torch.lerp(before, optimum.to(before).expand_as(before), rate), self._least**self.power)
        self.log_scale.copy_(after.log() / self.power)


def _checked_variance(variance: Any) -> Variance:
    if isinstance(variance, str):
        if variance in ("shared", "partial", "feature"):
            return variance  # type: ignore[return-value]
    elif math.isfinite(variance) and variance > 0:
        return float(variance)
    raise ValueError(
        f'variance={variance!r}: use "shared" (one, fitted), "feature" (one per feature, fitted), "partial" (between '
        "the two), or a positive number."
    )


def _checked_floor(floor: Any, variance: Variance, n_features: int) -> float | list[float]:
    values = torch.as_tensor(floor, dtype=torch.float64)
    if not bool((torch.isfinite(values) & (values >= 0)).all()):
        raise ValueError(f"floor={floor!r}: a standard deviation is finite and not negative; 0 sets no floor.")
    if values.ndim == 0:
        return float(values)
    if not isinstance(variance, str):
        raise ValueError(f"floor has {values.numel()} values but the variance is not fitted: {variance!r}.")
    if values.shape != (n_features,):
        raise ValueError(f"floor has shape {tuple(values.shape)} for {n_features} features: give one number each.")
    return [float(value) for value in values]
