"""What one fitted model does on the test data of a comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypedDict

from hourglass.diagnostics.summary import Figures, summarise
from hourglass.diagnostics.synthesis import MEANINGS
from hourglass.estimators import Embedder
from hourglass.estimators.conditions import condition_of_examples
from hourglass.randomness import seeded
from hourglass.training import Rows, threads


@dataclass(frozen=True)
class Split:
    """Data as the user has them, to train or to test on, and their condition, one per record."""

    X: Any
    condition: Any = None


def evaluate(estimator: Embedder, train: Split, test: Split) -> Figures:
    """Figures on the test data, with baselines fitted on the training data: one pass over each."""
    with seeded(estimator.seed_), threads(estimator.n_threads):
        return summarise(
            estimator.model_, _rows(estimator, train), _rows(estimator, test), estimator.modality_.noise_mask(),
            estimator.n_latent_,
        )  # fmt: skip


def _rows(estimator: Embedder, split: Split) -> Rows:
    examples = estimator.modality_.examples(split.X)
    return Rows(examples.raw, condition_of_examples(estimator.condition_, split.condition, examples), examples.index)


class Row(TypedDict):
    """One line of a comparison, as `compare.json` keeps it; None is what has no meaning."""

    recipe: str
    n_latent: int
    seed: int
    unexplained_variance: float | None
    unexplained_categories: float | None
    unexplained: float | None
    nats: float | None
    standard_error: float | None
    reconstruction: float | None
    rate: float | None
    active_units: int | None
    epochs: int | None
    ended: str | None
    seconds: float | None
    detection: float | None
    column_error: float | None
    pair_error: float | None
    from_drawn: float | None
    from_real: float | None
    distance: float | None
    copies: float | None
    copies_held_out: float | None


def rows_of(
    figures: Figures, estimator: Embedder, synthesis: dict[str, float], baseline_synthesis: dict[str, float]
) -> list[dict[str, Any]]:
    """The model's line of a comparison, and those of PCA with as many components and of predicting without a code.

    `synthesis` are the figures of rows that the model generates, `baseline_synthesis` those of independent columns;
    both are empty for tasks without them. What has no meaning (the KL of a deterministic code, PCA with as many
    components as columns) is None.
    """
    facts = estimator.summary_
    fit = {
        "unexplained_variance": figures.unexplained_variance,
        "unexplained_categories": figures.unexplained_categories,
        "unexplained": figures.unexplained,
        "nats": figures.objective,
        "standard_error": figures.gain_standard_error,
        "reconstruction": figures.reconstruction,
        "rate": figures.kl,
        "active_units": figures.active_units if figures.active_units >= 0 else None,
        "epochs": facts.epochs,
        "ended": facts.ended,
        "seconds": round(facts.seconds, 3),
        **{name: synthesis.get(name) for name in MEANINGS},
    }
    nothing: dict[str, Any] = dict.fromkeys(fit)
    pca = {"unexplained_variance": figures.pca_unexplained_variance}
    if not figures.n_categorical:
        pca["unexplained"] = figures.pca_unexplained_variance
    baseline = {
        "unexplained_variance": 1.0 if figures.n_numeric else None,
        "unexplained_categories": 1.0 if figures.n_categorical else None,
        "unexplained": 1.0,
        "nats": figures.baseline,
        "reconstruction": figures.baseline,
        **baseline_synthesis,
    }
    lines = [("baseline", 0, nothing | baseline)]
    if not math.isnan(figures.pca_unexplained_variance):
        lines.append(("pca", figures.n_latent, nothing | pca))
    lines.append(("", figures.n_latent, fit))
    return [{"recipe": name, "n_latent": size, "seed": 0} | _without_nan(line) for name, size, line in lines]


def _without_nan(line: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in line.items()}
