"""A stream of ten million rows through a detector: memory, rows per second, and the same scores as in one piece.

    python benchmarks/long_stream.py --rows 10000000 --threads 2

A made-up table of eight columns, 1 % of them anomalies; learned from are 50,000 normal rows. The stream is scored in
chunks of 10,000 with p-values, alarms and reasons (`Detector.score_stream`). Printed are the resident memory after a
tenth, a half and all of the rows, and the largest difference between the scores of the first 100,000 rows in chunks and
those of the same rows handed in at once.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np

from hourglass import Detector

CHUNK, LEARNED, COMPARED = 10_000, 50_000, 100_000


def rows(n: int, seed: int, odd: float = 0.01) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8))
    x[:, 4:] = x[:, :4] @ np.random.default_rng(0).normal(size=(4, 4)) + 0.1 * x[:, 4:]
    anomalies = rng.random(n) < odd
    x[anomalies, 4:] += 4.0 * rng.normal(size=(int(anomalies.sum()), 4))
    return x


def resident() -> float:
    """MiB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    detector = Detector(max_epochs=arguments.epochs, random_state=0, n_threads=arguments.threads)
    detector.fit(rows(LEARNED, 1, odd=0.0))
    n_chunks = arguments.rows // CHUNK
    stream = (rows(CHUNK, 2 + i) for i in range(n_chunks))
    first: list[np.ndarray] = []
    began, alarms, memory = time.perf_counter(), 0, {}
    for i, found in enumerate(detector.score_stream(stream), start=1):
        if i * CHUNK <= COMPARED:
            first.append(found.score)
        alarms += int(found.alarm.sum())
        if i in (max(1, n_chunks // 10), max(1, n_chunks // 2), n_chunks):
            memory[i * CHUNK] = resident()
    seconds = time.perf_counter() - began
    whole = -detector.score_samples(np.concatenate([rows(CHUNK, 2 + i) for i in range(len(first))]))
    print(f"{n_chunks * CHUNK:,} rows, {n_chunks * CHUNK / seconds:,.0f} rows/s with reasons; {alarms:,} alarms")
    print("resident MiB:", {f"{n:,}": round(mib, 1) for n, mib in memory.items()})
    print(f"largest difference to one piece: {np.abs(np.concatenate(first) - whole).max():.2g}")
    large = rows(COMPARED * 5, 1)
    began = time.perf_counter()
    detector.score_samples(large)
    print(f"scores alone: {len(large) / (time.perf_counter() - began):,.0f} rows/s")


if __name__ == "__main__":
    main()
