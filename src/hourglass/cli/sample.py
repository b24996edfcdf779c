"""`hourglass sample`: new examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.errors import UsageError
from hourglass.cli.output import report_written
from hourglass.cli.results import write_examples

if TYPE_CHECKING:
    from hourglass.estimators import Embedder


def sample(
    run: Path,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--n"])] = 16,
    out: Path,
    condition: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    prior: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 0,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write new examples, drawn from the model.

    Parameters
    ----------
    run
        Folder of a fitted model.
    n
        How many.
    out
        For tables a .csv, .tsv or .parquet file. For pictures a .png (a contact sheet), a name without an ending (a
        folder of single pictures), or a .npy or .npz file.
    condition
        Where the model was fitted with a condition: the value to sample for (several, if there are several columns),
        or a FILE with n rows.
    prior
        Draw codes from the prior N(0, I) instead of the density fitted to the codes after training.
    seed
        Of the draw.
    json
        Print what was written as JSON.
    """
    from hourglass import load

    estimator = load(run)
    given = _condition(estimator, condition, n, run)
    made = estimator.sample(n, condition=given, prior=prior, random_state=seed)
    write_examples(out, [(made, None)], estimator.modality_)
    report_written(out, n, "samples", json)


def _condition(estimator: Embedder, condition: list[str] | None, n: int, run: Path) -> Any:
    """The values on the command line as a table of n rows, typed as the model knows its columns."""
    import pyarrow as pa

    if estimator.condition_ is None:
        if condition:
            raise UsageError(f"--condition {' '.join(condition)}: {run} was fitted without a condition")
        return None
    columns = estimator.condition_.table.columns
    known = ", ".join(
        f"{c.name} ({', '.join(f'{v:g}' if isinstance(v, float) else str(v) for v in c.categories)})"
        if c.categories
        else f"{c.name} (a number)"
        for c in columns
    )
    if not condition:
        raise UsageError(f"{run} was fitted with a condition: say which with --condition; there is {known}")
    if len(condition) == 1 and Path(condition[0]).is_file():
        table = inputs.table_of_file(Path(condition[0]))
        if (table.num_rows, table.num_columns) != (n, len(columns)):
            raise ValueError(
                f"--condition {condition[0]}: has {table.num_rows} rows and {table.num_columns} columns; "
                f"{n} and {len(columns)} are needed"
            )
        return inputs.rename_columns(table, [c.name for c in columns])
    if len(condition) != len(columns):
        raise UsageError(f"--condition {' '.join(condition)}: give {len(columns)} value(s), one each for {known}")
    values: dict[str, list[Any]] = {}
    for column, text in zip(columns, condition, strict=True):
        if column.texts:
            value: Any = text
        else:
            try:
                value = float({"true": "1", "false": "0"}.get(text.lower(), text))
            except ValueError:
                raise UsageError(f"--condition {text}: a number is needed; there is {known}") from None
        if column.categories and value not in column.categories:
            raise UsageError(f"--condition {text}: was not there at fit; there is {known}")
        values[column.name] = [value] * n
    return pa.table(values)
