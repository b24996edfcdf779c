"""Imputation of rows unseen at fit: six real tables, three kinds of missingness, compared with four kinds of rivals.

    python benchmarks/imputation_tables.py --seeds 3 > found.jsonl
    python benchmarks/imputation_tables.py --ranks found.jsonl

Tables: adult, bank marketing, german credit and online shoppers ($HOURGLASS_DATA/tabular/mixed), ADBench's letter, and
scikit-learn's breast cancer; at most `--rows` rows, of which a third is held out. Every method is fitted on the other
rows, with their missing cells, and fills in the held-out ones. `--validate` does the same within the rows to fit on, so
that settings can be chosen without a look at the held-out rows.

Cells are hidden at random ("random"); given other columns, a third of which are never hidden ("at_random"); or by their
own value ("not_at_random"); each column that is hidden from loses `--shares` of its cells. `number_error` is the root
mean square error in units of the column's standard deviation, `category_error` the share of wrong categories; each is
the mean over columns; a number with two values counts as a category. `coverage` is the share of hidden numbers in the
range of 90 %. Rivals see categories one-hot, except the trees, which see and predict them as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from imputation import rival
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from hourglass import Embedder

MIXED = ("adult", "bank_marketing", "german_credit", "online_shoppers")
TABLES = (*MIXED, "letter", "breast_cancer")
WAYS = ("random", "at_random", "not_at_random")
ALWAYS_KNOWN = 1 / 3  # of the columns, where cells go missing given other columns
STEEPNESS = 2.0  # of the log-odds of a missing cell, per standard deviation of what decides


def table(name: str, rows: int) -> pd.DataFrame:
    """Texts as objects, numbers as floats, constant columns left out."""
    data = Path(os.environ["HOURGLASS_DATA"]) / "tabular"
    if name in MIXED:
        whole = pd.read_csv(data / f"mixed/{name}.csv", skipinitialspace=True, na_values=["?"])
    elif name == "letter":
        whole = pd.DataFrame(np.load(data / "adbench/20_letter.npz")["X"]).add_prefix("x")
    else:
        whole = pd.DataFrame(load_breast_cancer().data).add_prefix("x")
    some = whole.iloc[np.random.default_rng(0).permutation(len(whole))[:rows]].reset_index(drop=True)
    columns = {n: v.astype(float) if is_number(v) else v.map(str, na_action="ignore") for n, v in some.items()}
    frame = pd.DataFrame({n: v if is_number(v) else v.astype(object) for n, v in columns.items()})
    return frame.loc[:, frame.nunique() > 1]


def is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def hidden_cells(frame: pd.DataFrame, way: str, share: float, rng: np.random.Generator) -> np.ndarray:
    """(N, D) bool."""
    if way == "random":
        return rng.random(frame.shape) < share
    scores = np.stack([_scores(column, rng) for _, column in frame.items()], axis=1)
    known = np.zeros(frame.shape[1], dtype=bool)
    if way == "at_random":
        known[rng.permutation(len(known))[: max(1, round(ALWAYS_KNOWN * len(known)))]] = True
    hidden = np.zeros(frame.shape, dtype=bool)
    for i in np.flatnonzero(~known):
        decides = scores[:, i] * rng.choice([-1, 1])
        if way == "at_random":
            decides = scores[:, known] @ rng.normal(size=known.sum())
        decides = STEEPNESS * decides / max(decides.std(), 1e-9)
        hidden[:, i] = rng.random(len(frame)) < _chances(decides, share)
    return hidden


def _scores(column: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """A column as standardised ranks of numbers, or an effect of each category."""
    if is_number(column):
        scores = rankdata(column.fillna(column.median()))
    else:
        codes, levels = pd.factorize(column)  # -1 for missing, the last of the effects
        scores = rng.normal(size=len(levels) + 1)[codes]
    return (scores - scores.mean()) / max(scores.std(), 1e-9)


def _chances(log_odds: np.ndarray, share: float) -> np.ndarray:
    """Probabilities of that mean: the logistic function of the log-odds plus a constant, found by bisection."""
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        chances = 1 / (1 + np.exp(-log_odds - middle))
        low, high = (middle, high) if chances.mean() < share else (low, middle)
    return chances


def ours(recipe: str, **options: object) -> Callable:
    def fill(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> pd.DataFrame:
        model = Embedder(recipe=recipe, random_state=seed, n_threads=1, **options).fit(train)
        filled = model.impute(test)
        filled.attrs["range"] = model.impute(test, interval=0.9, random_state=seed)
        return filled

    return fill


def one_hot(imputer: Callable) -> Callable:
    """An imputer of scikit-learn, fitted on the rows of `train` alone."""

    def fill(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> pd.DataFrame:
        both = pd.concat([train, test])
        columns = {n: v.where(v.notna(), None if v.dtype == object else np.nan).to_numpy() for n, v in both.items()}
        filled = rival(lambda seed: _OfFirst(imputer(seed), len(train)))(columns, seed)
        return pd.DataFrame(filled)[len(train) :].reset_index(drop=True)

    return fill


class _OfFirst:
    """Fitted on the first rows, and fills in all of them."""

    def __init__(self, imputer: object, n: int) -> None:
        self.imputer, self.n = imputer, n

    def fit_transform(self, X: np.ndarray) -> np.ndarray:
        return self.imputer.fit(X[: self.n]).transform(X)


def trees(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Each column by trees from all others, in turn, three times (missForest, Stekhoven and Buehlmann 2012)."""
    parts = [train.copy(), test.copy()]
    categories = {n: sorted(v.dropna().unique()) for n, v in train.items() if v.dtype == object}
    for part in parts:
        for name, levels in categories.items():
            part[name] = pd.Categorical(part[name], levels).codes
            part[name] = part[name].astype(float).mask(part[name] < 0)
    missing = [part.isna() for part in parts]
    start = {n: v.mode().iloc[0] if n in categories else v.mean() for n, v in parts[0].items()}
    parts = [part.fillna(start) for part in parts]
    for turn in range(3):
        for name in train:
            kind = ExtraTreesClassifier if name in categories else ExtraTreesRegressor
            known = ~missing[0][name].to_numpy()
            model = kind(50, min_samples_leaf=2, random_state=seed + turn)
            model.fit(parts[0].drop(columns=name).to_numpy()[known], parts[0][name].to_numpy()[known])
            for part, absent in zip(parts, missing, strict=True):
                if (rows := absent[name].to_numpy()).any():
                    part.loc[rows, name] = model.predict(part.drop(columns=name).to_numpy()[rows])
    for name, levels in categories.items():
        parts[1][name] = np.array(levels, dtype=object)[parts[1][name].astype(int)]
    return parts[1]


