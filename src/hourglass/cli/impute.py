"""`hourglass impute`: a table with its missing cells filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hourglass.cli.apply import On, apply_in_chunks
from hourglass.cli.companions import Inputs
from hourglass.cli.errors import UsageError, note
from hourglass.cli.options import FLATTENED
from hourglass.cli.output import report_written
from hourglass.cli.results import write_examples, write_rows
from hourglass.cli.tasks import loaded

if TYPE_CHECKING:
    from hourglass.estimators import Embedder

DOUBLE_ENDINGS = (".csv.gz", ".tsv.gz")
Chunk = tuple[Inputs, Any]  # some of the data, and their filled-in columns


def impute(
    on: Annotated[On, FLATTENED],
    *,
    out: Path,
    rounds: int | None = None,
    n_draws: int | None = None,
    interval: float | None = None,
    seed: int = 0,
) -> None:
    """Write a table with its missing cells filled in.

    Use it where an analysis needs complete rows; the default recipe does it well. It writes the whole table: cells that
    were known, and columns the model never saw, stay as they are, from CSV to CSV to the byte.

    Example: `hourglass impute runs/people-ae --out full.csv`

    Parameters
    ----------
    out
        Where to write: a .csv, .tsv, .parquet, .npy or .npz file; one that exists is replaced. Of a table
        with names, .npy and .npz hold the model's columns alone.
    rounds
        How often the filled-in row is encoded and filled in again; 3 by default for variational recipes, else 1.
    n_draws
        Write so many tables instead, each filled with other values that could be (multiple imputation): full.1.csv,
        full.2.csv, ... What differs between them is what the data leave open.
    interval
        Write the two ends of the range that holds the missing number with this probability, such as 0.9, each into a
        table of its own: full.lower.csv and full.upper.csv.
    seed
        Random seed: the same seed gives the same result. It matters with --n-draws and --interval.
    """
    import numpy as np

    if n_draws is not None and rounds is not None:
        raise UsageError("--rounds is for the best filling, and --n-draws for others that could be; give one of them")
    if interval is not None and (rounds is not None or n_draws is not None):
        raise UsageError("--interval gives two tables of its own; leave out --rounds and --n-draws")
    if interval is not None and not 0 < interval < 1:
        raise UsageError(f"--interval {interval} is a probability and must lie between 0 and 1, such as 0.9")
    if n_draws is not None and n_draws < 1:
        raise UsageError(f"--n-draws {n_draws} must be at least 1")
    if rounds is not None and rounds < 1:
        raise UsageError(f"--rounds {rounds} must be at least 1")
    estimator = loaded(on.run, "impute")
    modality = estimator.modality_
    if not modality.has_missing:
        raise ValueError(f"{on.run} was fitted on {modality.describe()}, which have no missing cells to fill in")
    if interval is not None:
        for k, end in enumerate(("lower", "upper")):
            draws = np.random.RandomState(seed % 2**32)  # the same for both

            def bound(given: Inputs, k: int = k, draws: Any = draws) -> Any:
                return estimator.impute(given.X, condition=given.condition, interval=interval, random_state=draws)[k]

            _impute_to(numbered(out, end), on, bound, estimator)
        return
    if n_draws is None:
        _impute_to(
            out, on, lambda given: estimator.impute(given.X, condition=given.condition, rounds=rounds), estimator
        )
        return
    for k in range(n_draws):
        draws = np.random.RandomState([seed % 2**32, k])

        def drawn(given: Inputs, draws: Any = draws) -> Any:
            return estimator.impute(given.X, condition=given.condition, rounds=rounds, n_draws=1, random_state=draws)[0]

        _impute_to(numbered(out, k + 1), on, drawn, estimator)


def numbered(out: Path, k: int | str) -> Path:
    """filled.csv.gz -> filled.1.csv.gz."""
    ending = next((e for e in DOUBLE_ENDINGS if out.name.lower().endswith(e)), out.suffix)
    stem = out.name[: len(out.name) - len(ending)]
    return out.with_name(f"{stem}.{k}{out.name[len(stem) :]}")


def _impute_to(out: Path, on: On, fill: Callable[[Inputs], Any], estimator: Embedder) -> None:
    if not estimator.modality_.columns:
        _impute_maps(out, on, fill, estimator)
        return
    n_missing, n_filled = 0, 0

    def imputed(given: Inputs) -> Any:
        nonlocal n_missing, n_filled
        table = fill(given)
        n_filled += _n_missing(given.X) - _n_missing(table)
        n_missing += _n_missing(given.X if given.data is None else given.data.X)
        return table

    chunks = apply_in_chunks(on, estimator, imputed, out)
    rows = _filled_csv(out, chunks) if _is_csv(out) else write_rows(out, _whole_tables(out, chunks))
    empty = n_missing - n_filled
    said = f", {empty:,} still empty (the model does not know them)" if empty else ""
    values = {"filled": n_filled, "empty": empty}
    report_written(out, rows, f"rows, {n_filled:,} cells filled in{said}", on.json, values)


def _impute_maps(out: Path, on: On, fill: Callable[[Inputs], Any], estimator: Embedder) -> None:
    """What has cells without columns, such as maps of tiles."""
    n_filled = 0

    def imputed(given: Inputs) -> Any:
        nonlocal n_filled
        filled = fill(given)
        n_filled += _n_missing_in(given.X, estimator) - _n_missing_in(filled, estimator)
        return filled

    chunks = apply_in_chunks(on, estimator, imputed, out)
    n = write_examples(out, ((filled, given.names) for given, filled in chunks), estimator.modality_)
    report_written(out, n, f"records, {n_filled:,} cells filled in", on.json, {"filled": n_filled})


def _n_missing_in(X: Any, estimator: Embedder) -> int:
    """Missing cells of records, each counted once, however many examples it is in."""
    examples = estimator.modality_.examples(X)
    return int(sum(missing.sum() for missing in examples.stitch(examples.rows().isnan().numpy())))


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
    from hourglass.readers import containers
    from hourglass.readers.filling import fill_csv, missing_values

    first = next(chunks)
    given, table = first
    source = "" if given.data is None else given.data.source
    if not _is_csv(source) or not containers.is_frame(table):
        return write_rows(out, _whole_tables(out, chain([first], chunks)))
    return fill_csv(Path(source).expanduser(), out, missing_values(given.X, table), header=given.header)


def _whole_tables(out: Path, chunks: Iterable[Chunk]) -> Iterator[tuple[Any, Sequence[str] | None]]:
    """The tables that the model's columns were taken from, with the filled columns in their places, and row names.

    The index of pandas, which is not among a table's columns, is a column of the file again.
    """
    import numpy as np

    from hourglass.readers import parquet
    from hourglass.readers.writing import TABLES

    row, index = 0, None
    for number, (given, filled) in enumerate(chunks):
        if given.kept is None or given.data is None:
            yield filled, given.names
        elif isinstance(filled, np.ndarray):
            whole = given.data.X.astype(np.result_type(given.data.X, filled))
            whole[:, given.kept] = filled
            yield whole, given.names
        elif not out.name.lower().endswith(TABLES):
            yield filled, given.names
        else:
            index = parquet.index_of(Path(given.data.source).expanduser()) if number == 0 else index
            whole = _without_lists(given.data.X, out)
            for name in filled.column_names:
                whole = whole.set_column(whole.column_names.index(name), name, filled.column(name))
            if index is not None:
                for field, column in zip(index.schema, index.slice(row, whole.num_rows).columns, strict=True):
                    whole = whole.append_column(field, column)
                whole = whole.replace_schema_metadata(index.schema.metadata)
            yield whole, None if index is not None else given.names
        row += len(filled)


def _without_lists(table: Any, out: Path) -> Any:
    import pyarrow as pa

    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if out.name.lower().endswith(".parquet") or not nested:
        return table
    note(f"columns of lists are skipped, since {out.name} has no form for them: {', '.join(nested)}")
    return table.drop_columns(nested)
