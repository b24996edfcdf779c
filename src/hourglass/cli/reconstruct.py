"""`hourglass reconstruct`: every example through the bottleneck and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from hourglass.cli.apply import On, apply_in_chunks
from hourglass.cli.options import FLATTENED
from hourglass.cli.output import report_written
from hourglass.cli.results import write_examples
from hourglass.cli.tasks import loaded


def reconstruct(on: Annotated[On, FLATTENED], *, out: Path) -> None:
    """Write every example as the model reconstructs it, in the data's own units.

    Use it to see what the code keeps.

    Example: `hourglass reconstruct runs/people-vae --out back.csv`

    Parameters
    ----------
    out
        Where to write: a .csv, .tsv, .parquet, .npy or .npz file; one that exists is replaced. For
        pictures a .npy or .npz file, a .png (a contact sheet), or a name without an ending: a folder of single
        pictures. For maps of tiles a .txt, .csv or .tmj file, as they came, a .png, or a folder.
    """
    estimator = loaded(on.run, "reconstruct")
    chunks = apply_in_chunks(
        on, estimator, lambda given: estimator.reconstruct(given.X, condition=given.condition), out
    )
    rows = write_examples(out, ((values, given.names) for given, values in chunks), estimator.modality_)
    report_written(out, rows, "reconstructions", on.json)
