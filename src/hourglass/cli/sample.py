"""`hourglass sample`: new examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from hourglass.cli.companions import rename_columns, table_of_file
from hourglass.cli.errors import UsageError
from hourglass.cli.given import given_cells
from hourglass.cli.output import report_written, rows_done
from hourglass.cli.results import write_examples
from hourglass.cli.tasks import loaded

if TYPE_CHECKING:
    from hourglass.estimators import Embedder

CELLS_PER_CHUNK = 20_000_000
MAX_CELLS_AT_ONCE = 10**9  # of what is not written in chunks
IN_CHUNKS = (".parquet", ".pq", ".csv", ".csv.gz", ".tsv", ".tsv.gz")


def sample(
    run: Path,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--n"])] = 16,
    out: Path,
    condition: list[str] | None = None,
    given: list[str] | None = None,
    prior: bool = False,
    marginals: Literal["data", "model"] = "data",
    seed: int = 0,
    json: bool = False,
) -> None:
    """Write new examples, sampled from the model.

    Use it for rows or pictures to show, or to test a program with.

    Example: `hourglass sample runs/people-vae -n 1000 --out new.csv`

    Parameters
    ----------
    run
        Folder of a fitted model.
    n
        How many examples.
    out
        Where to write: a .csv, .tsv, .parquet, .npy or .npz file; one that exists is replaced. For
        pictures a .npy or .npz file, a .png (a contact sheet), or a name without an ending: a folder of single
        pictures. For maps of tiles a .txt, .csv or .tmj file, as they came, a .png, or a folder.
    condition
        Where the model was fitted with a condition: the value to sample for (several, if there are several columns),
        or a FILE with n rows.
    given
        Cells that are known, COLUMN=VALUE ..., or a FILE with some of the columns: the other cells are drawn to go with
        them, -n times for each row of the file.
    prior
        Draw codes from the recipe's prior instead of the density fitted to the codes after training.
    marginals
        data gives the numbers of a table the distribution that their column had at fit, by rank; model leaves them as
        the model draws them.
    seed
        Random seed: the same seed gives the same result.
    json
        Print what was written as JSON.
    """
    import numpy as np

    if n < 1:
        raise UsageError(f"-n {n} must be at least 1")
    if given and prior:
        raise UsageError(
            "--given draws from the density fitted to the codes, and --prior from the prior; give one of them"
        )
    estimator = loaded(run, "sample")
    if given:
        _sample_given(
            estimator, given_cells(given, estimator.modality_), n, out, condition, prior, marginals, seed, json
        )
        return
    cells = math.prod(estimator.modality_.shape)
    if n * cells > MAX_CELLS_AT_ONCE and not out.name.lower().endswith(IN_CHUNKS):
        raise UsageError(
            f"-n {n}: {n:,} times {cells:,} numbers are too many to be held in memory at once; take fewer"
            + (f", or write a {IN_CHUNKS[0]} file, which is written in chunks" if estimator.modality_.columns else "")
        )
    condition_of = _condition(estimator, condition, n, run)
    size = max(1, CELLS_PER_CHUNK // cells)

    def chunks() -> Iterator[tuple[Any, None]]:
        with rows_done(n if n > size else 0) as advance:
            for number, start in enumerate(range(0, n, size)):
                rows = min(size, n - start)
                # the first chunk is what the seed alone gives, so that a few samples are those of Python
                state = seed if number == 0 else np.random.RandomState([seed % 2**32, number])
                given = condition_of(start, rows)
                drawn = estimator.sample(rows, condition=given, prior=prior, marginals=marginals, random_state=state)
                yield drawn, None
                advance(rows)

    write_examples(out, chunks(), estimator.modality_)
    report_written(out, n, "samples", json)


def _sample_given(
    estimator: Embedder,
    cells: Any,
    n: int,
    out: Path,
    condition: list[str] | None,
    prior: bool,
    marginals: Literal["data", "model"],
    seed: int,
    json: bool,
) -> None:
    """n rows for each row of `cells`, in chunks of some rows of it."""
    import numpy as np

    condition_of = _condition(estimator, condition, cells.num_rows, out)
    size = max(1, CELLS_PER_CHUNK // (n * math.prod(estimator.modality_.shape)))

    def chunks() -> Iterator[tuple[Any, None]]:
        for number, start in enumerate(range(0, cells.num_rows, size)):
            some = cells.slice(start, size)
            state = seed if number == 0 else np.random.RandomState([seed % 2**32, number])
            drawn = estimator.sample(
                n, given=some, condition=condition_of(start, len(some)), prior=prior, marginals=marginals,
                random_state=state,
            )  # fmt: skip
            yield drawn, None

    write_examples(out, chunks(), estimator.modality_)
    report_written(out, n * cells.num_rows, "samples", json)


def _condition(estimator: Embedder, condition: list[str] | None, n: int, run: Path) -> Callable[[int, int], Any]:
    """(first row, number of rows) -> the condition of these rows as a table, typed as the model knows its columns."""
    import pyarrow as pa

    if estimator.condition_ is None:
        if condition:
            raise UsageError(f"--condition {' '.join(condition)}: {run} was fitted without a condition")
        return lambda start, rows: None
    columns = estimator.condition_.table.columns
    known = ", ".join(
        f"{c.name} ({', '.join(f'{v:g}' if isinstance(v, float) else str(v) for v in c.categories)})"
        if c.categories
        else f"{c.name} (a number)"
        for c in columns
    )
    if not condition:
        raise UsageError(f"{run} was fitted with a condition: pass --condition; known values: {known}")
    if len(condition) == 1 and Path(condition[0]).is_file():
        table = table_of_file(Path(condition[0]))
        if (table.num_rows, table.num_columns) != (n, len(columns)):
            raise ValueError(
                f"--condition {condition[0]}: has {table.num_rows} rows and {table.num_columns} columns; "
                f"{n} and {len(columns)} are needed"
            )
        return rename_columns(table, [c.name for c in columns]).slice  # type: ignore[no-any-return]
    if len(condition) != len(columns):
        raise UsageError(f"--condition {' '.join(condition)}: give {len(columns)} value(s), one each for {known}")
    values: dict[str, Any] = {}
    for column, text in zip(columns, condition, strict=True):
        value: Any = text
        if not column.texts:
            try:
                value = float({"true": "1", "false": "0"}.get(text.lower(), text))
            except ValueError:
                raise UsageError(f"--condition {text}: a number is needed; known values: {known}") from None
        if column.categories and value not in column.categories:
            raise UsageError(f"--condition {text}: not known from the fit; known values: {known}")
        values[column.name] = value
    return lambda start, rows: pa.table({name: [value] * rows for name, value in values.items()})
