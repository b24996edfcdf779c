"""`hourglass impute`: a table with its missing cells filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.output import wrote
from hourglass.cli.results import write_rows


def impute(
    run: Path,
    data: str | None = None,
    /,
    *,
    out: Path,
    rounds: int | None = None,
    condition: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write a table with its missing cells filled in; other cells, and columns the model never saw, stay as they are.

    Parameters
    ----------
    run
        Folder of a model fitted on a table.
    data
        A table with the columns the model was fitted on; left out, the data the run was fitted on.
    out
        A .csv, .tsv or .parquet file (also .npy or .npz for numbers alone).
    rounds
        How often the filled-in row is encoded and filled in anew: 3 for variational recipes, 1 for others if left out.
    condition
        A column of DATA or a FILE, where the model was fitted with a condition.
    json
        Print what was written as JSON.
    """
    from hourglass import load

    estimator = load(run)
    if not getattr(estimator.modality_, "columns", None):
        raise ValueError(f"{run} was fitted on pictures, which have no missing cells; impute is for tables")

    def filled(given: inputs.Inputs) -> Any:
        made = estimator.impute(given.X, condition=given.condition, rounds=rounds)
        whole = given.whole
        if whole is None:
            return made
        for name in made.column_names:
            whole = whole.set_column(whole.column_names.index(name), name, made.column(name))
        return whole

    rows = write_rows(out, inputs.mapped(filled, estimator, run, data, out, condition=condition))
    wrote(out, rows, "rows, filled in", json)
