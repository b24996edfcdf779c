"""What held-out rows, some cells of which are hidden, say of filling: which estimate to trust, and how wide ranges are.

A missing number has two estimates: that of the code of the known cells (`rounds` of `impute`), which is sharp where
columns are nearly functions of one another, and the expected value given the known cells (`known_cells.expected`),
which is right where they leave much open. Each column's answer is centre + a (first - centre) + b (second - centre), a
and b not negative, by least squares on hidden cells, drawn towards the weights that all columns have together.

The range that holds p of the draws of a cell holds the truth more or less often than p; held-out cells say which range
of the draws holds it as often as that (a conformal quantile: Romano, Patterson and Candes 2019, arXiv:1905.03222, for
ranges that a model gives). Where that is a narrower one it is trusted half: cells were hidden at random, and real ones
are seldom missing so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SHRINKAGE = 50.0  # cells' worth of evidence for the weights of all columns
MIN_CELLS = 50  # hidden ones in all, below which nothing is learned
N_LEVELS = 101


@dataclass(frozen=True, eq=False)
class HiddenCells:
    """How numbers are filled in.

    Attributes
    ----------
    centre : (D,) means of the cells in model space.
    weights : (2, D) of the two estimates.
    levels : (101,) level k is the share of the draws in the middle range that holds the truth of k % of cells.
    """

    centre: np.ndarray
    weights: np.ndarray
    levels: np.ndarray

    @classmethod
    def unknown(cls, n_cells: int) -> HiddenCells:
        """The first estimate alone, and ranges as they are drawn."""
        weights = np.zeros((2, n_cells))
        weights[0] = 1.0
        return cls(np.zeros(n_cells), weights, np.linspace(0, 1, N_LEVELS))

    @property
    def trusts_one(self) -> bool:
        """Whether the second estimate counts nowhere."""
        return not self.weights[1].any()

    def fill(self, first: Tensor, second: Tensor) -> Tensor:
        """The two estimates (N, D) in model space -> what is filled in."""
        a, b = torch.from_numpy(self.weights)
        centre = torch.from_numpy(self.centre)
        return centre + a * (first.double() - centre) + b * (second.double() - centre)

    def level(self, probability: float) -> float:
        """The share of draws in the middle range that holds the truth with this probability."""
        level = float(np.interp(probability, np.linspace(0, 1, N_LEVELS), self.levels))
        return level if level > probability else (level + probability) / 2

    def with_ranges(self, draws: np.ndarray, truth: np.ndarray) -> HiddenCells:
        """With the levels of ranges by draws (n, M) of hidden cells and their true values (M,)."""
        if truth.size < MIN_CELLS:
            return self
        below, equal = (draws < truth).mean(0), (draws == truth).mean(0)
        least = np.clip(0.5 - below - equal, 0, None), np.clip(below - 0.5, 0, None)  # outside the middle by so much
        needed = np.minimum(2 * np.maximum(*least), 1.0)
        return HiddenCells(self.centre, self.weights, np.quantile(needed, np.linspace(0, 1, N_LEVELS)))

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"centre": self.centre, "weights": self.weights, "levels": self.levels}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> HiddenCells:
        """What `to_arrays` gave; raises KeyError or ValueError where an array is missing or of another shape."""
        centre, weights, levels = arrays["centre"], arrays["weights"], arrays["levels"]
        if weights.shape != (2, *centre.shape) or levels.shape != (N_LEVELS,):
            raise ValueError(f"arrays: shapes {centre.shape}, {weights.shape}, {levels.shape} do not go together.")
        return cls(centre, weights, levels)


def weigh(first: np.ndarray, second: np.ndarray, truth: np.ndarray, x: np.ndarray, cells: np.ndarray) -> HiddenCells:
    """Weights of two estimates (N, D) by the truth (N, D), NaN but where a cell was hidden.

    Parameters
    ----------
    x : (M, D) examples that the centres and scales of cells are taken from; all in model space.
    cells : (D,) bool, those that are numbers; the others keep the first estimate.
    """
    learned = HiddenCells.unknown(truth.shape[1])
    known = ~np.isnan(truth) & cells
    if known.sum() < MIN_CELLS:
        return learned
    with np.errstate(invalid="ignore"):
        filled = np.ma.masked_invalid(x)
        centre, scale = (np.ma.filled(f(0), g) for f, g in ((filled.mean, 0.0), (filled.std, 1.0)))
    scale = np.where(scale > 0, scale, 1.0)
    grams, sides = np.zeros((truth.shape[1], 2, 2)), np.zeros((truth.shape[1], 2))
    for d in np.flatnonzero(known.any(0)):
        rows = known[:, d]
        A = (np.stack([first[rows, d], second[rows, d]], 1) - centre[d]) / scale[d]
        grams[d], sides[d] = A.T @ A, A.T @ ((truth[rows, d] - centre[d]) / scale[d])
    shared = _not_negative(grams.sum(0), sides.sum(0))
    weights = learned.weights.copy()
    for d in np.flatnonzero(cells):
        weights[:, d] = _not_negative(grams[d] + SHRINKAGE * np.eye(2), sides[d] + SHRINKAGE * shared)
    return HiddenCells(np.where(cells, centre, 0.0), weights, learned.levels)


def _not_negative(gram: np.ndarray, side: np.ndarray) -> np.ndarray:
    """The w >= 0 (2,) for which w G w - 2 s w is least."""
    alone = np.maximum(side / np.maximum(gram.diagonal(), 1e-12), 0.0)
    candidates = [np.array([alone[0], 0.0]), np.array([0.0, alone[1]])]
    if np.linalg.det(gram) > 1e-9 * gram[0, 0] * gram[1, 1]:
        both = np.linalg.solve(gram, side)
        candidates += [both] if (both >= 0).all() else []
    return min(candidates, key=lambda w: float(w @ gram @ w - 2 * side @ w))
