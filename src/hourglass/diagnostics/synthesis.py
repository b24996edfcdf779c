"""How well drawn rows imitate those of a table: columns, pairs of columns, use in their place, and copies.

Shapes: ``N`` training rows, ``M`` drawn rows, ``K`` held-out rows, ``D`` columns; numbers as they are, categories by
their place, NaN for missing.

Sources: Xu et al. 2019, arXiv:1907.00503, for training on drawn rows and testing on real ones; Lopez-Paz and Oquab
2017, arXiv:1610.06545, for classifiers as two-sample tests; Zhao et al. 2021, arXiv:2102.08369, for distances to the
closest record.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

MAX_ROWS = 5_000  # of each kind that anything is measured on
MAX_DISTANCES = 1_000  # rows whose closest training record is looked for
MAX_CLASSES = 20  # of a target; a column of more is no class to predict
BINS = 8  # of numbers beside categories
MAX_PAIRED = 60  # columns whose pairs are measured; of more, so many at equal distances
MAX_DETECTED = 2_000  # rows of each kind that a forest is to tell apart
TREES, MIN_LEAF, FOLDS = 60, 5, 3


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """Figures of drawn rows.

    Attributes
    ----------
    columns : name -> error: the Kolmogorov-Smirnov distance of numbers, the total variation of categories; 0 to 1.
    pairs : (name, name) -> error: the difference of Spearman's correlation of two numbers, from 0 to 2, else of
        Cramer's V, numbers in eight bins of equal counts, from 0 to 1.
    target : the column that is predicted from the others; "" for none.
    from_drawn, from_real : how well a forest trained on drawn, and on real rows predicts it in held-out rows: the area
        under the ROC curve, the mean over classes; R^2 of numbers.
    detection : the area under the ROC curve of a forest that tells drawn rows from training rows, cross-validated, of
        at most 2,000 each: 0.5 is a coin, 1 never wrong.
    distance : the median distance of drawn rows to the closest training row, relative to that of held-out rows: below
        1 they are closer to the training rows than new real rows are. Numbers by their rank, categories 0 or 1.
    copies, copies_held_out : the share of drawn, and of held-out rows that equal a training row in every column.
    n_rows : drawn rows measured.
    """

    columns: dict[str, float]
    pairs: dict[tuple[str, str], float]
    target: str
    from_drawn: float
    from_real: float
    detection: float
    distance: float
    copies: float
    copies_held_out: float
    n_rows: int

    @property
    def column_error(self) -> float:
        """The mean over columns."""
        return _mean(self.columns.values())

    @property
    def pair_error(self) -> float:
        """The mean over pairs."""
        return _mean(self.pairs.values())

    def figures(self) -> dict[str, float]:
        """One number each, by name; NaN for what could not be measured."""
        return {
            "column_error": self.column_error,
            "pair_error": self.pair_error,
            "detection": self.detection,
            "from_drawn": self.from_drawn,
            "from_real": self.from_real,
            "distance": self.distance,
            "copies": self.copies,
            "copies_held_out": self.copies_held_out,
        }


# figure -> what it is, and what is best
MEANINGS = {
    "column_error": "mean over columns: Kolmogorov-Smirnov distance, or total variation of categories; 0 is best",
    "pair_error": "mean over pairs of columns: difference of rank correlation, or of Cramer's V; 0 is best",
    "detection": "two-sample AUC of a random forest between generated and real rows; 0.5 is chance, 1 is no mistake",
    "from_drawn": "AUC (R^2 of numbers) of the target in real rows, by a random forest trained on generated rows",
    "from_real": "the same for a random forest trained on as many real rows",
    "distance": "median distance to the closest training row, relative to held-out rows; below 1 suggests copying",
    "copies": "share of generated rows that equal a training row in every column",
    "copies_held_out": "the same for held-out rows",
}


def measure_synthesis(
    real: ArrayLike,
    drawn: ArrayLike,
    held_out: ArrayLike,
    categorical: ArrayLike,
    names: Sequence[str],
    target: str | None = None,
    seed: int = 0,
) -> Synthesis:
    """Figures of drawn rows.

    What is missing in real rows is filled in with other values of its column, drawn at random, but for the errors of
    columns and pairs, where it does not count: models draw whole rows. At most 5,000 rows of each kind are used.

    Parameters
    ----------
    real, drawn, held_out : (N, D), (M, D), (K, D).
    categorical : (D,) bool: columns whose values are names, two values among them.
    names : (D,) of the columns; those that never change in `real` are left out.
    target : the column to predict; None takes the last categorical one of at most 20 values, if there is one.

    Raises
    ------
    ValueError : for a target that is not a column that changes, and rows of different widths.
    """
    rng = np.random.default_rng(seed)
    tables = [_some(rows, rng) for rows in (real, drawn, held_out)]
    if len({rows.shape[1] for rows in tables} | {len(names)}) > 1:
        raise ValueError(f"rows of shapes {[rows.shape for rows in tables]} for {len(names)} columns: give one table.")
    varies = np.array([len(np.unique(column[np.isfinite(column)])) > 1 for column in tables[0].T])
    kept = np.flatnonzero(varies)
    named = [str(names[i]) for i in kept.tolist()]
    if target is not None and target not in named:
        raise ValueError(f"target={target!r} is not a column that changes; those are {', '.join(named)}")
    train, made, test = (rows[:, kept] for rows in tables)
    categories = np.asarray(categorical, dtype=bool)[kept]
    full = [_filled(rows, train, rng) for rows in (train, made, test)]
    place = named.index(target) if target is not None else _default_target(train, categories)
    from_drawn = from_real = math.nan
    if place is not None and len(kept) > 1:
        size = min(len(full[0]), len(full[1]))
        from_drawn, from_real = (
            _predicted(rows[:size], full[2], place, bool(categories[place]), seed) for rows in (full[1], full[0])
        )
    distance, copies, copies_held_out = _closest(full[0], full[1], full[2], categories, rng)
    return Synthesis(
        columns={
            name: _total_variation(a, b) if is_named else _kolmogorov_smirnov(a, b)
            for name, is_named, a, b in zip(named, categories, train.T, made.T, strict=True)
        },
        pairs=_pair_errors(train, made, categories, named),
        target="" if place is None else named[place],
        from_drawn=from_drawn,
        from_real=from_real,
        detection=_detection(full[0], full[1], seed),
        distance=distance,
        copies=copies,
        copies_held_out=copies_held_out,
        n_rows=len(made),
    )


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _some(rows: ArrayLike, rng: np.random.Generator) -> Floats:
    values = np.asarray(rows, dtype=np.float64)
    values = np.where(np.isinf(values), np.nan, values)
    return values if len(values) <= MAX_ROWS else values[np.sort(rng.permutation(len(values))[:MAX_ROWS])]


def _filled(rows: Floats, train: Floats, rng: np.random.Generator) -> Floats:
    filled = rows.copy()
    for column, known in zip(filled.T, train.T, strict=True):
        missing = np.isnan(column)
        column[missing] = rng.choice(known[~np.isnan(known)], missing.sum())
    return filled


def _default_target(train: Floats, categories: NDArray[np.bool_]) -> int | None:
    few = [i for i in np.flatnonzero(categories).tolist() if len(np.unique(train[:, i])) <= MAX_CLASSES]
    return few[-1] if few else None


def _kolmogorov_smirnov(a: Floats, b: Floats) -> float:
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return math.nan
    at = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


def _total_variation(a: Floats, b: Floats) -> float:
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if not len(a) or not len(b):
        return math.nan
    levels = np.union1d(a, b)
    shares = [np.bincount(np.searchsorted(levels, v), minlength=len(levels)) / len(v) for v in (a, b)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _pair_errors(
    train: Floats, made: Floats, categories: NDArray[np.bool_], names: list[str]
) -> dict[tuple[str, str], float]:
    from scipy.stats import rankdata

    def ranks(column: Floats) -> Floats:
        return np.asarray(rankdata(column, nan_policy="omit"), dtype=np.float64)

    cuts = [np.unique(np.nanquantile(c, np.arange(1, BINS) / BINS)) for c in train.T]
    tables = []
    for rows in (train, made):
        numbers = np.stack([ranks(column) for column in rows.T], 1)
        codes = np.stack(
            [c if n else np.where(np.isnan(c), np.nan, np.searchsorted(cut, c, "left")) for c, n, cut in
             zip(rows.T, categories, cuts, strict=True)], 1,
        )  # fmt: skip
        tables.append((numbers, codes))
    found = {}
    places = np.unique(np.linspace(0, len(names) - 1, min(len(names), MAX_PAIRED)).round().astype(int)).tolist()
    for j, i in itertools.combinations(places, 2):
        measure, which = (_cramers_v, 1) if categories[i] or categories[j] else (_correlation, 0)
        real, drawn = (measure(table[which][:, i], table[which][:, j]) for table in tables)
        found[names[j], names[i]] = abs(real - drawn)
    return found


def _correlation(a: Floats, b: Floats) -> float:
    known = ~(np.isnan(a) | np.isnan(b))
    if not known.any():
        return 0.0
    a, b = (column[known] - column[known].mean() for column in (a, b))
    scale = math.sqrt(float((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def _cramers_v(a: Floats, b: Floats) -> float:
    """sqrt(chi^2 / (n (k - 1))), with k values of the column that has fewer."""
    known = ~(np.isnan(a) | np.isnan(b))
    levels_a, of_a = np.unique(a[known], return_inverse=True)
    levels_b, of_b = np.unique(b[known], return_inverse=True)
    fewer = min(len(levels_a), len(levels_b))
    if fewer < 2:
        return 0.0
    counts = np.zeros((len(levels_a), len(levels_b)))
    np.add.at(counts, (of_a, of_b), 1.0)
    n = counts.sum()
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / n
    return math.sqrt(float((np.square(counts - expected) / expected).sum()) / (n * (fewer - 1)))


def _predicted(train: Floats, test: Floats, target: int, named: bool, seed: int) -> float:
    """How well a forest predicts a column of held-out rows from the others."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.metrics import r2_score, roc_auc_score

    x, y = np.delete(train, target, 1), train[:, target]
    x_test, y_test = np.delete(test, target, 1), test[:, target]
    if len(np.unique(y_test)) < 2:
        return math.nan
    if not named:
        forest = RandomForestRegressor(TREES, min_samples_leaf=MIN_LEAF, random_state=seed, n_jobs=1)
        return float(r2_score(y_test, forest.fit(x, y).predict(x_test)))
    classifier = RandomForestClassifier(TREES, min_samples_leaf=MIN_LEAF, random_state=seed, n_jobs=1)
    probability = classifier.fit(x, y).predict_proba(x_test)
    of_class = dict(zip(classifier.classes_.tolist(), probability.T, strict=True))
    unknown = np.zeros(len(y_test))
    classes = np.unique(y_test)[-1:] if len(np.unique(y_test)) == 2 else np.unique(y_test)
    return float(np.mean([roc_auc_score(y_test == c, of_class.get(c, unknown)) for c in classes.tolist()]))


