"""The likelihood of mixed features: numeric, binary, categorical and count columns, each with its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hourglass.likelihoods.build import build
from hourglass.likelihoods.likelihood import Distribution, Likelihood
from hourglass.typed_json import from_json


@dataclass(frozen=True, eq=False, kw_only=True)
class MixedDistribution(Distribution):
    """One distribution per block of features: ``features[k]`` (D_k,) are those of ``blocks[k]``."""

    blocks: tuple[Distribution, ...]
    features: tuple[Tensor, ...]
    order: Tensor  # (D,): where feature d stands once the blocks are laid side by side

    def _joined(self, pieces: list[Tensor]) -> Tensor:
        """Pieces (*K, B, D_k, *rest) in block order -> (*K, B, *S)."""
        return torch.cat(pieces, -self.n_dims).index_select(-self.n_dims, self.order)

    def _split(self, x: Tensor) -> list[Tensor]:
        """x (B, *S) -> the features of each block, (B, D_k, *rest)."""
        return [x.index_select(-self.n_dims, of) for of in self.features]

    @property
    def mean(self) -> Tensor:
        """E[x], (*K, B, *S).

        Raises
        ------
        TypeError
            If there are categorical features, which have none; see ``reconstruction``.
        """
        return self._joined([block.mean for block in self.blocks])

    @property
    def reconstruction(self) -> Tensor:
        """Mean of numeric, binary and count features, mode of categorical ones, (*K, B, *S)."""
        return self._joined([block.reconstruction for block in self.blocks])

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """ln p of each cell, x (B, *S) -> (*K, B, *S)."""
        pairs = zip(self.blocks, self._split(x), strict=True)
        return self._joined([block.cell_log_prob_observed(piece) for block, piece in pairs])

    def cell_log_prob(self, x: Tensor) -> Tensor:
        """Nats per cell, x (B, *S) -> (*K, B, *S); what is missing counts as its block says."""
        pairs = zip(self.blocks, self._split(x), strict=True)
        return self._joined([block.cell_log_prob(piece) for block, piece in pairs])

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, x (B, *S) -> (*K, B)."""
        pairs = zip(self.blocks, self._split(x), strict=True)
        return torch.stack([block.log_prob(piece) for block, piece in pairs]).sum(0)

    def sample(self) -> Tensor:
        """One draw, (*K, B, *S)."""
        return self._joined([block.sample() for block in self.blocks])


