"""The likelihood of a table, each kind of column with its own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch

from hourglass.likelihoods import (
    Bernoulli,
    Categorical,
    ConstantCells,
    Gaussian,
    Laplace,
    Likelihood,
    Mixed,
    NegativeBinomial,
    PointMasses,
)
from hourglass.modalities.column import Column
from hourglass.modalities.column_shape import MAX_LEVELS
from hourglass.modalities.scaling import Standardise

LEVELS_PER_BLOCK = (2, 5, 10, MAX_LEVELS)  # columns with about as many levels are computed together

Block = tuple[Likelihood, list[int]]


def likelihood_of(
    columns: Sequence[Column],
    scaling: Standardise,
    name: str | None,
    variance: Any,
    missing: bool,
    rest: tuple[int, ...] = (),
) -> Likelihood:
    """The likelihood of rows with these columns, in model space, or of windows of rows (D, *rest).

    Parameters
    ----------
    scaling : takes raw rows (B, D) to model space.
    rest : the further axes of windows.
    name : of the likelihood of all numeric columns, "gaussian", "laplace" or "bernoulli"; None lets each have its own.
    variance : as in `Gaussian`; None is partial pooling.
    missing : whether cells may be missing.

    Raises
    ------
    ValueError : for a name that is none of these, and a Bernoulli of columns with more than two values.
    """
    if name == "negative_binomial":
        raise ValueError("likelihood='negative_binomial' is chosen per column: modality=Tables(counts=(...))")
    if name not in (None, "gaussian", "laplace", "bernoulli"):
        raise ValueError(
            f"likelihood={name!r} is not for tables; choose gaussian, laplace or bernoulli, or leave it unset: "
            "each column then gets its own, and counts a negative binomial (modality=Tables(counts=[...]))"
        )
    variance = "partial" if variance is None else variance
    of_kind: dict[str, list[int]] = {}
    for i, column in enumerate(columns):
        of_kind.setdefault("constant" if column.constant and column.kind == "numeric" else column.kind, []).append(i)
    numbers = of_kind.get("numeric", [])
    if numbers and name == "bernoulli":
        raise ValueError(f"likelihood='bernoulli' needs columns with two values; {columns[numbers[0]].name!r} has more")
    spiked = [i for i in numbers if columns[i].spikes and name is None]
    blocks: list[Block] = []
    if smooth := [i for i in numbers if i not in spiked]:
        family = Laplace if name == "laplace" else Gaussian
        blocks.append((family((len(smooth), *rest), variance, _floors(columns, smooth, variance), missing), smooth))
    blocks += _point_masses(columns, spiked, scaling, variance, missing, rest)
    if constant := of_kind.get("constant"):
        blocks.append((ConstantCells((len(constant), *rest), missing=missing), constant))
    if binary := of_kind.get("binary"):
        blocks.append((Bernoulli((len(binary), *rest), missing=missing), binary))
    if counts := of_kind.get("count"):
        means, deviations = zip(*(columns[i].logs for i in counts), strict=True)
        blocks.append((NegativeBinomial((len(counts), *rest), means, deviations, missing), counts))
    for i in of_kind.get("category", []):
        blocks.append((Categorical((1, *rest), len(columns[i].categories), missing=missing), [i]))
    if len(blocks) == 1 and len(blocks[0][1]) == len(columns):
        return blocks[0][0]
    return Mixed(blocks, len(columns))


def _floors(columns: Sequence[Column], places: Sequence[int], variance: Any) -> Any:
    """The least deviation of each column, that of rounding to its steps; none of a variance that is not fitted."""
    return [columns[i].step / 12**0.5 for i in places] if isinstance(variance, str) else 0.0


def _point_masses(
    columns: Sequence[Column],
    places: Sequence[int],
    scaling: Standardise,
    variance: Any,
    missing: bool,
    rest: tuple[int, ...],
) -> list[Block]:
    """Blocks of columns with spikes or levels."""
    if not places:
        return []
    spikes = torch.full((MAX_LEVELS, len(columns)), math.nan, dtype=torch.float64)
    for i in places:
        known = torch.tensor(columns[i].spikes, dtype=torch.float64)
        spikes[: len(known), i] = known if columns[i].needs_float64 else known.float().double()
    atoms = scaling(spikes)
    blocks: list[Block] = []
    for least, most in itertools.pairwise((0, *LEVELS_PER_BLOCK)):
        if mine := [i for i in places if least < len(columns[i].spikes) <= most]:
            levels = [atoms[: len(columns[i].spikes), i].tolist() for i in mine]
            discrete = [columns[i].discrete for i in mine]
            floors = _floors(columns, mine, variance)
            blocks.append((PointMasses((len(mine), *rest), levels, discrete, variance, floors, missing), mine))
    return blocks
