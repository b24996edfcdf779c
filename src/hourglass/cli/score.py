"""`hourglass score`: how normal every example is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.output import report_written
from hourglass.cli.results import write_rows


def score(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path,
    samples: int = 1,
    condition: str | None = None,
    part: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write how normal every example is: the column `score`, in nats; the lowest are the anomalies.

    For variational recipes a lower bound of log p(x), for the others log p(x | code).

    Parameters
    ----------
    run
        Folder of a fitted model.
    data
        As for `hourglass fit`; left out, the data the run was fitted on.
    out
        A .csv, .tsv, .parquet, .npy or .npz file.
    samples
        Samples of the code an example: more bring the bound of a variational recipe closer to log p(x).
    condition
        A column of DATA, a FILE, or "labels", where the model was fitted with a condition.
    part
        For named data sets: train, test or all.
    json
        Print what was written as JSON.
    """
    import numpy as np

    from hourglass import load

    estimator = load(run)
    all_scores: list[np.ndarray] = []
    names: list[str] = []

    def scored(given: inputs.Inputs) -> np.ndarray:
        scores = estimator.score_samples(given.X, condition=given.condition, n_samples=samples)
        all_scores.append(scores)
        names.extend(given.names or ())
        return scores[:, None]

    made = inputs.apply_in_chunks(scored, estimator, run, data, out, part=part, condition=condition)
    rows = write_rows(out, made, columns=["score"])
    scores = np.concatenate(all_scores)
    lowest = scores.argsort()[:3].tolist()
    named = [names[i] if names else f"row {i}" for i in lowest]
    report_written(out, rows, f"scores, mean {scores.mean():.2f} nats; the least normal are {', '.join(named)}", json)
