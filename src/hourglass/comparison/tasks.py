"""What the models of a comparison are for, and the figures that only some tasks have."""

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


def imitation(estimator: Embedder, train: Split, test: Split) -> tuple[dict[str, float], dict[str, float]]:
    """Figures of as many drawn rows as there are to train on, and of training rows with every column shuffled."""
    view = view_of(estimator.modality_)
    assert view is not None
    real, held_out = view(train.X), view(test.X).values
    n = len(real)
    drawn = view(estimator.sample(n, condition=train.condition, random_state=estimator.seed_)).values
    rng = np.random.default_rng(0)
    apart = np.stack([column[rng.permutation(n)] for column in real.values.T], axis=1)
    of_drawn, of_apart = (
        measure_synthesis(real.values, rows, held_out, real.named, real.names).figures() for rows in (drawn, apart)
    )
    return of_drawn, of_apart
