"""Rows per second of `score_samples` on NSL-KDD's 41 columns, with one thread and with two.

    python benchmarks/scoring_speed.py --repeats 5

A model of the default sizes is fitted for two epochs to 20,000 rows (what its weights are does not matter to its speed)
and scores the whole training part. The median and the best of the repeats are printed, of the clock and of the
processor's own time: the latter says what an idle machine would do. `reading` is the share of the time that goes into
turning the table into numbers.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings

import numpy as np

from hourglass import Embedder, datasets


def rows_per_second(model: Embedder, X, repeats: int) -> dict[str, float]:
    clock, processor = [], []
    for _ in range(repeats):
        started, began = time.perf_counter(), time.process_time()
        model.score_samples(X)
        clock.append(X.num_rows / (time.perf_counter() - started))
        processor.append(X.num_rows / (time.process_time() - began))
    return {
        "rows_per_second": round(float(np.median(clock))),
        "best": round(max(clock)),
        "rows_per_processor_second": round(float(np.median(processor))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000, help="to fit to")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    X = datasets.load("nsl_kdd").X
    for recipe in ("vae", "ae"):
        model = Embedder(recipe=recipe, max_epochs=2, verbose=False, random_state=0).fit(X.slice(0, options.rows))
        for n in options.threads:
            model.set_params(n_threads=n)
            model.score_samples(X.slice(0, 5_000))
            row = rows_per_second(model, X, options.repeats)
            started = time.perf_counter()
            model.modality_.examples(X)
            reading = (time.perf_counter() - started) / (X.num_rows / row["rows_per_second"])
            print(json.dumps({"recipe": recipe, "threads": n, **row, "reading": round(reading, 2)}), flush=True)


if __name__ == "__main__":
    main()
