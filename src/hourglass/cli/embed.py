"""`hourglass embed`: the code of every example."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.output import report_written
from hourglass.cli.results import write_rows

if TYPE_CHECKING:
    import numpy as np


def embed(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path,
    condition: str | None = None,
    part: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write the code of every example: one row each, columns code0, code1, ...

    Parameters
    ----------
    run
        Folder of a fitted model.
    data
        As for `hourglass fit`; left out, the data the run was fitted on. Columns the model does not know are left out.
    out
        A .csv, .tsv, .parquet, .npy or .npz file.
    condition
        A column of DATA, a FILE, or "labels", where the model was fitted with a condition; left out, the column it was
        fitted with.
    part
        For named data sets: train, test or all.
    json
        Print what was written as JSON.
    """
    from hourglass import load

    estimator = load(run)

    def coded(given: inputs.Inputs) -> np.ndarray:
        return estimator.transform(given.X, condition=given.condition)

    codes = inputs.apply_in_chunks(coded, estimator, run, data, out, part=part, condition=condition)
    rows = write_rows(out, codes, columns=[f"code{j}" for j in range(estimator.n_latent_)])
    report_written(out, rows, f"codes of {estimator.n_latent_} numbers", json)
