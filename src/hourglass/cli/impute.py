"""`hourglass impute`: a table with its missing cells filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.output import wrote


def impute(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path,
    condition: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write a table with its missing cells filled in; every known cell stays as it is.

    Parameters
    ----------
    run
        Folder of a model fitted on a table.
    data
        A table with the columns the model was fitted on; left out, the data the run was fitted on.
    out
        A .csv, .tsv or .parquet file (also .npy or .npz for numbers alone).
    condition
        A column of DATA or a FILE, where the model was fitted with a condition.
    json
        Print what was written as JSON.
    """
    from hourglass import load, readers

    estimator = load(run)
    if not getattr(estimator.modality_, "columns", None):
        raise ValueError(f"{run} was fitted on pictures, which have no missing cells; impute is for tables")
    given = inputs.to_use(estimator, run, data, condition=condition)
    filled = estimator.impute(given.X, condition=given.condition)
    readers.write(out, filled, index=given.names)
    wrote(out, len(filled), "rows without missing cells", json)
