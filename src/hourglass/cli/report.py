"""`hourglass report`: one page about a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hourglass.cli import inputs
from hourglass.cli.output import print_result


def report(
    run: Path,
    data: str | None = None,
    /,
    *,
    labels: str | None = None,
    condition: str | None = None,
    part: str | None = None,
    out: Path | None = None,
    title: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write one HTML page about a run: losses, reconstructions, the map of codes, samples, and what they mean.

    Parameters
    ----------
    run
        Folder of a fitted model.
    data
        Examples to show, as for `hourglass fit`; left out, the data the run was fitted on.
    labels
        A column of DATA or a FILE that colours the map; left out, the labels that come with the data, if any.
    condition
        A column of DATA, a FILE, or "labels", where the model was fitted with a condition.
    part
        For named data sets: train, test or all.
    out
        The page; RUN/report.html if left out.
    title
        Its heading.
    json
        Print where it is as JSON.
    """
    from hourglass import load

    estimator = load(run)
    given = inputs.to_use(estimator, run, data, part=part, condition=condition, labels=labels)
    page = write_page(estimator, given, run / "report.html" if out is None else out, title)
    print_result({"report": page}, f"Wrote {page}: open it in a browser", json)


def write_page(estimator: object, given: inputs.Inputs, page: Path, title: str | None = None) -> Path:
    """The page about examples and their labels; where it was written."""
    from hourglass import report as pages

    return Path(pages.write(estimator, given.X, page, labels=given.labels, condition=given.condition, title=title))
