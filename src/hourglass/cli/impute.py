"""`hourglass impute`: a table with its missing cells filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.errors import note
from hourglass.cli.output import report_written
from hourglass.cli.results import write_rows

if TYPE_CHECKING:
    from hourglass.readers import Data


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
        A .csv, .tsv or .parquet file; also .npy or .npz, which of a table with names hold the model's columns alone.
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
        return _put_back(estimator.impute(given.X, condition=given.condition, rounds=rounds), given, out)

    rows = write_rows(out, inputs.apply_in_chunks(filled, estimator, run, data, out, condition=condition))
    report_written(out, rows, "rows, filled in", json)


def _put_back(made: Any, given: inputs.Inputs, out: Path) -> Any:
    """The table that `given.X` was taken from, with the filled columns in their places."""
    import numpy as np

    from hourglass.readers.writing import TABLES

    if given.kept is None or given.data is None:
        return made
    if isinstance(made, np.ndarray):
        whole = given.data.X.astype(np.result_type(given.data.X, made))
        whole[:, given.kept] = made
        return whole
    if not out.name.lower().endswith(TABLES):
        return made
    whole = _as_written(given.data, out)
    for name in made.column_names:
        whole = whole.set_column(whole.column_names.index(name), name, made.column(name))
    return whole


def _as_written(data: Data, out: Path) -> Any:
    """All columns of a table for a file; from CSV to CSV their texts as they are, which as numbers lose their form."""
    import pyarrow as pa

    from hourglass.readers.tables import CSV_SUFFIXES, read_csv

    if out.name.lower().endswith(".parquet"):
        return data.X
    nested = [field.name for field in data.X.schema if pa.types.is_nested(field.type)]
    if nested:
        note(f"columns of lists are left out, for which {out.name} has no form: {', '.join(nested)}")
    source = Path(data.source).expanduser()
    table = read_csv(source, texts=True) if source.name.lower().endswith(CSV_SUFFIXES) else data.X
    return table.select([name for name in data.X.column_names if name not in nested])
