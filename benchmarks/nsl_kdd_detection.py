"""Intrusions in network traffic: a detector trained on the normal rows of KDDTrain+, and what it finds in KDDTest+.

    python benchmarks/nsl_kdd_detection.py --seeds 1
    python benchmarks/nsl_kdd_detection.py --recipe "vae GaussianNoise=0.5" --n-latent 32 --max-epochs 40

Trained on the 67,343 normal rows of KDDTrain+, of which a tenth are kept apart to calibrate. Of every score: the area
under the ROC curve on KDDTest+ and on KDDTest-21, the share of normal test rows above the 1 % threshold of the rows
kept apart, F1 there, and F1 at a threshold that 1 % of the normal test rows exceed. `development` is the area for the
normal rows kept apart and 12,000 attacks of KDDTrain+. Beside them PCA, isolation forest and k-NN fitted to the stored

Data: Tavallaee et al. 2009 (`$HOURGLASS_DATA/tabular/nsl_kdd`).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from hourglass import Detector, datasets
from hourglass.readers import containers

ATTACKS = 12_000  # of KDDTrain+, for development


def test_21(names: tuple[str, ...]) -> tuple[dict[str, list[str]], np.ndarray]:
    """Columns as they are written, and labels, of KDDTest-21."""
    path = Path(os.environ["HOURGLASS_DATA"]) / "tabular/nsl_kdd/KDDTest-21.txt.gz"
    with gzip.open(path, "rt") as file:
        rows = [line.strip().split(",") for line in file if line.strip()]
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}, np.array([row[41] for row in rows])


def typed(columns: dict[str, list[str]], like) -> object:
    """Texts as the types of another table."""
    import pyarrow as pa

    return pa.table({n: pa.array(v).cast(like.schema.field(n).type) for n, v in columns.items()})


def f1(score: np.ndarray, attack: np.ndarray, threshold: float) -> float:
    alarm = score > threshold
    return 2 * float((alarm & attack).sum()) / float(alarm.sum() + attack.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--recipe", default="vae")
    parser.add_argument("--n-latent", type=int)
    parser.add_argument("--max-epochs", type=int)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    train, test = datasets.load("nsl_kdd"), datasets.load("nsl_kdd", "test")
    normal = containers.take(train.X, np.flatnonzero(train.labels == "normal"))
    attacks = np.random.default_rng(0).choice(np.flatnonzero(train.labels != "normal"), ATTACKS, replace=False)
    columns, labels_21 = test_21(tuple(test.X.column_names))
    X_21 = typed(columns, test.X)
    for seed in arguments.seeds:
        started = time.perf_counter()
        detector = Detector(
            arguments.n_latent, recipe=arguments.recipe, max_epochs=arguments.max_epochs, random_state=seed,
            n_threads=arguments.threads,
        ).fit(normal)  # fmt: skip
        seconds = time.perf_counter() - started
        fit = {"recipe": arguments.recipe, "n_latent": detector.n_latent_, "seed": seed}
        print(json.dumps({**fit, "epochs": detector.summary_.epochs, "seconds": round(seconds)}), flush=True)
        # the rows kept apart are the first of this permutation
        apart = np.random.default_rng((detector.seed_, 4)).permutation(len(normal))[: len(detector.calibration_)]
        sets = {
            "normal": containers.take(normal, apart),
            "attacks": containers.take(train.X, attacks),
            "test": test.X,
            "test_21": X_21,
        }
        parts = {name: detector.parts(X) for name, X in sets.items()}
        scores = {"default": tuple(parts["test"])} | {n: (n,) for n in parts["test"]}
        scores |= {"network": ("residuals", "codes", "mahalanobis"), "encoder": ("codes", "mahalanobis")}
        found = {
            name: {which: sum(of[member] for member in members) for which, of in parts.items()}
            for name, members in scores.items()
        }
        baselines = {which: detector.baseline_scores(X) for which, X in sets.items()}
        found |= {name: {which: baselines[which][name] for which in sets} for name in baselines["test"]}
        attack, attack_21 = test.labels != "normal", labels_21 != "normal"
        for name, score in found.items():
            both = np.concatenate([score["normal"], score["attacks"]])
            threshold = float(np.quantile(score["normal"], 0.99))
            line = {
                "score": name,
                "development": roc_auc_score(np.arange(len(both)) >= len(score["normal"]), both),
                "auroc": roc_auc_score(attack, score["test"]),
                "auroc_21": roc_auc_score(attack_21, score["test_21"]),
                "realised_rate": float((score["test"][~attack] > threshold).mean()),
                "f1": f1(score["test"], attack, threshold),
                "f1_at_true_1%": f1(score["test"], attack, float(np.quantile(score["test"][~attack], 0.99))),
            }
            print(json.dumps({k: v if isinstance(v, str) else round(float(v), 4) for k, v in line.items()}), flush=True)
        alarm = detector.predict(test.X) < 0
        service = np.array(test.X.column("service").to_pylist())
        false = {s: int((alarm & ~attack & (service == s)).sum()) for s in np.unique(service[~attack])}
        worst = dict(sorted(false.items(), key=lambda pair: -pair[1])[:5])
        given = detector.given(test.X)
        times = []
        for _ in range(3):
            started = time.perf_counter()
            detector.scoring.parts(given)
            times.append(time.perf_counter() - started)
        last = {"false_alarms_by_service": worst, "rows_per_second": round(len(given.rows) / min(times))}
        print(json.dumps(last), flush=True)


if __name__ == "__main__":
    main()