def _detection(train: Floats, made: Floats, seed: int) -> float:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    size = min(len(train), len(made), MAX_DETECTED)
    if size < 20:
        return math.nan
    x, y = np.concatenate([train[:size], made[:size]]), np.repeat([0, 1], size)
    forest = RandomForestClassifier(TREES, min_samples_leaf=MIN_LEAF, random_state=seed, n_jobs=1)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return float(roc_auc_score(y, cross_val_predict(forest, x, y, cv=folds, method="predict_proba")[:, 1]))


def _closest(
    train: Floats, made: Floats, test: Floats, categories: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[float, float, float]:
    """Median distance to the closest training row relative to that of held-out rows; shares of equal rows."""
    from sklearn.neighbors import NearestNeighbors

    def placed(rows: Floats) -> Floats:  # so that the city-block distance is a sum of differences of at most 1
        parts = []
        for column, of_train, named in zip(rows.T, train.T, categories, strict=True):
            if named:
                parts.append((column[:, None] == np.unique(of_train)) / 2)
            else:
                ordered = np.sort(of_train)
                middle = np.searchsorted(ordered, column, "left") + np.searchsorted(ordered, column, "right")
                parts.append(middle[:, None] / (2 * len(ordered)))
        return np.concatenate(parts, axis=1)

    neighbours = NearestNeighbors(n_neighbors=1, metric="manhattan", algorithm="brute").fit(placed(train))
    of_rows = []
    known = {row.tobytes() for row in train}
    copies = []
    for rows in (made, test):
        some = rows[rng.permutation(len(rows))[:MAX_DISTANCES]]
        of_rows.append(float(np.median(neighbours.kneighbors(placed(some))[0])))
        copies.append(float(np.mean([row.tobytes() in known for row in rows])))
    ratio = of_rows[0] / of_rows[1] if of_rows[1] > 0 else math.nan
    return ratio, copies[0], copies[1]
