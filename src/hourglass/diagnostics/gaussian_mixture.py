"""Mixtures of Gaussians with full covariances, fitted by incremental expectation maximisation.

Sources: Dempster, Laird and Rubin 1977; Neal and Hinton 1998 (incremental EM); Arthur and Vassilvitskii 2007
(k-means++); Ledoit and Wolf 2004 (shrunk covariances).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus
from sklearn.covariance import ledoit_wolf

COMPONENTS = (1, 2, 5, 20, 50, 100, 200, 400)
PASSES, MORE_PASSES = 4, 2  # of expectation maximisation: enough to draw samples from; more of them to finish
BATCHES = 10  # of rows; the mixture moves after each
MAX_MIXTURE_SIZE = 100  # numbers of a code; beyond, the products of all pairs cost too much, and one Gaussian is fitted
PRIOR_ROWS = 0.3  # times the code's size: how many rows a component's own roundness counts for
RIDGE = 1e-4  # added to the covariance of rows scaled to deviation 1
MIN_BLOCKS = 4  # of dependent rows: fewer cannot be parted into rows to fit and rows to judge

unless_tiny = np.errstate(under="ignore")  # the share of a component far away is meant to become 0


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """weights (C,), means (C, L), factors (C, L, L): lower Cholesky factors of the covariances."""

    weights: NDArray[np.floating]
    means: NDArray[np.floating]
    factors: NDArray[np.floating]

    @unless_tiny
    def log_prob(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """ln p(x) of rows (N, L): (N,), in their precision."""
        L = self.means.shape[1]
        total = np.full(len(rows), -np.inf, dtype=rows.dtype)
        for weight, mean, factor in zip(self.weights, self.means, self.factors, strict=True):
            standard = (rows - mean.astype(rows.dtype)) @ np.linalg.inv(factor).T.astype(rows.dtype)
            constant = math.log(weight) - np.log(np.diagonal(factor)).sum() - 0.5 * L * math.log(2 * math.pi)
            log_p = rows.dtype.type(constant) - 0.5 * np.einsum("nl,nl->n", standard, standard)
            np.logaddexp(total, log_p, out=total)
        return total

    def sample(self, noise: NDArray[np.floating], where: NDArray[np.floating]) -> NDArray[np.floating]:
        """Rows (N, L) from standard normal `noise` (N, L) and uniform numbers `where` (N,), which choose components."""
        component = np.searchsorted(np.cumsum(self.weights)[:-1], where, side="right")
        rows = np.empty_like(noise)
        for c in np.unique(component):
            chosen = component == c
            rows[chosen] = self.means[c] + noise[chosen] @ self.factors[c].T
        return rows

    def moved(self, scale: NDArray[np.floating], centre: NDArray[np.floating]) -> GaussianMixture:
        """The mixture of scale * x + centre."""
        return GaussianMixture(self.weights, self.means * scale + centre, self.factors * scale[:, None])


def merged(mixtures: Sequence[GaussianMixture], shares: Sequence[float]) -> GaussianMixture:
    """The mixture of mixtures: sum_g share_g p_g(x)."""
    return GaussianMixture(
        np.concatenate([share * mixture.weights for share, mixture in zip(shares, mixtures, strict=True)]),
        np.concatenate([mixture.means for mixture in mixtures]),
        np.concatenate([mixture.factors for mixture in mixtures]),
    )


def shrunk_covariance(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Covariance shrunk towards a multiple of the identity, the less the more rows (Ledoit and Wolf 2004)."""
    if len(rows) == 1:
        return RIDGE * np.eye(rows.shape[1])
    return ledoit_wolf(rows.astype(np.float64))[0] + RIDGE * np.eye(rows.shape[1])


@unless_tiny
def fit_mixture(
    rows: NDArray[np.floating],
    n_components: int | None,
    pooled: NDArray[np.float64],
    rng: np.random.Generator,
    blocks: NDArray[np.integer] | None = None,
) -> GaussianMixture:
    """The mixture for rows.

    Parameters
    ----------
    rows : (N, L), scaled to deviation 1, in random order.
    n_components : None chooses by the likelihood of held-out rows.
    pooled : (L, L), the covariance that components start from, and that a single row has.
    rng : of the start.
    blocks : (N,), rows of one block depend on one another, and are fitted or held out together; None: all independent.
    """
    if n_components is None:
        start, passes = _likeliest(rows, pooled, rng, blocks), MORE_PASSES
    else:
        start = _seeded_on(rows, max(1, min(n_components, _max_components(rows))), pooled, rng)
        passes = PASSES + MORE_PASSES
    return _single(rows, pooled) if len(start.weights) == 1 else _expectation_maximisation(rows, start, passes)


def _max_components(rows: NDArray[np.floating]) -> int:
    """Components that rows (N, L) can tell apart.

    One has L (L + 3) / 2 free numbers but L + 1 rows span it; twice that keeps the fit from single points.
    """
    return len(rows) // (2 * (rows.shape[1] + 1))


def _single(rows: NDArray[np.floating], pooled: NDArray[np.float64]) -> GaussianMixture:
    covariance = shrunk_covariance(rows) if len(rows) > 1 else pooled
    return GaussianMixture(np.ones(1), rows.mean(axis=0)[None], np.linalg.cholesky(covariance)[None])


