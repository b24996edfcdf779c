"""A density fitted to the codes after training, from which new codes are drawn.

The codes of the training data do not fill the prior evenly; a small mixture of Gaussians fitted to them afterwards
gives better samples and lets an autoencoder without a prior generate at all.

Source: Ghosh, Sajjadi, Vergari, Black, Schoelkopf, "From Variational to Deterministic Autoencoders" (2020,
arXiv:1903.12436, section 4: ex-post density estimation, ten full-covariance components). Here the likelihood of
held-out codes chooses their number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.cluster import kmeans_plusplus
from sklearn.covariance import ledoit_wolf

COMPONENTS = (1, 2, 5, 20, 50, 100, 200, 400)
MAX_ROWS = 60_000  # of all groups together
MAX_ROWS_AT_LEAST = 3_000  # of each group, however many there are
PASSES, MORE_PASSES = 4, 2  # of expectation maximisation: enough to draw samples from; more of them to finish
BLOCKS = 10  # of rows; the mixture moves after each
MAX_MIXTURE_SIZE = 100  # numbers of a code; beyond, the products of all pairs cost too much, and one Gaussian is fitted
PRIOR_ROWS = 0.3  # times the code's size: how many rows a component's own roundness counts for
RIDGE = 1e-4  # added to the covariance of codes scaled to deviation 1


@dataclass(frozen=True, eq=False)
class _Mixture:
    """weights (C,), means (C, L), factors (C, L, L): lower Cholesky factors of the covariances."""

    weights: NDArray[np.floating]
    means: NDArray[np.floating]
    factors: NDArray[np.floating]


class CodeDensity:
    """Full-covariance Gaussian mixture over codes, one per group.

    Parameters
    ----------
    mixtures : mapping
        Group (``None`` where there are no groups) to its mixture; made by ``fit`` or ``from_arrays``.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(200, 2))
    >>> CodeDensity.fit(Z, seed=0).sample(5, seed=1).shape
    (5, 2)
    """

    def __init__(self, mixtures: Mapping[Any, _Mixture]) -> None:
        self._mixtures = dict(mixtures)

    @classmethod
    def fit(
        cls, Z: ArrayLike, groups: ArrayLike | None = None, n_components: int | None = None, seed: int = 0
    ) -> CodeDensity:
        """Fit to codes.

        Parameters
        ----------
        Z : array-like of shape (N, L)
            Codes of the training data. About 60,000 rows are used, at least 3,000 of each group that has them.
        groups : array-like of shape (N,), optional
            The condition of each row, numbers or strings; each value gets its own mixture.
        n_components : int, optional
            Gaussians per group, fewer where a group has too few rows for them; without it chosen by held-out codes (a
            single one for codes of more than 100 numbers).
        seed : int
            Of the subsets and of the mixtures' start.

        Returns
        -------
        CodeDensity

        Raises
        ------
        ValueError
            If Z is empty or not finite, or ``groups`` does not fit it.
        """
        codes = np.asarray(Z, dtype=np.float64)
        if codes.ndim != 2 or not codes.size:
            raise ValueError(f"Z has shape {codes.shape}: give codes (examples, code), at least one of each.")
        if not np.isfinite(codes).all():
            raise ValueError("Z holds NaN or infinity: a density needs finite codes.")
        if n_components is not None and n_components < 1:
            raise ValueError(f"n_components={n_components!r}: at least 1, or None to choose by held-out codes.")
        labels = None if groups is None else np.asarray(groups)
        if labels is not None and labels.shape != (len(codes),):
            raise ValueError(f"groups has shape {labels.shape}: give one for each of the {len(codes)} rows of Z.")

        centre, scale = codes.mean(axis=0), codes.std(axis=0)
        low, high = np.quantile(codes, (0.25, 0.75), axis=0)
        scale = np.where(high > low, (high - low) / 1.349, scale)  # of a Gaussian the same, and deaf to a code far out
        # A constant dimension stays constant, up to the ridge, in units too small to matter to the decoder.
        scale = np.where(scale > 1e-8 * (1 + np.abs(centre)), scale, 1e-8 * (1 + np.abs(centre)))
        codes = ((codes - centre) / scale).astype(np.float32)  # half the time of float64
        rng = np.random.default_rng(seed)
        pooled = _covariance(_subset(codes, MAX_ROWS, rng).clip(-10, 10))

        values = [None] if labels is None else np.unique(labels).tolist()
        most = max(MAX_ROWS // len(values), MAX_ROWS_AT_LEAST)

        def fitted(rows: NDArray[np.floating]) -> _Mixture:
            mixture = _fit_mixture(_subset(rows, most, rng), n_components, pooled, rng)
            return _Mixture(mixture.weights, mixture.means * scale + centre, mixture.factors * scale[:, None])

        return cls({value: fitted(codes if labels is None else codes[labels == value]) for value in values})

    @property
    def groups(self) -> list[Any]:
        """The groups fitted; ``[None]`` where there are none."""
        return list(self._mixtures)

    @property
    def n_components(self) -> dict[Any, int]:
        """Gaussians in each group's mixture."""
        return {group: len(mixture.weights) for group, mixture in self._mixtures.items()}

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
            If a group was not there when the density was fitted; the known ones are named.
        """
        grouped = self.groups != [None]
        if grouped != (groups is not None):
            fitted = "with groups" if grouped else "without groups"
            remedy = f"give one of {_listed(self.groups)} per code." if grouped else "leave it out."
            raise ValueError(f"groups={groups!r}: the density was fitted {fitted}; {remedy}")
        wanted = [None] * n if groups is None else np.broadcast_to(np.asarray(groups), (n,)).tolist()
        unknown = [group for group in dict.fromkeys(wanted) if group not in self._mixtures]
        if unknown:
            raise ValueError(f"groups: {unknown[0]!r} was not among the data; there are {_listed(self.groups)}.")
        return self._drawn(wanted, np.random.default_rng(seed))

    def _drawn(self, wanted: list[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        L = next(iter(self._mixtures.values())).means.shape[1]
        noise = rng.standard_normal((len(wanted), L))
        where = rng.random(len(wanted))
        codes = np.empty((len(wanted), L), dtype=np.float32)
        rows_of: dict[Any, list[int]] = {}
        for row, group in enumerate(wanted):
            rows_of.setdefault(group, []).append(row)
        for group, members in rows_of.items():
            mixture, rows = self._mixtures[group], np.array(members)
            component = np.searchsorted(np.cumsum(mixture.weights)[:-1], where[rows], side="right")
            for c in np.unique(component):
                chosen = rows[component == c]
                codes[chosen] = mixture.means[c] + noise[chosen] @ mixture.factors[c].T
        return codes

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The state as numeric arrays, fit for any array file; groups as the bytes of a JSON list.

        Returns
        -------
        dict
            ``groups`` (bytes,) uint8, ``group_of`` (C,), ``weights`` (C,), ``means`` (C, L), ``factors`` (C, L, L), the
            components of all groups one after the other.
        """
        mixtures = list(self._mixtures.values())
        return {
            "groups": np.frombuffer(json.dumps(self.groups).encode(), dtype=np.uint8),
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
        if missing := {"groups", "group_of", "weights", "means", "factors"} - set(arrays):
            raise ValueError(f"arrays lack {_listed(sorted(missing))}: pass the whole of what to_arrays() returned.")
        groups = json.loads(np.asarray(arrays["groups"], dtype=np.uint8).tobytes().decode())
        owner = np.asarray(arrays["group_of"])
        parts = [np.asarray(arrays[name], dtype=np.float64) for name in ("weights", "means", "factors")]
        return cls({group: _Mixture(*(part[owner == g] for part in parts)) for g, group in enumerate(groups)})


def _subset(rows: NDArray[np.floating], most: int, rng: np.random.Generator) -> NDArray[np.floating]:
    return rows[rng.permutation(len(rows))[:most]]


def _covariance(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Covariance shrunk towards a multiple of the identity, the less the more rows (Ledoit and Wolf 2004)."""
    if len(rows) == 1:
        return RIDGE * np.eye(rows.shape[1])
    return ledoit_wolf(rows.astype(np.float64))[0] + RIDGE * np.eye(rows.shape[1])


def _fit_mixture(
    rows: NDArray[np.floating], n_components: int | None, pooled: NDArray[np.float64], rng: np.random.Generator
) -> _Mixture:
    """The mixture for scaled codes (N, L); ``pooled`` is the covariance of all groups' codes."""
    if n_components is None:
        start, passes = _likeliest(rows, pooled, rng), MORE_PASSES
    else:
        start = _seeded_on(rows, max(1, min(n_components, _most(rows))), pooled, rng)
        passes = PASSES + MORE_PASSES
    return _single(rows, pooled) if len(start.weights) == 1 else _expectation_maximisation(rows, start, passes)


def _most(rows: NDArray[np.floating]) -> int:
    """Components that rows (N, L) can tell apart.

    One has L (L + 3) / 2 free numbers but L + 1 rows span it; twice that keeps the fit from single points.
    """
    return len(rows) // (2 * (rows.shape[1] + 1))


def _single(rows: NDArray[np.floating], pooled: NDArray[np.float64]) -> _Mixture:
    covariance = _covariance(rows) if len(rows) > 1 else pooled
    return _Mixture(np.ones(1), rows.mean(axis=0)[None], np.linalg.cholesky(covariance)[None])


def _likeliest(rows: NDArray[np.floating], pooled: NDArray[np.float64], rng: np.random.Generator) -> _Mixture:
    """The mixture under which held-out rows are likeliest.

    More components have to gain more than one standard error of the rows' differences; where two steps in a row do not,
    the search ends. The BIC, which charges each of a full covariance's L (L + 1) / 2 numbers, stays with one Gaussian
    for MNIST's codes, whose samples are far worse.
    """
    fitted, judged = rows[len(rows) // 5 :], rows[: len(rows) // 5]
    if _most(fitted) < 2 or rows.shape[1] > MAX_MIXTURE_SIZE:
        return _single(rows, pooled)
    best = _single(fitted, pooled)
    likelihoods = _log_likelihoods(judged, best)
    no_gain = 0
    for k in COMPONENTS[1:]:
        if k > _most(fitted) or no_gain == 2:
            break
        mixture = _expectation_maximisation(fitted, _seeded_on(fitted, k, pooled, rng), PASSES)
        found = _log_likelihoods(judged, mixture)
        gain = (found - likelihoods).clip(-20, 20)  # nats: one code far out does not decide
        if gain.mean() > gain.std() / len(gain) ** 0.5:
            best, likelihoods, no_gain = mixture, found, 0
        else:
            no_gain += 1
    return best


def _seeded_on(rows: NDArray[np.floating], k: int, pooled: NDArray[np.float64], rng: np.random.Generator) -> _Mixture:
    """k equal Gaussians on k rows far apart (Arthur and Vassilvitskii 2007: k-means++)."""
    centres, _ = kmeans_plusplus(_subset(rows, 20 * k + 2000, rng), k, random_state=int(rng.integers(2**31)))
    factor = np.linalg.cholesky(pooled) * k ** (-1 / rows.shape[1])
    return _Mixture(np.full(k, 1 / k), centres, np.repeat(factor[None], k, axis=0))


def _expectation_maximisation(
    rows: NDArray[np.floating], mixture: _Mixture, passes: int, blocks: int = BLOCKS
) -> _Mixture:
    """Dempster, Laird and Rubin 1977, for rows (N, L) and full covariances.

    After a first pass the mixture moves with every block of rows, whose part of the sums is exchanged for its new one:
    that needs a fraction of the passes and raises the same bound (Neal and Hinton 1998: incremental EM).
    """
    L = rows.shape[1]
    space = _space(rows)
    total = np.zeros((len(mixture.weights), len(space)))
    sums = np.zeros((blocks, *total.shape), dtype=rows.dtype)
    for n in range(passes):
        for b, block in enumerate(np.array_split(rows, blocks)):
            total -= sums[b]
            sums[b] = _sums(block, mixture, space)
            total += sums[b]
            if n == 0 and b < blocks - 1:
                continue  # not all rows have been seen
            alive = total[:, 0] > 1e-3  # a component that lost its rows goes
            if not alive.all():
                total, sums = total[alive], sums[:, alive]
            mixture = _from_sums(total, L, float(np.finfo(rows.dtype).eps))
    return mixture


def _sums(rows: NDArray[np.floating], mixture: _Mixture, space: NDArray[np.floating]) -> NDArray[np.floating]:
    """Sums of the F features of rows (N, L), each row shared out among the C components: (C, F).

    With the features (1, x, the products of x with itself) of every row, the log-densities of all components are one
    matrix product, and so are the sums: up to some hundred numbers a code much faster than one component after the
    other.
    """
    theta = _natural(mixture).astype(rows.dtype)
    sums = np.zeros_like(theta)
    for part in _parts(rows):
        features = _features(part, space)
        share = theta @ features  # the log of each component's part in each row, and then the part
        share -= share.max(axis=0)
        np.exp(share, out=share)
        share /= share.sum(axis=0)
        sums += share @ features.T
    return sums


def _from_sums(sums: NDArray[np.float64], L: int, rounding: float) -> _Mixture:
    """The likeliest mixture for the sums (C, F) of features, each good to `rounding` of itself."""
    i, j = np.triu_indices(L)
    n = sums[:, :1]
    means = sums[:, 1 : 1 + L] / n
    covariances = np.zeros((len(n), L, L))
    covariances[:, i, j] = covariances[:, j, i] = sums[:, 1 + L :] / n
    largest = np.diagonal(covariances, axis1=1, axis2=2).max(axis=1)  # of the mean squares, as far as they are exact
    ridge = (RIDGE + 32 * rounding * largest)[:, None, None]
    covariances -= means[:, :, None] * means[:, None, :]
    # each is drawn towards the sphere of its own size by as much as PRIOR_ROWS * L rows would draw it
    sphere = np.trace(covariances, axis1=1, axis2=2)[:, None, None] / L * np.eye(L)
    weight = (n / (n + PRIOR_ROWS * L))[..., None]
    covariances = weight * covariances + (1 - weight) * sphere + ridge * np.eye(L)
    return _Mixture(n[:, 0] / n.sum(), means, np.linalg.cholesky(covariances))


def _piece(rows: NDArray[np.floating]) -> int:
    """How many rows at a time: their features, some 4 MB, stay in a processor's cache."""
    return max(1, min(len(rows), 2**20 // rows.shape[1] ** 2))


def _parts(rows: NDArray[np.floating]) -> Iterator[NDArray[np.floating]]:
    return (rows[i : i + _piece(rows)] for i in range(0, len(rows), _piece(rows)))


def _space(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Room for the features of one piece of rows (N, L)."""
    L = rows.shape[1]
    return np.empty((1 + L + L * (L + 1) // 2, _piece(rows)), dtype=rows.dtype)


def _features(rows: NDArray[np.floating], space: NDArray[np.floating]) -> NDArray[np.floating]:
    """(1 + L + L (L + 1) / 2, N): one, x, and the products x_i x_j, j >= i, with the rows of (N, L) as columns."""
    L = rows.shape[1]
    features = space[:, : len(rows)]
    features[0] = 1
    x = features[1 : 1 + L]
    x[:] = rows.T
    end = 1 + L
    for i in range(L):
        begin, end = end, end + L - i
        np.multiply(x[i:], x[i], out=features[begin:end])
    return features


def _natural(mixture: _Mixture) -> NDArray[np.floating]:
    """What the features are multiplied with to give ln weight + ln N(x; mean, covariance) of each component."""
    L = mixture.means.shape[1]
    inverse = np.linalg.inv(mixture.factors)
    precision = inverse.transpose(0, 2, 1) @ inverse
    linear = np.einsum("kij,kj->ki", precision, mixture.means)
    log_det = np.log(np.diagonal(mixture.factors, axis1=1, axis2=2)).sum(1)
    constant = np.log(mixture.weights) - log_det - 0.5 * (L * math.log(2 * math.pi) + (linear * mixture.means).sum(1))
    i, j = np.triu_indices(L)
    products = -precision[:, i, j] * np.where(i == j, 0.5, 1.0)  # those off the diagonal stand for two
    return np.concatenate([constant[:, None], linear, products], axis=1)


def _log_likelihoods(rows: NDArray[np.floating], mixture: _Mixture) -> NDArray[np.floating]:
    """ln p(x) of rows (N, L): (N,)."""
    theta, space = _natural(mixture).astype(rows.dtype), _space(rows)
    return np.concatenate([logsumexp(theta @ _features(part, space), axis=0) for part in _parts(rows)])


def _listed(values: list[Any]) -> str:
    return ", ".join(map(repr, values[:20])) + (", ..." if len(values) > 20 else "")
