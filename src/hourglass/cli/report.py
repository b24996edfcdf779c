"""`hourglass report`: one page about a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from hourglass.cli.apply import On
from hourglass.cli.companions import Inputs
from hourglass.cli.errors import UsageError
from hourglass.cli.options import FLATTENED
from hourglass.cli.output import print_result
from hourglass.cli.tasks import commands_of


def report(
    on: Annotated[On, FLATTENED], *, labels: str | None = None, out: Path | None = None, title: str | None = None
) -> None:
    """Write one HTML page about a run: losses, reconstructions, the map of codes, samples, and what they mean.

    Example: `hourglass report runs/people-vae`

    Parameters
    ----------
    labels
        A column of DATA or a FILE that colours the map; by default the labels that come with the data, if any.
    out
        Where to write the page. By default RUN/report.html.
    title
        Heading of the page.
    """
    from hourglass import load
    from hourglass.readers.writing import check_place

    estimator = load(on.run)
    if "denoise" in commands_of(estimator):
        raise UsageError(
            f"{on.run} takes noise off pictures: its page comes with hourglass denoise {on.run} NOISY CLEAN --report "
            "page.html"
        )
    page = on.run / "report.html" if out is None else out
    check_place(page)
    use = on.inputs(estimator, labels)
    write_page(estimator, use.some(), page, title, use.n_streamed or None)
    print_result({"report": page}, f"Wrote {page}: open it in a browser", on.json)


def write_page(
    estimator: object, given: Inputs, page: Path, title: str | None = None, n_given: int | None = None
) -> Path:
    """The page about examples and their labels, of `n_given` if not all; where it was written."""
    from hourglass import report as pages

    X = given.X if given.data is None else replace(given.data, X=given.X)
    return pages.write(estimator, X, page, labels=given.labels, condition=given.condition, title=title, n_given=n_given)
