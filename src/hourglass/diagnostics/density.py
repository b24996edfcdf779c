"""A density fitted to the codes after training, from which new codes are drawn.

The codes of the training data do not fill the prior evenly; a small mixture of Gaussians fitted to them afterwards
gives better samples and lets an autoencoder without a prior generate at all.

Source: Ghosh, Sajjadi, Vergari, Black, Schoelkopf, "From Variational to Deterministic Autoencoders" (2020,
arXiv:1903.12436, section 4: ex-post density estimation, ten full-covariance components). Here the likelihood of
held-out codes chooses their number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hourglass.diagnostics.gaussian_mixture import GaussianMixture, fit_mixture, merged, shrunk_covariance

MAX_ROWS = 60_000  # of all groups together
MAX_ROWS_AT_LEAST = 3_000  # of each group, however many there are


class Density(Protocol):
    """A density over codes that is fitted after training, saved as arrays, and knows the groups it was fitted with."""

    @classmethod
    def fit(cls, Z: ArrayLike, groups: ArrayLike | None = None, *, seed: int = 0) -> Self: ...

    @property
    def groups(self) -> list[Any]:
        """The groups that can be sampled; ``[None]`` where there are none."""

    def sample(self, n: int, groups: ArrayLike | None = None, seed: int | None = None) -> NDArray[np.float32]: ...

    def log_prob(self, Z: ArrayLike, groups: ArrayLike | None = None) -> NDArray[np.float64]: ...

    def to_arrays(self) -> dict[str, NDArray[Any]]: ...

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self: ...


class CodeDensity:
    """Full-covariance Gaussian mixture over codes, one per group.

    Parameters
    ----------
    mixtures : mapping
        Group (``None`` where there are no groups) to its mixture; made by ``fit`` or ``from_arrays``.
    shares : mapping
        Group to its share of the rows.
    others : sequence
        Groups that may be asked for and had no rows: they get the mixture of all groups.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(200, 2))
    >>> density = CodeDensity.fit(Z, seed=0)
    >>> density
    CodeDensity(1 Gaussian over 2 dimensions)
    >>> density.sample(5, seed=1).shape
    (5, 2)
    """

    def __init__(
        self, mixtures: Mapping[Any, GaussianMixture], shares: Mapping[Any, float], others: Sequence[Any] = ()
    ) -> None:
        self._mixtures, self._shares, self._others = dict(mixtures), dict(shares), list(others)

    @classmethod
    def fit(
        cls,
        Z: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        known: Sequence[Any] = (),
        n_components: int | None = None,
        blocks: ArrayLike | None = None,
        seed: int = 0,
    ) -> CodeDensity:
        """Fit to codes.

        Parameters
        ----------
        Z : array-like of shape (N, L)
            Codes of the training data. About 60,000 rows are used, at least 3,000 of each group that has them.
        groups : array-like of shape (N,), optional
            The condition of each row, numbers or strings; each value gets its own mixture.
        known : sequence
            Groups that may be asked for later. Those without a row of Z get the mixture of all groups.
        n_components : int, optional
            Gaussians per group, fewer where a group has too few rows for them; without it chosen by held-out codes (a
            single one for codes of more than 100 numbers).
        blocks : array-like of shape (N,), optional
            Labels of rows that depend on one another, such as overlapping windows of one record: when the number of
            Gaussians is chosen, the rows of one block are fitted or held out together. Fewer than four blocks get a
            single Gaussian. Without labels all rows are independent.
        seed : int
            Of the subsets and of the mixtures' start.

        Returns
        -------
        CodeDensity

        Raises
        ------
        ValueError
            If Z is empty or not finite, or ``groups`` or ``blocks`` do not fit it.
        """
        codes = _codes(Z)
        if n_components is not None and n_components < 1:
            raise ValueError(f"n_components={n_components!r}: at least 1, or None to choose by held-out codes.")
        labels, block_of = _one_per_row(groups, "groups", len(codes)), _one_per_row(blocks, "blocks", len(codes))

        centre, scale = codes.mean(axis=0), codes.std(axis=0)
        low, high = np.quantile(codes, (0.25, 0.75), axis=0)
        scale = np.where(high > low, (high - low) / 1.349, scale)  # the same for a Gaussian, robust to outlying codes
        # A constant dimension stays constant, up to the ridge, in units too small to matter to the decoder.
        scale = np.where(scale > 1e-8 * (1 + np.abs(centre)), scale, 1e-8 * (1 + np.abs(centre)))
        codes = ((codes - centre) / scale).astype(np.float32)  # half the time of float64
        rng = np.random.default_rng(seed)
        pooled = shrunk_covariance(codes[rng.permutation(len(codes))[:MAX_ROWS]].clip(-10, 10))

        values = [None] if labels is None else np.unique(labels).tolist()
        limit = max(MAX_ROWS // len(values), MAX_ROWS_AT_LEAST)
        mixtures, shares = {}, {}
        for value in values:
            rows = np.arange(len(codes)) if labels is None else np.flatnonzero(labels == value)
            shares[value] = len(rows) / len(codes)
            rows = rows[rng.permutation(len(rows))[:limit]]
            of_rows = None if block_of is None else block_of[rows]
            mixtures[value] = fit_mixture(codes[rows], n_components, pooled, rng, of_rows).moved(scale, centre)
        return cls(mixtures, shares, [value for value in known if value not in mixtures])

    @property
    def groups(self) -> list[Any]:
        """The groups that can be sampled; ``[None]`` where there are none."""
        return [*self._mixtures, *self._others]

    @property
    def n_components(self) -> dict[Any, int]:
        """Gaussians in the mixture of each group that has its own."""
        return {group: len(mixture.weights) for group, mixture in self._mixtures.items()}

    @property
    def size(self) -> int:
        """L, the size of a code."""
        return int(self._all.means.shape[1])

    @cached_property
    def _all(self) -> GaussianMixture:
        """The mixture of all groups, each with its share of the rows."""
        return merged(list(self._mixtures.values()), list(self._shares.values()))

    def sample(self, n: int, groups: ArrayLike | None = None, seed: int | None = None) -> NDArray[np.float32]:
        """Draw codes.

        Parameters
        ----------
        n : int
            How many.
        groups : array-like of shape (n,), optional
            The group of each; needed where the density was fitted with groups, and only there. One value serves all.
        seed : int, optional
            Without it each call differs.

        Returns
        -------
        ndarray of float32, shape (n, L)

        Raises
        ------
        ValueError
            If a group is unknown; the known ones are named.
        """
        grouped = self.groups != [None]
        if grouped != (groups is not None):
            fitted = "with groups" if grouped else "without groups"
            remedy = f"give one of {_listed(self.groups)} per code." if grouped else "leave it out."
            raise ValueError(f"groups={groups!r}: the density was fitted {fitted}; {remedy}")
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((n, self.size))
        where = rng.random(n)
        codes = np.empty(noise.shape, dtype=np.float32)
        for mixture, rows in self.rows_of(groups, n):
            codes[rows] = mixture.sample(noise[rows], where[rows])
        return codes

    def log_prob(self, Z: ArrayLike, groups: ArrayLike | None = None) -> NDArray[np.float64]:
        """ln p(z) of every code, nats; ln p(z | group) where groups are given.

        Parameters
        ----------
        Z : array-like of shape (N, L)
        groups : array-like of shape (N,), optional
            The group of each. Without it, the density of all groups together, each with its share of the rows at fit.

        Returns
        -------
        ndarray of shape (N,)

        Raises
        ------
        ValueError
            If Z is not finite or of another size, or a group is unknown.
        """
        codes = _codes(Z)
        if codes.shape[1] != (size := self.size):
            raise ValueError(f"Z has {codes.shape[1]} columns; the density is one of codes of {size} numbers.")
        if groups is None:
            return np.asarray(self._all.log_prob(codes), dtype=np.float64)
        result = np.empty(len(codes))
        for mixture, rows in self.rows_of(groups, len(codes)):
            result[rows] = mixture.log_prob(codes[rows])
        return result

    def rows_of(self, groups: ArrayLike | None, n: int) -> list[tuple[GaussianMixture, NDArray[np.intp]]]:
        """Each mixture asked for, and which of n rows it serves."""
        wanted = [None] * n if groups is None else np.broadcast_to(np.asarray(groups), (n,)).tolist()
        rows_of: dict[Any, list[int]] = {}
        for row, group in enumerate(wanted):
            rows_of.setdefault(group, []).append(row)
        unknown = [group for group in rows_of if group not in self.groups]
        if unknown:
            raise ValueError(f"groups: {unknown[0]!r} was not among the data; there are {_listed(self.groups)}.")
        return [(self._mixtures.get(group, self._all), np.array(rows)) for group, rows in rows_of.items()]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The state as numeric arrays, fit for any array file; groups as the bytes of a JSON list.

        Returns
        -------
        dict
            ``groups`` and ``others`` (bytes,) uint8, ``shares`` (G,), ``group_of`` (C,), ``weights`` (C,), ``means``
            (C, L), ``factors`` (C, L, L), the components of all groups one after the other.
        """
        mixtures = list(self._mixtures.values())
        return {
            "groups": np.frombuffer(json.dumps(list(self._mixtures)).encode(), dtype=np.uint8),
            "others": np.frombuffer(json.dumps(self._others).encode(), dtype=np.uint8),
            "shares": np.array(list(self._shares.values())),
            "group_of": np.repeat(np.arange(len(mixtures)), [len(mixture.weights) for mixture in mixtures]),
            "weights": np.concatenate([mixture.weights for mixture in mixtures]),
            "means": np.concatenate([mixture.means for mixture in mixtures]),
            "factors": np.concatenate([mixture.factors for mixture in mixtures]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> CodeDensity:
        """The density whose ``to_arrays`` gave ``arrays``.

        Raises
        ------
        ValueError
            If an array is missing.
        """
        names = {"groups", "others", "shares", "group_of", "weights", "means", "factors"}
        if missing := names - set(arrays):
            raise ValueError(f"arrays lack {_listed(sorted(missing))}: pass the whole of what to_arrays() returned.")
        groups, others = (
            json.loads(np.asarray(arrays[name], dtype=np.uint8).tobytes().decode()) for name in ("groups", "others")
        )
        owner = np.asarray(arrays["group_of"])
        columns = [np.asarray(arrays[name], dtype=np.float64) for name in ("weights", "means", "factors")]
        mixtures = {group: GaussianMixture(*(c[owner == g] for c in columns)) for g, group in enumerate(groups)}
        return cls(mixtures, dict(zip(groups, np.asarray(arrays["shares"]).tolist(), strict=True)), others)

    def __repr__(self) -> str:
        counts = sorted(set(self.n_components.values()))
        gaussians = " to ".join(map(str, counts[:: max(1, len(counts) - 1)]))
        over = f"{gaussians} Gaussian{'s' * (counts[-1] > 1)} over {self.size} dimensions"
        return (
            f"CodeDensity({over})" if self.groups == [None] else f"CodeDensity({len(self.groups)} groups, each {over})"
        )


def _codes(Z: ArrayLike) -> NDArray[np.float64]:
    codes = np.asarray(Z, dtype=np.float64)
    if codes.ndim != 2 or not codes.size:
        raise ValueError(f"Z has shape {codes.shape}: give codes (examples, code), at least one of each.")
    if not np.isfinite(codes).all():
        raise ValueError("Z holds NaN or infinity: a density needs finite codes.")
    return codes


def _one_per_row(labels: ArrayLike | None, argument: str, n: int) -> NDArray[Any] | None:
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.shape != (n,):
        raise ValueError(f"{argument} has shape {labels.shape}: give one for each of the {n} rows of Z.")
    return labels


def _listed(values: list[Any]) -> str:
    return ", ".join(map(repr, values[:20])) + (", ..." if len(values) > 20 else "")
