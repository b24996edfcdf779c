"""The likelihood of a mixed table: numeric, binary, categorical and count columns, each with its own."""

from __future__ import annotations

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
    """One distribution per block of columns: ``columns[k]`` (D_k,) are those of ``blocks[k]``."""

    blocks: tuple[Distribution, ...]
    columns: tuple[Tensor, ...]
    order: Tensor  # (D,): where column d of the table stands once the blocks are laid side by side

    def _table(self, pieces: list[Tensor]) -> Tensor:
        """Pieces (*K, B, D_k) in block order -> (*K, B, D) in the order of the table."""
        return torch.cat(pieces, -1).index_select(-1, self.order)

    @property
    def mean(self) -> Tensor:
        """E[x], (*K, B, D).

        Raises
        ------
        TypeError
            If there are categorical columns, which have none; see ``reconstruction``.
        """
        return self._table([block.mean for block in self.blocks])

    @property
    def reconstruction(self) -> Tensor:
        """Mean of numeric, binary and count columns, mode of categorical ones, (*K, B, D)."""
        return self._table([block.reconstruction for block in self.blocks])

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """ln p of each cell, x (B, D) -> (*K, B, D)."""
        return self._table(
            [block.cell_log_prob_observed(x[..., of]) for block, of in zip(self.blocks, self.columns, strict=True)]
        )

    def cell_log_prob(self, x: Tensor) -> Tensor:
        """Nats per cell, x (B, D) -> (*K, B, D); 0 where a block built with ``missing`` meets NaN."""
        return self._table(
            [block.cell_log_prob(x[..., of]) for block, of in zip(self.blocks, self.columns, strict=True)]
        )

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats per sample, x (B, D) -> (*K, B)."""
        total = [block.log_prob(x[..., of]) for block, of in zip(self.blocks, self.columns, strict=True)]
        return torch.stack(total).sum(0)

    def sample(self) -> Tensor:
        """One draw, (*K, B, D)."""
        return self._table([block.sample() for block in self.blocks])


class Mixed(Likelihood):
    """Independent blocks of columns, each with its own likelihood.

    Parameters
    ----------
    blocks : sequence
        Pairs ``(likelihood, columns)``: a likelihood over D_k cells, shape (D_k,), and the D_k column indices it takes;
        or triples ``[name, options, columns]`` as ``options()`` writes them. Build each with ``missing=True`` where NaN
        cells are to be left out. The blocks' parameters lie one after the other along the last axis, in block order.
    n_columns : int
        Columns of the table; each belongs to exactly one block.

    Raises
    ------
    ValueError
        If a block's shape does not fit its columns, or a column has no block or several.
    """

    def __init__(self, blocks: Sequence[Sequence[Any]], n_columns: int) -> None:
        super().__init__((n_columns,))
        pairs = [block if len(block) == 2 else (build(block[0], block[1]), block[2]) for block in blocks]
        for likelihood, columns in pairs:
            if likelihood.shape != (len(columns),):
                raise ValueError(
                    f"blocks: {type(likelihood).__name__} has shape {likelihood.shape} for {len(columns)} columns; "
                    f"build it with shape ({len(columns)},)."
                )
        self.indices = [[int(d) for d in columns] for _, columns in pairs]
        laid_out = [d for columns in self.indices for d in columns]
        if sorted(laid_out) != list(range(n_columns)):
            raise ValueError(f"blocks take columns {sorted(laid_out)}: give each of 0 .. {n_columns - 1} one block.")
        self.blocks = nn.ModuleList(likelihood for likelihood, _ in pairs)
        self.missing = any(likelihood.missing for likelihood, _ in pairs)
        self.sizes = [likelihood.parameter_shape[0] for likelihood, _ in pairs]
        self.parameter_shape = (sum(self.sizes),)
        for k, columns in enumerate(self.indices):
            self.register_buffer(f"_columns_{k}", torch.tensor(columns, dtype=torch.long), persistent=False)
        self.register_buffer("_order", torch.tensor(laid_out, dtype=torch.long).argsort(), persistent=False)

    @property
    def columns(self) -> tuple[Tensor, ...]:
        """The column indices of each block, (D_k,) each."""
        return tuple(self.get_buffer(f"_columns_{k}") for k in range(len(self.indices)))

    def forward(self, parameters: Tensor) -> MixedDistribution:
        """parameters (*K, B, P), the blocks' side by side."""
        pieces = parameters.split(self.sizes, -1)
        return MixedDistribution(
            blocks=tuple(block(piece) for block, piece in zip(self.blocks, pieces, strict=True)),
            columns=self.columns,
            order=self.get_buffer("_order"),
            n_dims=1,
            missing=self.missing,
        )

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """Adapt each block to its columns."""
        pieces = parameters.split(self.sizes, -1)
        for block, piece, columns in zip(self.blocks, pieces, self.columns, strict=True):
            block.update_scale(piece, x[..., columns], rate)  # type: ignore[operator]

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """The blocks' own, side by side, (P,)."""
        pairs = zip(self.blocks, self.columns, strict=True)
        return torch.cat([block.fit_baseline(x[..., columns]) for block, columns in pairs], -1)  # type: ignore[operator]

    @property
    def categorical(self) -> Tensor:
        """(D,) bool, block by block."""
        pieces = [block.categorical for block in self.blocks]
        return torch.cat(pieces).index_select(-1, self.get_buffer("_order").cpu())  # type: ignore[arg-type]

    def options(self) -> dict[str, Any]:
        """The constructor's arguments, each block as [name, options, columns]."""
        blocks = [
            [type(block).__name__, block.options(), columns]  # type: ignore[operator]
            for block, columns in zip(self.blocks, self.indices, strict=True)
        ]
        return {"blocks": blocks, "n_columns": self.shape[0]}

    @classmethod
    def from_options(cls, options: Mapping[str, Any], parts: Mapping[str, type[Likelihood]]) -> Mixed:
        """Build from ``options()``, the blocks' names resolved in ``custom`` too."""
        saved: Any = from_json(list[tuple[str, dict[str, Any], list[int]]], options["blocks"], "blocks")
        blocks = [(build(name, inner, parts), columns) for name, inner, columns in saved]
        return cls(blocks, options["n_columns"])