def _likeliest(
    rows: NDArray[np.floating],
    pooled: NDArray[np.float64],
    rng: np.random.Generator,
    blocks: NDArray[np.integer] | None,
) -> GaussianMixture:
    """The mixture under which held-out rows are likeliest.

    More components have to gain more than one standard error of the differences; where two steps in a row do not, the
    search ends. The BIC, which charges each of a full covariance's L (L + 1) / 2 numbers, stays with one Gaussian
    for MNIST's codes, whose samples are far worse.
    """
    blocks = np.arange(len(rows)) if blocks is None else np.unique(blocks, return_inverse=True)[1]
    held_out = _first_blocks(blocks, len(rows) // 5)
    train, test, test_blocks = rows[~held_out], rows[held_out], blocks[held_out]
    if _max_components(train) < 2 or rows.shape[1] > MAX_MIXTURE_SIZE or blocks.max() + 1 < MIN_BLOCKS:
        return _single(rows, pooled)
    best = _single(train, pooled)
    best_log_p = best.log_prob(test)
    no_gain = 0
    for k in COMPONENTS[1:]:
        if k > _max_components(train) or no_gain == 2:
            break
        mixture = _expectation_maximisation(train, _seeded_on(train, k, pooled, rng), PASSES)
        log_p = mixture.log_prob(test)
        gain = (log_p - best_log_p).clip(-20, 20)  # nats: one outlying code does not decide
        if gain.mean() > _standard_error(gain, test_blocks):
            best, best_log_p, no_gain = mixture, log_p, 0
        else:
            no_gain += 1
    return best


def _first_blocks(blocks: NDArray[np.integer], n: int) -> NDArray[np.bool_]:
    """(N,): the rows of as many whole blocks, in the order they come in, as hold n rows."""
    _, first, sizes = np.unique(blocks, return_index=True, return_counts=True)
    order = first.argsort()
    enough = int(np.searchsorted(np.cumsum(sizes[order]), n)) + 1
    return np.isin(blocks, order[:enough]) if n else np.zeros(len(blocks), dtype=bool)


def _standard_error(values: NDArray[np.floating], blocks: NDArray[np.integer]) -> float:
    """Of the mean of values (N,) that depend on one another within a block."""
    sums = np.bincount(np.unique(blocks, return_inverse=True)[1], values - values.mean())
    return float(np.sqrt(np.square(sums).sum()) / len(values))


def _seeded_on(
    rows: NDArray[np.floating], k: int, pooled: NDArray[np.float64], rng: np.random.Generator
) -> GaussianMixture:
    """k equal Gaussians on k rows far apart (Arthur and Vassilvitskii 2007: k-means++)."""
    some = rows[rng.permutation(len(rows))[: 20 * k + 2000]]
    centres, _ = kmeans_plusplus(some, k, random_state=int(rng.integers(2**31)))
    factor = np.linalg.cholesky(pooled) * k ** (-1 / rows.shape[1])
    return GaussianMixture(np.full(k, 1 / k), centres, np.repeat(factor[None], k, axis=0))


def _expectation_maximisation(
    rows: NDArray[np.floating], mixture: GaussianMixture, passes: int, n_batches: int = BATCHES
) -> GaussianMixture:
    """Dempster, Laird and Rubin 1977, for rows (N, L) and full covariances.

    After a first pass the mixture moves with every batch of rows, whose part of the sums is exchanged for its new one:
    that needs a fraction of the passes and raises the same bound (Neal and Hinton 1998: incremental EM).
    """
    L = rows.shape[1]
    space = _space(rows)
    total = np.zeros((len(mixture.weights), len(space)))
    sums = np.zeros((n_batches, *total.shape), dtype=rows.dtype)
    for n in range(passes):
        for b, batch in enumerate(np.array_split(rows, n_batches)):
            total -= sums[b]
            sums[b] = _sums(batch, mixture, space)
            total += sums[b]
            if n == 0 and b < n_batches - 1:
                continue  # not all rows have been seen
            alive = total[:, 0] > 1e-3  # a component that lost its rows goes
            if not alive.all():
                total, sums = total[alive], sums[:, alive]
            mixture = _from_sums(total, L, float(np.finfo(rows.dtype).eps))
    return mixture


def _sums(rows: NDArray[np.floating], mixture: GaussianMixture, space: NDArray[np.floating]) -> NDArray[np.floating]:
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


def _from_sums(sums: NDArray[np.float64], L: int, rounding: float) -> GaussianMixture:
    """The likeliest mixture for the sums (C, F) of features, each good to `rounding` of itself."""
    i, j = np.triu_indices(L)
    n = sums[:, :1]
    means = sums[:, 1 : 1 + L] / n
    covariances = np.zeros((len(n), L, L))
    covariances[:, i, j] = covariances[:, j, i] = sums[:, 1 + L :] / n
    largest = np.diagonal(covariances, axis1=1, axis2=2).max(axis=1)  # of the mean squares, as far as they are exact
    ridge = (RIDGE + 32 * rounding * largest)[:, None, None]
    covariances -= means[:, :, None] * means[:, None, :]
    # each is shrunk towards the sphere of its own size by as much as PRIOR_ROWS * L rows would do
    sphere = np.trace(covariances, axis1=1, axis2=2)[:, None, None] / L * np.eye(L)
    weight = (n / (n + PRIOR_ROWS * L))[..., None]
    covariances = weight * covariances + (1 - weight) * sphere + ridge * np.eye(L)
    return GaussianMixture(n[:, 0] / n.sum(), means, np.linalg.cholesky(covariances))


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


def _natural(mixture: GaussianMixture) -> NDArray[np.floating]:
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
