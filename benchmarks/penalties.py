"""Normalised penalties fall as their weight grows: contraction and sparsity on held-out digits.

    python benchmarks/penalties.py --seeds 3

The figure is the penalty itself, relative to the code's own scale, on the rows that early stopping looked at; beside it
the relative reconstruction error, which is what the penalty costs.
"""

from __future__ import annotations

import argparse
import json
import statistics

from sklearn.datasets import load_digits

from hourglass import Embedder
from hourglass.variants import AE, contraction, l1, target_activation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args()
    X = load_digits().images
    for term in (contraction, l1, target_activation):
        for weight in (0.0, 0.1, 1.0, 10.0):
            penalties, errors = [], []
            for seed in range(options.seeds):
                model = Embedder(16, recipe=AE.with_term(term, weight), max_epochs=options.epochs, random_state=seed)
                model.fit(X)
                best = model.history_[model.summary_.best_epoch - 1]
                penalties.append(best["held_out"][term.name])
                errors.append(model.summary_.unexplained_variance)
            row = {"term": term.name, "weight": weight, "penalty": round(statistics.median(penalties), 4)}
            row |= {"all": [round(p, 4) for p in penalties]}
            row |= {"unexplained_variance": round(statistics.median(errors), 4)}
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
