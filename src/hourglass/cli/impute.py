"""`hourglass impute`: a table with its missing cells filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.errors import note
from hourglass.cli.output import report_written
from hourglass.cli.results import write_rows

Chunk = tuple[tuple[inputs.Inputs, Any], Sequence[str] | None]  # what was given and its filled-in columns; row names


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

    From CSV to CSV they stay so to the byte.

    Parameters
    ----------
    run
        Folder of a model fitted on a table.
    data
        A table with the columns the model was fitted on; without it, the data the run was fitted on.
    out
        A .csv, .tsv or .parquet file; also .npy or .npz, which of a table with names hold the model's columns alone.
    rounds
        How often the filled-in row is encoded and filled in again; by default 3 for variational recipes, else 1.
    condition
        A column of DATA or a FILE, where the model was fitted with a condition.
    json
        Print what was written as JSON.
    """
    from hourglass import load
    from hourglass.readers import check_writable

    estimator = load(run)
    if not getattr(estimator.modality_, "columns", None):
        raise ValueError(f"{run} was fitted on pictures, which have no missing cells; impute is for tables")
    check_writable(out)
    n_filled = 0

    def imputed(given: inputs.Inputs) -> tuple[inputs.Inputs, Any]:
        nonlocal n_filled
        table = estimator.impute(given.X, condition=given.condition, rounds=rounds)
        n_filled += _n_missing(given.X) - _n_missing(table)
        return given, table

    chunks = inputs.apply_in_chunks(imputed, estimator, run, data, out, condition=condition)
    rows = _filled_csv(out, chunks) if _is_csv(out) else write_rows(out, _whole_tables(out, chunks))
    report_written(out, rows, f"rows, {n_filled:,} cells filled in", json)


def _is_csv(path: str | Path) -> bool:
    from hourglass.readers.delimited import SUFFIXES

    return str(path).lower().endswith(SUFFIXES)


def _n_missing(table: Any) -> int:
    import numpy as np

    if isinstance(table, np.ndarray):
        return int(np.isnan(table).sum()) if table.dtype.kind == "f" else 0
    return sum(column.null_count for column in table.columns)


def _filled_csv(out: Path, chunks: Iterator[Chunk]) -> int:
    """Writes a CSV file; of one that was made from a CSV file all but the missing cells stay as they are."""
    from hourglass.readers.filling import fill_csv, missing_values

    first = next(chunks)
    (given, table), _ = first
    source = "" if given.data is None else given.data.source
    if not _is_csv(source) or not hasattr(table, "column_names"):
        return write_rows(out, _whole_tables(out, chain([first], chunks)))
    return fill_csv(Path(source).expanduser(), out, missing_values(given.X, table))


def _whole_tables(out: Path, chunks: Iterable[Chunk]) -> Iterator[tuple[Any, Sequence[str] | None]]:
    """The tables that the model's columns were taken from, with the filled columns in their places, and row names.

    The index of pandas, which is not among a table's columns, is a column of the file again.
    """
    import numpy as np

    from hourglass.readers import parquet
    from hourglass.readers.writing import TABLES

    row, index = 0, None
    for number, ((given, filled), names) in enumerate(chunks):
        if given.kept is None or given.data is None:
            yield filled, names
        elif isinstance(filled, np.ndarray):
            whole = given.data.X.astype(np.result_type(given.data.X, filled))
            whole[:, given.kept] = filled
            yield whole, names
        elif not out.name.lower().endswith(TABLES):
            yield filled, names
        else:
            index = parquet.index_of(Path(given.data.source).expanduser()) if number == 0 else index
            whole = _without_lists(given.data.X, out)
            for name in filled.column_names:
                whole = whole.set_column(whole.column_names.index(name), name, filled.column(name))
            if index is not None:
                for field, column in zip(index.schema, index.slice(row, whole.num_rows).columns, strict=True):
                    whole = whole.append_column(field, column)
                whole = whole.replace_schema_metadata(index.schema.metadata)
            yield whole, None if index is not None else names
        row += len(filled)


def _without_lists(table: Any, out: Path) -> Any:
    import pyarrow as pa

    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if out.name.lower().endswith(".parquet") or not nested:
        return table
    note(f"columns of lists are skipped, since {out.name} has no form for them: {', '.join(nested)}")
    return table.drop_columns(nested)
