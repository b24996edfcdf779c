"""`hourglass embed`: the code of every example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from hourglass.cli.apply import On, apply_in_chunks
from hourglass.cli.companions import Inputs
from hourglass.cli.options import FLATTENED
from hourglass.cli.output import report_written
from hourglass.cli.results import write_columns
from hourglass.cli.tasks import loaded

if TYPE_CHECKING:
    import numpy as np


def embed(on: Annotated[On, FLATTENED], *, out: Path, keep: list[str] | None = None, per_record: bool = False) -> None:
    """Write the code of every example: one row each, columns code0, code1, ...

    Use it for features of another model, or for a map.

    Example: `hourglass embed runs/people-vae --out codes.csv`

    Parameters
    ----------
    out
        Where to write: a .csv, .tsv, .parquet, .npy or .npz file; one that exists is replaced. Texts are
        written as they are: a spreadsheet may take one that begins with = for a formula.
    keep
        Columns of DATA to write before the codes, such as an identifier.
    per_record
        One code for each series, level or piece, the mean of those of its windows, instead of one for each window.
    """
    estimator = loaded(on.run, "embed")

    def codes(given: Inputs) -> np.ndarray:
        return estimator.transform(given.X, condition=given.condition, per_record=per_record)

    chunks = apply_in_chunks(on, estimator, codes, out)

    def names(given: Inputs) -> Sequence[str] | None:
        """Of records, and of the windows that they are cut into."""
        examples = estimator.examples(given.X)
        return examples.names(given.names) if examples.axes and not per_record else given.names

    rows = write_columns(out, chunks, [f"code{j}" for j in range(estimator.n_latent_)], keep, names)
    report_written(out, rows, f"codes of {estimator.n_latent_} numbers", on.json)
