"""The categorical likelihood: cross-entropy, for cells that take one of n classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hourglass.likelihoods.likelihood import Distribution, Likelihood, at_least_float32


@dataclass(frozen=True, eq=False, kw_only=True)
class CategoricalDistribution(Distribution):
    """Categorical(softmax(logits)) per cell: logits (*K, B, n_classes, *S); x holds codes 0 .. n_classes - 1."""

    logits: Tensor
    unseen: Tensor  # (S[0], 1, ...) nats

    @property
    def _class_axis(self) -> int:
        return -self.n_dims - 1

    @property
    def probabilities(self) -> Tensor:
        """P(x = class), (*K, B, n_classes, *S)."""
        return self.logits.softmax(self._class_axis)

    @property
    def mean(self) -> Tensor:
        """None: the average of codes means nothing.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError("Categories have no mean: use `probabilities` (per class) or `reconstruction` (the mode).")

    @property
    def reconstruction(self) -> Tensor:
        """The mode, as codes, (*K, B, *S)."""
        return self.logits.argmax(self._class_axis).to(self.logits.dtype)

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """ln softmax(l)_x, per cell; a value that is not a code is unseen and counts no more than the rarest class.

        (An index out of range would bring a GPU down.)
        """
        log_p = self.logits.log_softmax(self._class_axis)
        codes = x.nan_to_num().clamp(0, self.logits.shape[self._class_axis] - 1).to(torch.long)
        chosen = log_p.gather(self._class_axis, codes.unsqueeze(self._class_axis).expand(*self._one_class_shape))
        unseen = torch.minimum(log_p.amin(self._class_axis), self.unseen.to(log_p.dtype))
        return torch.where(x == codes, chosen.squeeze(self._class_axis), unseen).masked_fill(x.isnan(), torch.nan)

    @property
    def _one_class_shape(self) -> list[int]:
        shape = list(self.logits.shape)
        shape[self._class_axis] = 1
        return shape

    def sample(self) -> Tensor:
        """One draw of codes, (*K, B, *S): the largest of the logits with Gumbel noise added (Gumbel 1954)."""
        gumbel = -torch.empty_like(self.logits).exponential_().log()
        return (self.logits + gumbel).argmax(self._class_axis).to(self.logits.dtype)


class Categorical(Likelihood):
    """Independent cells of ``n_classes`` classes each, from logits.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is (n_classes * S[0], *S[1:]), class by class: the logits of class 0 for all
        features, then those of class 1, and so on.
    n_classes : int
        Classes of each cell; x holds their codes 0 .. n_classes - 1 as floats.
    missing : bool
        Whether x may have missing cells.
    """

    def __init__(self, shape: Sequence[int], n_classes: int, missing: bool = False) -> None:
        if n_classes < 1:
            raise ValueError(f"n_classes={n_classes!r}: at least 1.")
        super().__init__(shape, parameters_per_cell=int(n_classes), missing=missing, n_values=int(n_classes))
        self.n_classes = int(n_classes)

    def forward(self, parameters: Tensor) -> CategoricalDistribution:
        """parameters (*K, B, n_classes * S[0], *S[1:]), the logits."""
        logits = at_least_float32(parameters).unflatten(-self.n_dims, (self.n_classes, -1))
        return CategoricalDistribution(
            logits=logits, unseen=self.log_prob_unseen, n_dims=self.n_dims, missing=self.missing_counts
        )

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The log frequencies of the classes in every cell, (*parameter_shape), half a row of each class added.

        Source: Krichevsky and Trofimov 1981, doi:10.1109/TIT.1981.1056331: no class gets the probability zero.
        """
        counts = x.new_full((self.n_classes, *self.shape), 0.5)
        counts.scatter_add_(0, x.nan_to_num(0.0).long(), (~x.isnan()).to(counts.dtype))
        return (counts / counts.sum(0)).log().flatten(0, 1)

    @property
    def categorical(self) -> Tensor:
        """All cells hold classes."""
        return torch.ones(self.shape, dtype=torch.bool)
