"""`hourglass reconstruct`: every example through the bottleneck and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.output import report_written
from hourglass.cli.results import write_examples


def reconstruct(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path,
    condition: str | None = None,
    part: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write what the model makes of every example, in the data's own units.

    Parameters
    ----------
    run
        Folder of a fitted model.
    data
        As for `hourglass fit`; left out, the data the run was fitted on.
    out
        A .csv, .tsv, .parquet, .npy or .npz file; for pictures a .npy or .npz file, a .png (a contact sheet), or a
        name without an ending: a folder of single pictures.
    condition
        A column of DATA, a FILE, or "labels", where the model was fitted with a condition.
    part
        For named data sets: train, test or all.
    json
        Print what was written as JSON.
    """
    from hourglass import load

    estimator = load(run)

    def back(given: inputs.Inputs) -> Any:
        return estimator.reconstruct(given.X, condition=given.condition)

    made = inputs.apply_in_chunks(back, estimator, run, data, out, part=part, condition=condition)
    rows = write_examples(out, made, estimator.modality_)
    report_written(out, rows, "reconstructions", json)