METHODS: dict[str, Callable] = {
    "mean and mode": one_hot(lambda seed: SimpleImputer()),
    "KNNImputer": one_hot(lambda seed: KNNImputer()),
    "IterativeImputer": one_hot(lambda seed: IterativeImputer(random_state=seed)),
    "trees": trees,
    "ae": ours("ae"),
    "vae": ours("vae"),
    "ae Masking=0.2": ours("ae Masking=0.2"),
    "vae Masking=0.2": ours("vae Masking=0.2"),
}


def measure(filled: pd.DataFrame, whole: pd.DataFrame, hidden: np.ndarray, scale: pd.Series) -> dict[str, float | None]:
    numbers, categories, inside = [], [], []
    for i, (name, truth) in enumerate(whole.items()):
        rows = hidden[:, i] & truth.notna().to_numpy()
        if not rows.any():
            continue
        answer = filled[name].to_numpy()[rows]
        if name in scale and whole[name].nunique() == 2:
            ends = np.sort(whole[name].dropna().unique())
            categories.append(((answer > ends.mean()) != (truth[rows] > ends.mean())).mean())
        elif name in scale:
            numbers.append(np.sqrt(np.square((answer - truth[rows]) / scale[name]).mean()))
            if "range" in filled.attrs:
                low, high = (end[name].to_numpy()[rows] for end in filled.attrs["range"])
                inside += ((low <= truth[rows]) & (truth[rows] <= high)).tolist()
        else:
            categories.append((answer != truth[rows].to_numpy()).mean())
    return {
        "number_error": round(float(np.mean(numbers)), 4) if numbers else None,
        "category_error": round(float(np.mean(categories)), 4) if categories else None,
        "coverage": round(float(np.mean(inside)), 4) if inside else None,
    }


def ranks(path: Path) -> None:
    """The mean rank of each method over all cases that every method was measured on; its standard error is over tables,
    whose cases are alike."""
    rows = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    case = ["table", "way", "share"]
    for figure in ("number_error", "category_error"):
        means = rows.pivot_table(index=case, columns="method", values=figure).dropna()
        of_tables = means.rank(axis=1).groupby("table").mean()
        for method in of_tables.mean().sort_values().index:
            print(
                json.dumps(
                    {
                        "figure": figure,
                        "method": method,
                        "mean": round(float(means[method].mean()), 4),
                        "mean_rank": round(float(of_tables[method].mean()), 2),
                        "standard_error": round(float(of_tables[method].sem()), 2),
                        "cases": len(means),
                        "seconds": round(float(rows[rows.method == method].seconds.mean()), 1),
                    }
                )
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--tables", nargs="+", default=TABLES)
    parser.add_argument("--ways", nargs="+", default=WAYS)
    parser.add_argument("--shares", nargs="+", type=float, default=(0.2, 0.4))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--ranks", type=Path, help="a file of results, to be summed up")
    options = parser.parse_args()
    if options.ranks:
        return ranks(options.ranks)
    warnings.simplefilter("ignore")
    for name in options.tables:
        whole = table(name, options.rows)
        if options.validate:
            whole = whole[: len(whole) * 2 // 3]
        n = len(whole) * 2 // 3
        scale = whole[:n].std(numeric_only=True, ddof=0).replace(0, 1)
        for way in options.ways:
            for share in options.shares:
                for seed in range(options.seeds):
                    hidden = hidden_cells(whole, way, share, np.random.default_rng(seed))
                    holed = whole.mask(hidden)
                    train, test = holed[:n], holed[n:].reset_index(drop=True)
                    for method in options.methods:
                        fill = METHODS.get(method) or ours(method)
                        started = time.perf_counter()
                        filled = fill(train, test, seed)
                        seconds = round(time.perf_counter() - started, 1)
                        figures = measure(filled, whole[n:].reset_index(drop=True), hidden[n:], scale)
                        case = {"table": name, "way": way, "share": share, "seed": seed, "method": method}
                        print(json.dumps({**case, **figures, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
