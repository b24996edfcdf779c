"""The anomaly score: members on one scale, added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hourglass.detection.exemplars import Exemplars
from hourglass.detection.members import MEMBERS, NEED_PRIOR, Look, measure
from hourglass.model import Autoencoder

MIN_RESIDUAL = 1e-3  # of a cell in model space, where a number has the standard deviation 1
# by name, what a score is made of: members and their weights
SCORES: dict[str, dict[str, float]] = {
    "default": {"rows": 3.0, "residuals": 1.0, "codes": 1.0, "mahalanobis": 1.0},
    "network": {"residuals": 1.0, "codes": 1.0, "mahalanobis": 1.0},
    "encoder": {"codes": 1.0, "mahalanobis": 1.0},
    **{name: {name: 1.0} for name in MEMBERS},
}
OF_WINDOWS = {"rows": 1.0, "codes": 4.0}  # the default where examples are windows


def check_score(score: Any) -> None:
    """Raises ValueError for the name of a score that there is not."""
    if score not in SCORES:
        raise ValueError(f"anomaly_score={score!r} is unknown; choose {', '.join(map(repr, SCORES))}")


@dataclass(frozen=True, eq=False)
class Scorer:
    """What scores need besides the model.

    A score is the sum of its members, each less its median and divided by the distance from there to its 90 % quantile,
    both over examples that the model was not trained on: members in nats and members that are distances so weigh the
    same, and one that is far out is not held back by the others, as it would be by ranks, which end with the last
    calibration example. Of windows members are compressed by arcsinh first: a series that leaves the range it was
    trained on would else be judged by the one member that grows fastest.

    Attributes
    ----------
    names, weights : of the members, (M,).
    middle, unit : (M,) the median, and the distance from there to the 90 % quantile.
    centre, whiten : (L,), (L, L): (z - centre) @ whiten has the covariance 1 over training examples. Of windows it is
        diagonal and makes variances 1: codes of windows that overlap fill a curve, and have directions of hardly any
        spread that would decide about distances.
    codes : stored codes, whitened.
    rows : stored examples; None where they are too large, or no member needs them.
    usual : (*S) what log p of each cell is on average given the code, nats.
    typical : (*S) how far each cell is from its reconstruction on average.
    compressed : () bool, whether members are taken through arcsinh.
    """

    names: tuple[str, ...]
    weights: Tensor
    middle: Tensor
    unit: Tensor
    centre: Tensor
    whiten: Tensor
    codes: Exemplars
    rows: Exemplars | None
    usual: Tensor
    typical: Tensor
    compressed: Tensor

    @classmethod
    def begin(
        cls,
        score: str,
        has_prior: bool,
        codes: Tensor,
        rows: Tensor | None,
        n_rows: int,
        seed: int,
        of_windows: bool = False,
    ) -> Scorer:
        """From codes (N, L) and vectors (N, F) of some of `n_rows` training examples; not on one scale yet.

        Stored rows weigh less where they are a sample of the training rows: the nearest of a few says less.

        Raises
        ------
        ValueError : for a score of which no member can be had.
        """
        wanted = OF_WINDOWS if of_windows and score == "default" else SCORES[score]
        names = tuple(
            name for name in wanted if (has_prior or name not in NEED_PRIOR) and (name != "rows" or rows is not None)
        )
        if not names:
            what = (
                "examples small enough to be stored" if rows is None and "rows" in wanted else "a recipe with a prior"
            )
            raise ValueError(f"anomaly_score={score!r} needs {what}; leave it out, or choose another one")
        codes = codes.double()
        centre = codes.mean(0)
        whiten = _scaling(codes - centre) if of_windows else _whitening(codes - centre)
        n = len(names)
        stored = Exemplars.fit(rows, seed) if "rows" in names and rows is not None else None
        weights = dict(wanted)
        if stored is not None and n > 1:
            weights["rows"] *= min(1.0, len(stored) / n_rows)
        return cls(
            names=names,
            weights=torch.tensor([weights[name] for name in names], dtype=torch.float64),
            middle=torch.zeros(n, dtype=torch.float64),
            unit=torch.ones(n, dtype=torch.float64),
            centre=centre,
            whiten=whiten,
            codes=Exemplars.fit(((codes - centre) @ whiten).float(), seed),
            rows=stored,
            usual=torch.zeros(()),
            typical=torch.ones(()),
            compressed=torch.tensor(of_windows),
        )

    def storing(self, codes: Tensor, rows: Tensor | None, seed: int) -> Scorer:
        """With others stored: codes (N, L) and vectors (N, F), or None where none are."""
        kept = None if rows is None else Exemplars.fit(rows, seed)
        return replace(self, codes=Exemplars.fit(self.whitened(codes).float(), seed), rows=kept)

    def with_typical(self, cells: Tensor, residuals: Tensor) -> Scorer:
        """With what log p and residuals of cells, (N, *S) each, are on average, of examples not trained on."""
        return replace(self, usual=cells.double().mean(0), typical=residuals.double().mean(0).clamp(min=MIN_RESIDUAL))

    def on_one_scale(self, members: Tensor) -> Scorer:
        """With the scales of members (N, M) of examples that were not trained on."""
        low, high, highest = torch.quantile(members, torch.tensor([0.5, 0.9, 1.0], dtype=torch.float64), dim=0)
        unit = torch.where(high > low, high - low, highest - low)
        unit = torch.where(unit > 0, unit, torch.ones_like(unit))
        return replace(self, middle=low, unit=unit)

    def measure(self, model: Autoencoder, x: Tensor, condition: Tensor | None) -> Tensor:
        """The members of examples x (B, *S) in model space: (B, M) float64."""
        return measure(self, self.names, model, x, condition)

    def log_residuals(self, look: Look) -> Tensor:
        """log(1 + residual / its average) of each cell, (B, *S) float64."""
        return (look.residuals.double() / self.typical).log1p()

    def parts(self, members: Tensor) -> Tensor:
        """What each of the members (N, M) adds to the score."""
        found = (members - self.middle) / self.unit
        return self.weights / self.weights.sum() * (found.arcsinh() if self.compressed else found)

    def whitened(self, codes: Tensor) -> Tensor:
        """Codes (B, L) with the covariance 1, float64."""
        return (codes.double() - self.centre) @ self.whiten

    def to(self, device: torch.device) -> Scorer:
        tensors = {name: getattr(self, name).to(device) for name in _TENSORS}
        rows = None if self.rows is None else self.rows.to(device)
        return replace(self, **tensors, codes=self.codes.to(device), rows=rows)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        arrays = {name: getattr(self, name).numpy() for name in _TENSORS}
        arrays["names"] = np.array([list(MEMBERS).index(name) for name in self.names])
        for name, stored in (("codes", self.codes), ("rows", self.rows)):
            arrays |= {} if stored is None else {f"{name}_{key}": a for key, a in stored.to_arrays().items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Scorer:
        def stored(name: str) -> Exemplars | None:
            own = {key.removeprefix(f"{name}_"): a for key, a in arrays.items() if key.startswith(f"{name}_")}
            return Exemplars.from_arrays(own) if own else None

        codes = stored("codes")
        if codes is None:
            raise ValueError("it holds no stored codes")
        known = list(MEMBERS)
        names = tuple(known[int(place)] for place in arrays["names"])
        tensors = {name: torch.from_numpy(np.array(arrays[name])) for name in _TENSORS}
        return cls(names, **tensors, codes=codes, rows=stored("rows"))


_TENSORS = ("weights", "middle", "unit", "centre", "whiten", "usual", "typical", "compressed")


def _scaling(centred: Tensor) -> Tensor:
    """W (L, L), diagonal, so that each column of rows (N, L) times W has the variance 1; constant ones count 0."""
    values = centred.square().mean(0)
    kept = values > 1e-9 * values.max().clamp(min=1e-300)
    return torch.diag(torch.where(kept, values.clamp(min=1e-300).rsqrt(), torch.zeros(()).double()))


def _whitening(centred: Tensor) -> Tensor:
    """W (L, L), so that rows (N, L) times W have the covariance 1; directions without spread count 0."""
    values, directions = torch.linalg.eigh(centred.T @ centred / max(1, len(centred) - 1))
    kept = values > 1e-9 * values.max().clamp(min=1e-300)
    return directions * torch.where(kept, values.clamp(min=1e-300).rsqrt(), torch.zeros(()).double())
