"""Imputation: three real mixed tables with 20 % of their cells hidden, beside column means, KNN and IterativeImputer.

    python benchmarks/imputation.py --seeds 3

Tables: NSL-KDD (41 columns, three of text and some binary), ADBench's annthyroid and cardio, and scikit-learn's wine.
Cells are hidden completely at random; every method is fitted on, and fills in, the same incomplete table. The error of
numeric cells is the root mean square over hidden cells in units of the column's standard deviation; of categorical
cells, the share filled in wrongly (rivals see categories one-hot and answer with the largest).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings

import numpy as np
import pyarrow as pa
from sklearn.datasets import load_wine
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from hourglass import Embedder, datasets
from hourglass.variants import AE, VAE, Masking

Column = np.ndarray


def tables(rows: int) -> dict[str, dict[str, Column]]:
    import os
    from pathlib import Path

    found: dict[str, dict[str, Column]] = {}
    kdd = datasets.load("nsl_kdd").X
    some = np.sort(np.random.default_rng(0).permutation(kdd.num_rows)[:rows])
    found["nsl_kdd"] = columns_of(kdd.take(pa.array(some)))
    for name in ("2_annthyroid", "6_cardio"):
        X = np.load(Path(os.environ["HOURGLASS_DATA"]) / f"tabular/adbench/{name}.npz")["X"][:rows]
        found[name.partition("_")[2]] = {f"x{i}": X[:, i].astype(float) for i in range(X.shape[1])}
    wine = load_wine().data
    found["wine"] = {f"x{i}": wine[:, i] for i in range(wine.shape[1])}
    return {name: {c: v for c, v in table.items() if len(set(v.tolist())) > 1} for name, table in found.items()}


def columns_of(table: pa.Table) -> dict[str, Column]:
    out: dict[str, Column] = {}
    for name in table.column_names:
        values = table.column(name).to_pylist()
        out[name] = np.array(values, dtype=object if isinstance(values[0], str) else float)
    return out


def one_hot(columns: dict[str, Column]) -> tuple[np.ndarray, dict[str, tuple[int, list[str]]]]:
    """Standardised numbers and one-hot categories, NaN where hidden; where each column begins, and its categories."""
    parts, places, at = [], {}, 0
    for name, values in columns.items():
        if values.dtype == object:
            levels = sorted({v for v in values if v is not None})
            block = np.array([[np.nan] * len(levels) if v is None else [float(v == c) for c in levels] for v in values])
        else:
            levels = []
            block = values[:, None]
        parts.append(block)
        places[name] = (at, levels)
        at += block.shape[1]
    return np.hstack(parts), places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--share", type=float, default=0.2)
    options = parser.parse_args()
    for name, whole in tables(options.rows).items():
        scale = {n: float(np.std(v)) for n, v in whole.items() if v.dtype != object}
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            rng = np.random.default_rng(seed)
            hidden = {n: rng.random(len(v)) < options.share for n, v in whole.items()}
            holed = {
                n: np.where(hidden[n], None if v.dtype == object else np.nan, v) for n, v in whole.items()
            }  # fmt: skip
            for method, fill in METHODS.items():
                started = time.perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    filled = fill(holed, seed)
                seconds = time.perf_counter() - started
                squares = [np.square((filled[n] - whole[n])[hidden[n]] / scale[n]) for n in scale]
                wrong = [(filled[n] != whole[n])[hidden[n]] for n in whole if n not in scale]
                row = {"table": name, "method": method, "seed": seed}
                row["numeric_error"] = round(float(np.sqrt(np.concatenate(squares).mean())), 4)
                row["categorical_error"] = round(float(np.concatenate(wrong).mean()), 4) if wrong else None
                print(json.dumps({**row, "seconds": round(seconds, 1)}), flush=True)


def hourglass(recipe: object, **more: object):
    def fill(columns: dict[str, Column], seed: int) -> dict[str, Column]:
        table = pa.table({n: pa.array(v, from_pandas=True) for n, v in columns.items()})
        filled = Embedder(recipe=recipe, random_state=seed, n_threads=1, **more).fit(table).impute(table)
        return {n: np.array(filled.column(n).to_pylist(), dtype=columns[n].dtype) for n in columns}

    return fill


def rival(imputer):
    def fill(columns: dict[str, Column], seed: int) -> dict[str, Column]:
        X, places = one_hot(columns)
        scale = np.nanstd(X, axis=0)
        scale[scale == 0] = 1
        centre = np.nanmean(X, axis=0)
        made = imputer(seed).fit_transform((X - centre) / scale) * scale + centre
        out: dict[str, Column] = {}
        for name, (at, levels) in places.items():
            if levels:
                chosen = np.array(levels, dtype=object)[made[:, at : at + len(levels)].argmax(1)]
                out[name] = np.where(columns[name] == None, chosen, columns[name])  # noqa: E711
            else:
                out[name] = made[:, at]
        return out

    return fill


METHODS = {
    "column mean": rival(lambda seed: SimpleImputer()),
    "KNNImputer": rival(lambda seed: KNNImputer()),
    "IterativeImputer": rival(lambda seed: IterativeImputer(random_state=seed)),
    "hourglass VAE": hourglass("vae"),
    "hourglass AE": hourglass("ae"),
    "hourglass AE, masking": hourglass(AE.with_corruption(Masking(0.2))),
    "hourglass VAE, masking": hourglass(VAE.with_corruption(Masking(0.2))),
}

if __name__ == "__main__":
    main()