class Mixed(Likelihood):
    """Independent blocks of features (axis 0 of S), each with its own likelihood.

    Parameters
    ----------
    blocks : sequence
        Pairs ``(likelihood, features)``: a likelihood of shape (D_k, *rest) and the D_k places of its features along
        axis 0 of S; or triples ``[name, options, features]`` as ``options()`` writes them. ``rest`` is the same for
        all. Build each with ``missing=True`` where NaN cells are to be left out. The blocks' parameters lie one after
        the other along axis 0 of ``parameter_shape``, in block order.
    n_features : int
        D; each feature belongs to exactly one block.

    Raises
    ------
    ValueError
        If a block's shape does not fit its features or the other blocks, or a feature has no block or several.
    """

    def __init__(self, blocks: Sequence[Sequence[Any]], n_features: int) -> None:
        pairs = [block if len(block) == 2 else (build(block[0], block[1]), block[2]) for block in blocks]
        rest = pairs[0][0].shape[1:]
        super().__init__((n_features, *rest), missing=any(likelihood.missing for likelihood, _ in pairs))
        del self.log_prob_missing  # each block has its own
        for likelihood, features in pairs:
            if likelihood.shape != (len(features), *rest):
                raise ValueError(
                    f"blocks: {type(likelihood).__name__} has shape {likelihood.shape} for {len(features)} features; "
                    f"build it with shape {(len(features), *rest)}."
                )
        self.indices = [[int(d) for d in features] for _, features in pairs]
        laid_out = [d for features in self.indices for d in features]
        if sorted(laid_out) != list(range(n_features)):
            raise ValueError(f"blocks take features {sorted(laid_out)}: give each of 0 .. {n_features - 1} one block.")
        self.n_features = int(n_features)
        self.blocks = nn.ModuleList(likelihood for likelihood, _ in pairs)
        self.sizes = [likelihood.parameter_shape[0] for likelihood, _ in pairs]
        self.parameter_shape = (sum(self.sizes), *rest)
        for k, features in enumerate(self.indices):
            self.register_buffer(f"_features_{k}", torch.tensor(features, dtype=torch.long), persistent=False)
        self.register_buffer("_order", torch.tensor(laid_out, dtype=torch.long).argsort(), persistent=False)

    @property
    def features(self) -> tuple[Tensor, ...]:
        """The places of each block's features, (D_k,) each."""
        return tuple(self.get_buffer(f"_features_{k}") for k in range(len(self.indices)))

    def _with_features(self, x: Tensor) -> list[tuple[Likelihood, Tensor]]:
        """Each block with its own features of x (B, *S)."""
        pieces = [x.index_select(-self.n_dims, of) for of in self.features]
        return list(zip(self.blocks, pieces, strict=True))  # type: ignore[arg-type]

    def forward(self, parameters: Tensor) -> MixedDistribution:
        """parameters (*K, B, *parameter_shape), the blocks' side by side."""
        pieces = parameters.split(self.sizes, -self.n_dims)
        return MixedDistribution(
            blocks=tuple(block(piece) for block, piece in zip(self.blocks, pieces, strict=True)),
            features=self.features,
            order=self.get_buffer("_order"),
            n_dims=self.n_dims,
        )

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Update each block on its own features."""
        pieces = parameters.split(self.sizes, -self.n_dims)
        for (block, own), piece in zip(self._with_features(x), pieces, strict=True):
            block.update_scale(piece, own, rate)

    @torch.no_grad()
    def settle_scale(self, parameters: Tensor, x: Tensor) -> None:
        """Settle each block on its own features."""
        pieces = parameters.split(self.sizes, -self.n_dims)
        for (block, own), piece in zip(self._with_features(x), pieces, strict=True):
            block.settle_scale(piece, own)

    def regression_target(self, x: Tensor) -> Tensor | None:
        """Those of the blocks; where one has none, its baseline for all rows."""
        targets = [(block.regression_target(own), block, own) for block, own in self._with_features(x)]
        if all(target is None for target, _, _ in targets):
            return None
        parts = []
        for target, block, own in targets:
            if target is None:
                baseline = copy.deepcopy(block).fit_baseline(own)  # which sets its scale
                target = baseline.expand(len(x), *baseline.shape)
            parts.append(target)
        return torch.cat(parts, 1)

    @torch.no_grad()
    def fit_unknown(self, x: Tensor, n: int) -> None:
        """That of each block."""
        for block, own in self._with_features(x):
            block.fit_unknown(own, n)

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The blocks' own, side by side, (*parameter_shape)."""
        return torch.cat([block.fit_baseline(own) for block, own in self._with_features(x)])

    @property
    def categorical(self) -> Tensor:
        """(*S) bool, block by block."""
        pieces = [block.categorical for block in self.blocks]
        return torch.cat(pieces).index_select(0, self.get_buffer("_order").cpu())  # type: ignore[arg-type]

    def options(self) -> dict[str, Any]:
        """The constructor's arguments, each block as [name, options, features]."""
        blocks = [
            [type(block).__name__, block.options(), features]  # type: ignore[operator]
            for block, features in zip(self.blocks, self.indices, strict=True)
        ]
        return {"blocks": blocks, "n_features": self.n_features}

    @classmethod
    def from_options(cls, options: Mapping[str, Any], custom: Mapping[str, type[Likelihood]]) -> Mixed:
        """Build from ``options()``, the blocks' names resolved in ``custom`` too."""
        saved: Any = from_json(list[tuple[str, dict[str, Any], list[int]]], options["blocks"], "blocks")
        blocks = [(build(name, inner, custom), features) for name, inner, features in saved]
        return cls(blocks, options["n_features"])
