"""Whether the false-alarm rate of a detector lies where it says: 200 random splits of the normal rows of three tables.

    python benchmarks/false_alarm_rates.py

A detector is trained on a third of the normal rows. The others are split 200 times into rows to calibrate on and new
ones, whose share of alarms is compared with the interval that the calibration gives for as many (beta-binomial).
`inside` is how often it lies in the interval of 90 %, which it must in 0.9 of splits less two standard errors (0.858).

Data: Han et al. 2022, ADBench, arXiv:2206.09426 (`$HOURGLASS_DATA/tabular/adbench`).
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from pathlib import Path

import numpy as np

from hourglass import Detector
from hourglass.detection.calibration import Calibration

SETS = ("23_mammography", "28_pendigits", "32_shuttle")
SPLITS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.01, 0.05])
    parser.add_argument("--calibration", type=int, default=500)
    parser.add_argument("--max-epochs", type=int)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.sets:
        with np.load(Path(os.environ["HOURGLASS_DATA"]) / f"tabular/adbench/{name}.npz") as file:
            X = file["X"][file["y"] == 0].astype(np.float64)
        X = X[np.random.default_rng(0).permutation(len(X))]
        n = len(X) // 3
        detector = Detector(max_epochs=arguments.max_epochs, random_state=0, n_threads=1).fit(X[:n])
        scores = -detector.score_samples(X[n:])
        for rate in arguments.rates:
            realised, inside = [], []
            for split in range(SPLITS):
                order = np.random.default_rng(split).permutation(len(scores))
                known, new = scores[order[: arguments.calibration]], scores[order[arguments.calibration :]]
                calibration = Calibration.fit(known, rate)
                low, high = calibration.realised_in(len(new), 0.9)
                realised.append(float((new > calibration.threshold).mean()))
                inside.append(low <= realised[-1] <= high)
            line = {"set": name, "new": len(scores) - arguments.calibration, "rate": rate}
            line |= {"mean": round(float(np.mean(realised)), 5), "inside": round(float(np.mean(inside)), 3)}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
