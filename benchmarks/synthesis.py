"""Drawn rows: real mixed tables imitated by Hourglass, by shuffled columns, a Gaussian copula and TVAE.

    python benchmarks/synthesis.py --seeds 3

Tables: adult, bank marketing, german credit and online shoppers ($HOURGLASS_DATA/tabular/mixed), and NSL-KDD. A fifth
of the rows, at most `--rows` / 4, is held out; every method is fitted to the same rows and draws as many. What the
figures mean says `hourglass.diagnostics.synthesis`. TVAE is that of the package ctgan with its defaults, in an
environment of its own (`rivals/environment.py`); `--skip tvae` leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from hourglass import Embedder, datasets
from hourglass.diagnostics.synthesis import measure_synthesis
from hourglass.modalities import Tables
from hourglass.views import view_of

HERE = Path(__file__).resolve().parent
MIXED = ("adult", "bank_marketing", "german_credit", "online_shoppers")


def table(name: str, rows: int) -> pd.DataFrame:
    if name == "nsl_kdd":
        whole = datasets.load("nsl_kdd").X.to_pandas()
    else:
        whole = pd.read_csv(Path(os.environ["HOURGLASS_DATA"]) / f"tabular/mixed/{name}.csv", skipinitialspace=True)
    order = np.random.default_rng(0).permutation(len(whole))[: rows + rows // 4]
    return whole.iloc[order].reset_index(drop=True)


def ours(marginals: str, **options: object):
    def draw(train: pd.DataFrame, seed: int) -> pd.DataFrame:
        key = (len(train), tuple(train.columns), seed, repr(options))
        if key not in FITTED:
            FITTED[key] = Embedder(random_state=seed, n_threads=1, **options).fit(train)
        return FITTED[key].sample(len(train), marginals=marginals, random_state=seed)

    return draw


FITTED: dict[tuple, Embedder] = {}  # one fit for both ways to draw


def shuffled(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: column.to_numpy()[rng.permutation(len(train))] for name, column in train.items()})


def copula(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A Gaussian copula: ranks as normal scores (ties, and categories by frequency, at random within their ranks)."""
    rng = np.random.default_rng(seed)
    scores, ordered = [], {}
    for name, column in train.items():
        codes = column.to_numpy()
        if column.dtype == object or column.dtype == bool:
            order = {value: place for place, value in enumerate(column.value_counts().index)}
            codes = column.map(order).to_numpy()
        at = np.argsort(codes, kind="stable")
        ordered[name] = column.to_numpy()[at]
        jitter = rng.permutation(len(codes))
        ranks = np.empty(len(codes))
        ranks[jitter] = rankdata(codes[jitter], method="ordinal")
        scores.append(norm.ppf((ranks - 0.5) / len(codes)))
    correlation = np.corrcoef(np.stack(scores))
    normal = rng.multivariate_normal(np.zeros(len(scores)), correlation, len(train))
    places = (norm.cdf(normal) * len(train)).astype(int).clip(max=len(train) - 1)
    return pd.DataFrame({name: ordered[name][places[:, i]] for i, name in enumerate(train)})


def tvae(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    sys.path.insert(0, str(HERE / "rivals"))
    from environment import python_of

    with tempfile.TemporaryDirectory() as folder:
        data, drawn = Path(folder) / "train.csv", Path(folder) / "drawn.csv"
        train.to_csv(data, index=False)
        names = [n for n in train if train[n].dtype in (object, bool) or train[n].nunique() <= 2]
        script = HERE / "rivals" / "ctgan_tvae.py"
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = [python_of("ctgan"), script, data, drawn, str(seed), *names]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        return pd.read_csv(drawn).astype(dict(train.dtypes))


METHODS = {
    "hourglass": ours("data"),
    "hourglass, marginals of the model": ours("model"),
    "shuffled columns": shuffled,
    "Gaussian copula": copula,
    "tvae": tvae,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5000, help="to train on, at most")
    parser.add_argument("--tables", nargs="+", default=[*MIXED, "nsl_kdd"])
    parser.add_argument("--skip", nargs="*", default=[])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.tables:
        whole = table(name, options.rows)
        n_train = len(whole) * 4 // 5
        train, test = whole[:n_train].reset_index(drop=True), whole[n_train:].reset_index(drop=True)
        kind = Tables().infer(train)
        view = view_of(kind)
        real, held_out = view(train), view(test)
        for seed in range(options.seeds):
            for method, draw in METHODS.items():
                if method in options.skip:
                    continue
                started = time.perf_counter()
                drawn = view(draw(train, seed))
                seconds = time.perf_counter() - started
                found = measure_synthesis(real.values, drawn.values, held_out.values, real.named, real.names, seed=seed)
                figures = {key: round(value, 4) for key, value in found.figures().items()}
                row = {"table": name, "method": method, "seed": seed, "target": found.target, **figures}
                print(json.dumps({**row, "seconds": round(seconds, 1)}), flush=True)


if __name__ == "__main__":
    main()
