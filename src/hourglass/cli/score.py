"""`hourglass score`: how typical every example is."""

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

LOWEST = 3  # rows that are named


def score(on: Annotated[On, FLATTENED], *, out: Path, samples: int = 1, keep: list[str] | None = None) -> None:
    """Write how typical every example is: the column `score`, in nats; the lowest are the anomalies.

    Use it to find anomalies. For variational recipes the score is a lower bound of log p(x), for the others
    log p(x | code): scores compare between rows of one model, and not between models.

    Example: `hourglass score runs/people-vae --keep id --out scores.csv`

    Parameters
    ----------
    out
        Where to write: a .csv, .tsv, .parquet, .npy or .npz file; one that exists is replaced.
    samples
        Samples of the code per example: more bring the bound of a variational recipe closer to log p(x).
    keep
        Columns of DATA to write before the scores, such as an identifier.
    """
    import numpy as np

    estimator = loaded(on.run, "score")
    all_scores: list[np.ndarray] = []
    names: list[str] = []

    def scored(given: Inputs) -> np.ndarray:
        scores = estimator.score_samples(given.X, condition=given.condition, n_samples=samples)
        all_scores.append(scores)
        named = names_of(given)
        names.extend(named or ())
        return scores[:, None]

    def names_of(given: Inputs) -> Sequence[str] | None:
        """Of the rows where records have several, and else of the records."""
        of_records = len(all_scores[-1]) == len(given)
        return given.names if of_records else estimator.examples(given.X).row_names(given.names)

    rows = write_columns(out, apply_in_chunks(on, estimator, scored, out), ["score"], keep, names_of)
    scores = np.concatenate(all_scores)
    lowest = scores.argsort()[:LOWEST].tolist()
    where = ", ".join(names[i] if names else str(i) for i in lowest)
    said = where if names else f"rows {where} (counting from 0)"
    values = {"mean": float(scores.mean()), "lowest": [names[i] if names else i for i in lowest]}
    report_written(out, rows, f"scores, mean {scores.mean():.2f} nats; lowest scores: {said}", on.json, values)
