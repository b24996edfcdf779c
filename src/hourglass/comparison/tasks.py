"""What the models of a comparison are for, and the figures that only one of these tasks has."""

from __future__ import annotations

import numpy as np

from hourglass.comparison.evaluation import Split
from hourglass.diagnostics.synthesis import measure_synthesis
from hourglass.estimators import Embedder
from hourglass.modalities import Modality
from hourglass.views import view_of

SYNTHESISE = "synthesise"
TASKS = ("reconstruct", SYNTHESISE)


def check_task(task: str, modality: Modality) -> None:
    """Raises ValueError for a task that is unknown, or not for such data."""
    if task not in TASKS:
        raise ValueError(f"task={task!r} is unknown; choose {' or '.join(map(repr, TASKS))}")
    if task == SYNTHESISE and not modality.columns:
        raise ValueError(f"task={task!r} compares the columns of a table, and {modality.noun}s have none")


def synthesis_figures(estimator: Embedder, train: Split, test: Split, independent: bool = False) -> dict[str, float]:
    """Figures of as many generated rows as there are to train on, as `Synthesis.figures` has them.

    `independent` shuffles every column of the training rows instead of asking the model: a baseline without a code.
    """
    view = view_of(estimator.modality_)
    assert view is not None  # a kind of data with columns has one
    real, held_out = view(train.X), view(test.X).values
    n = len(real)
    if independent:
        rng = np.random.default_rng(0)
        generated = np.stack([column[rng.permutation(n)] for column in real.values.T], axis=1)
    else:
        generated = view(estimator.sample(n, condition=train.condition, random_state=estimator.seed_)).values
    return measure_synthesis(real.values, generated, held_out, real.named, real.names).figures()
