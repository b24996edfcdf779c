"""The distribution of every number in the data, onto which drawn numbers are mapped.

A model matches how columns go together better than it matches each by itself: a Gaussian of one variance has no sharp
bounds, no spikes and no levels. A number x of which the model has the distribution function F is mapped to Q(F(x)),
with the quantile function Q of the data: its rank among all that the model draws stays what it is.

Both functions are kept as knots (u, x), between which they are linear: of a column with few levels two knots per level,
which is exact; else two for every value that is common, and evenly spaced quantiles of the others. Where F jumps, a
rank is drawn from within the jump, so that ranks are uniform (the distributional transform).

A value that is frequent in the data and in what the model draws (a spike: the 0 of most rows) stays where it was drawn,
and the other numbers are mapped among themselves: brought onto its share by rank, it would take in numbers of rows
whose other cells say that the number is not 0.

Source: Rueschendorf 2009, Journal of Statistical Planning and Inference 139, 3921-3927, for the transform.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

MAX_KNOTS = 512  # per column and distribution
KNOTS_IN_ALL = 2**18  # of all columns and groups: with very many of them each gets fewer
MIN_KNOTS = 16
MIN_ROWS_OF_GROUP = 100  # a group with fewer is mapped as all groups together
COMMON = 8 / MAX_KNOTS  # the share of rows from which a value among many gets knots of its own
MAX_DECIMALS = 6
SPIKE = 0.1  # the share of the data from which a value is one, if the model draws it half as often at least
MAX_SPIKES = int(1 / SPIKE)
NONE = 1e300  # in place of a spike, beyond all numbers that are learned
ROUNDING = 1e-6  # by which a drawn value may differ from a spike, in standard deviations and relative to it
MIN_BESIDE = 20  # other values that are mapped; fewer are mapped with the spikes


class Marginals:
    """Maps numbers as a model draws them onto the distribution that they have in the data.

    Parameters
    ----------
    cells : (C,) places of the numbers in a flattened example.
    groups : group of each map to its place g; None is all rows together.
    decimals : (C,) how many decimals the data have: 2 for cents, -2 for hundreds, MAX_DECIMALS + 1 for any number.
    model, data : (2, G, C, K) knots (u, x), u and x ascending along K.
    spikes : (C, 1 + S) by how much a value may differ from one that stays, and these, `NONE` for fewer of them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> marginals = Marginals.fit([0], data=rng.integers(0, 3, (500, 1)), draws=rng.normal(size=(5000, 1)))
    >>> sorted(set(marginals.apply(rng.normal(size=(50, 1)), seed=0).ravel().tolist()))
    [0.0, 1.0, 2.0]
    """

    def __init__(
        self,
        cells: NDArray[np.int64],
        groups: Mapping[Any, int],
        decimals: NDArray[np.int64],
        model: Floats,
        data: Floats,
        spikes: Floats,
    ) -> None:
        self._cells, self._groups, self._decimals, self._model, self._data = cells, dict(groups), decimals, model, data
        self._spikes = spikes

    @classmethod
    def fit(
        cls,
        cells: ArrayLike,
        data: ArrayLike,
        draws: ArrayLike,
        groups: ArrayLike | None = None,
        groups_of_draws: ArrayLike | None = None,
    ) -> Marginals:
        """From rows of the data, and as many draws of the model as there can be.

        Parameters
        ----------
        cells : (C,) places of the numbers in an example.
        data : (N, C) these numbers in training rows, NaN for missing.
        draws : (M, C) the same, drawn by the model.
        groups, groups_of_draws : (N,), (M,) the condition of each row where it is made of categories. A group with at
            least 100 rows and draws gets a map of its own.
        """
        places, real, made = np.asarray(cells, dtype=np.int64), np.asarray(data), np.asarray(draws)
        rows: dict[Any, tuple[Any, Any]] = {None: (slice(None), slice(None))}
        if groups is not None and groups_of_draws is not None:
            labels, of_draws = np.asarray(groups), np.asarray(groups_of_draws)
            for group in np.unique(labels).tolist():
                mine, drawn = np.flatnonzero(labels == group), np.flatnonzero(of_draws == group)
                if min(len(mine), len(drawn)) >= MIN_ROWS_OF_GROUP:
                    rows[group] = (mine, drawn)
        most = int(np.clip(KNOTS_IN_ALL // max(1, len(rows) * len(places)), MIN_KNOTS, MAX_KNOTS))
        spikes = np.array([_spikes(real[:, c], made[:, c]) for c in range(len(places))]).reshape(-1, 1 + MAX_SPIKES)
        beside = [np.where(_at(values, spikes) >= 0, np.nan, values) for values in (real, made)]
        model = [[_knots(beside[1][drawn, c], most) for c in range(len(places))] for _, drawn in rows.values()]
        known = [[_knots(beside[0][mine, c], most) for c in range(len(places))] for mine, _ in rows.values()]
        decimals = np.array([_decimals(real[:, c]) for c in range(len(places))], dtype=np.int64)
        return cls(
            places, {group: g for g, group in enumerate(rows)}, decimals, _stacked(model), _stacked(known), spikes
        )

    def apply(self, raw: ArrayLike, groups: ArrayLike | None = None, seed: int = 0) -> Floats:
        """Drawn examples with their numbers mapped: what a row becomes does not depend on the rows beside it.

        Parameters
        ----------
        raw : (n, *S) in raw units.
        groups : (n,) the group of each; a group that has no map of its own gets that of all rows.
        seed : of ranks within a jump of the model's distribution.
        """
        drawn = np.array(raw, dtype=np.float64)
        flat = drawn.reshape(len(drawn), -1)
        # one row of random numbers per row, so that more rows change none of them
        within = np.random.default_rng(seed).random((len(flat), len(self._cells)))
        wanted = [None] * len(flat) if groups is None else np.asarray(groups).tolist()
        place = np.array([self._groups.get(group, self._groups[None]) for group in wanted])
        spike = _at(flat[:, self._cells], self._spikes)
        for g in np.unique(place).tolist():
            mine = np.flatnonzero(place == g)
            for c, cell in enumerate(self._cells.tolist()):
                x = flat[mine, cell]
                at = spike[mine, c]
                flat[mine[at >= 0], cell] = self._spikes[c, 1 + at[at >= 0]]
                known = np.isfinite(x) & (at < 0)
                u = _ranks(self._model[:, g, c], x[known], within[mine, c][known])
                mapped = _quantiles(self._data[:, g, c], u)
                if self._decimals[c] <= MAX_DECIMALS:
                    mapped = mapped.round(int(self._decimals[c]))
                flat[mine[known], cell] = mapped
        return drawn

    def __len__(self) -> int:
        """C, the columns that are mapped."""
        return len(self._cells)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The state as numeric arrays; groups as the bytes of a JSON list."""
        return {
            "groups": np.frombuffer(json.dumps(list(self._groups)).encode(), dtype=np.uint8),
            "cells": self._cells,
            "decimals": self._decimals,
            "model": self._model,
            "data": self._data,
            "spikes": self._spikes,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Marginals:
        """What `to_arrays` gave; raises ValueError where an array is missing or of another shape."""
        if missing := {"groups", "cells", "decimals", "model", "data", "spikes"} - set(arrays):
            raise ValueError(f"arrays lack {', '.join(sorted(missing))}: pass the whole of what to_arrays() returned.")
        groups = json.loads(np.asarray(arrays["groups"], dtype=np.uint8).tobytes().decode())
        cells, decimals = (np.asarray(arrays[name], dtype=np.int64) for name in ("cells", "decimals"))
        model, data, spikes = (np.asarray(arrays[name], dtype=np.float64) for name in ("model", "data", "spikes"))
        if spikes.ndim != 2 or len(spikes) != len(cells):
            raise ValueError(f"arrays: spikes of shape {spikes.shape} for {len(cells)} columns.")
        for knots in (model, data):
            if knots.ndim != 4 or knots.shape[:3] != (2, len(groups), len(cells)) or decimals.shape != cells.shape:
                raise ValueError(f"arrays: knots of shape {knots.shape} for {len(groups)} groups and {cells.shape}.")
        return cls(cells, {group: g for g, group in enumerate(groups)}, decimals, model, data, spikes)

    def __repr__(self) -> str:
        return f"Marginals({len(self._cells)} columns, {len(self._groups)} distributions each)"


def _spikes(real: NDArray[Any], made: NDArray[Any]) -> Floats:
    """A tolerance and S values that are frequent in the data (N,) and in the draws (M,), `NONE` for fewer; (1 + S,)."""
    found = np.full(1 + MAX_SPIKES, NONE)
    found[0] = 0.0
    known, drawn = (values[~np.isnan(values)].astype(np.float64) for values in (real, made))
    levels, counts = np.unique(known, return_counts=True)
    frequent, shares = levels[counts > SPIKE * len(known)], counts[counts > SPIKE * len(known)] / max(1, len(known))
    if not len(frequent) or not len(drawn):
        return found
    found[0] = ROUNDING * known.std()
    at = _at(drawn[:, None], np.append(found[0], frequent)[None])[:, 0]
    met = np.bincount(at[at >= 0], minlength=len(frequent)) / len(drawn)
    spikes = frequent[met >= shares / 2]
    if min((~np.isin(known, spikes)).sum(), (at < 0).sum()) >= MIN_BESIDE:
        found[1 : 1 + len(spikes)] = spikes
    return found


def _at(values: NDArray[Any], spikes: Floats) -> NDArray[np.int64]:
    """Which of the spikes (C, 1 + S) each value (N, C) is but for the rounding of float32, -1 for none."""
    place = np.full(values.shape, -1, dtype=np.int64)
    for s in range(spikes.shape[1] - 1):
        with np.errstate(invalid="ignore"):
            near = np.abs(values - spikes[:, 1 + s]) <= spikes[:, 0] + ROUNDING * np.abs(spikes[:, 1 + s])
        place = np.where(near, s, place)
    return place


def _knots(values: NDArray[Any], most: int) -> Floats:
    """(2, K) knots (u, x) of the distribution of values (N,), K at most about `most`; NaN is left out."""
    ordered = np.sort(values[~np.isnan(values)].astype(np.float64))
    n = len(ordered)
    if not n:
        return np.array([[0.0, 1.0], [np.nan, np.nan]])
    levels, counts = np.unique(ordered, return_counts=True)
    high = np.cumsum(counts) / n
    low = high - counts / n
    if len(levels) <= min(most // 2, n // 2 + 1):
        return np.stack([np.stack([low, high], 1).ravel(), np.repeat(levels, 2)])
    # a spike begins where the value before it ends: nothing lies between them
    common = np.flatnonzero(counts > max(n * COMMON * MAX_KNOTS / most, 1))
    before, after = (common - 1).clip(0), (common + 1).clip(max=len(levels) - 1)
    u = np.concatenate([low[common], low[common], high[common], high[common]])
    x = np.concatenate([levels[before], levels[common], levels[common], levels[after]])
    order = np.tile(np.arange(4), (len(common), 1)).T.ravel()
    grid = np.linspace(0, 1, most // 2)
    rest = grid[~((grid[:, None] >= low[common]) & (grid[:, None] <= high[common])).any(axis=1)]
    position = rest * (n - 1)
    below = position.astype(int)
    quantile = ordered[below] + (position - below) * (ordered[(below + 1).clip(max=n - 1)] - ordered[below])
    u, x = np.concatenate([u, rest]), np.concatenate([x, quantile])
    by = np.lexsort((np.concatenate([order, np.zeros(len(rest))]), u))
    return np.stack([u[by], np.maximum.accumulate(x[by])])


def _stacked(knots: Sequence[Sequence[Floats]]) -> Floats:
    """(2, K) of G groups and C columns -> (2, G, C, K), the last knot repeated."""
    longest = max((k.shape[1] for of_group in knots for k in of_group), default=0)
    padded = [[np.pad(k, ((0, 0), (0, longest - k.shape[1])), mode="edge") for k in of_group] for of_group in knots]
    return np.array(padded).reshape(len(knots), -1, 2, longest).transpose(2, 0, 1, 3) if longest else _NOTHING


_NOTHING = np.zeros((2, 1, 0, 0))


def _ranks(knots: Floats, x: Floats, within: Floats) -> Floats:
    """F(x) of x (n,), uniform where x is distributed by F: `within` (n,) says where in a jump of F."""
    u, values = knots
    left, right = np.searchsorted(values, x, "left"), np.searchsorted(values, x, "right")
    last = len(values) - 1
    at = right > left
    low, high = u[left.clip(max=last)], u[(right - 1).clip(0)]
    ranks = low + within * (high - low)
    after, before = left.clip(1, last), left.clip(1, last) - 1
    width = values[after] - values[before]
    share = ((x - values[before]) / np.where(width > 0, width, 1)).clip(0, 1)
    between = u[before] + share * (u[after] - u[before])
    return np.where(at, ranks, np.where(left == 0, u[0], np.where(left > last, u[last], between)))


def _quantiles(knots: Floats, u: Floats) -> Floats:
    """Q(u), (n,)."""
    ranks, x = knots
    after = np.searchsorted(ranks, u, "right").clip(1, len(ranks) - 1)
    width = ranks[after] - ranks[after - 1]
    share = ((u - ranks[after - 1]) / np.where(width > 0, width, 1)).clip(0, 1)
    return np.asarray(x[after - 1] + share * (x[after] - x[after - 1]), dtype=np.float64)


def _decimals(values: NDArray[Any]) -> int:
    """The fewest decimals that write all values (N,), to their own precision."""
    known = values[~np.isnan(values)]
    precise = known.astype(np.float64)
    if len(known) and np.any(precise):
        for decimals in range(-MAX_DECIMALS, MAX_DECIMALS + 1):
            if (precise.round(decimals).astype(known.dtype) == known).all():
                return decimals
    return MAX_DECIMALS + 1
