"""`hourglass compare`: recipes and latent sizes side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from hourglass.cli import inputs, runs
from hourglass.cli.errors import UsageError
from hourglass.cli.output import next_commands, print_result, print_table

if TYPE_CHECKING:
    from hourglass.comparison import Comparison

ListOption = Parameter(consume_multiple=True, negative="")
Flag = Parameter(negative="")


def compare(
    data: str,
    /,
    *,
    recipes: Annotated[list[str] | None, ListOption] = None,
    n_latents: Annotated[list[int] | None, ListOption] = None,
    seeds: int = 1,
    condition: str | None = None,
    labels: str | None = None,
    drop: Annotated[list[str] | None, ListOption] = None,
    part: str | None = None,
    out: Path | None = None,
    resume: Annotated[bool, Flag] = False,
    overwrite: Annotated[bool, Flag] = False,
    max_epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    hidden: Annotated[list[int] | None, ListOption] = None,
    counts: Annotated[list[str] | None, ListOption] = None,
    categories: Annotated[list[str] | None, ListOption] = None,
    threads: int | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Fit several recipes at several code sizes, beside PCA, and judge all on the same held-out rows.

    Writes a table (compare.csv, compare.json), a rate-distortion plot (compare.png, compare.svg), and recommends a code
    size: the smallest whose held-out error is no worse than the best. Each fit is kept when it is done, so that
    --resume goes on where a comparison was stopped.

    Parameters
    ----------
    data
        As for `hourglass fit`.
    recipes
        ae and vae if left out; `hourglass recipes` lists them. As for `hourglass fit`, more words change one.
    n_latents
        Code sizes; 2 4 8 16 32 if left out, as far as they are below the number of features.
    seeds
        Fits of each kind, from the seeds 0, 1, ...; more tell chance from difference.
    condition
        A column of DATA, a FILE or "labels", told to every model.
    labels
        A column of DATA to be taken out, because it is an answer and not an input.
    drop
        Columns to leave out.
    part
        For named data sets: train, test or all.
    out
        Folder of the results; runs/DATA-compare if left out.
    resume
        Go on with the comparison in --out.
    overwrite
        Start anew where --out holds one already.
    max_epochs
        As for `hourglass fit`, as are the following.
    batch_size
        Rows a step.
    learning_rate
        Its peak.
    hidden
        Widths of the encoder's layers; 0 for none.
    counts
        Columns that hold counts (0, 1, 2, ...).
    categories
        Columns whose numbers stand for categories.
    threads
        Threads to use.
    json
        Print the result as JSON.
    """
    from hourglass import comparison
    from hourglass.estimators.names import named_recipe

    if resume and overwrite:
        raise UsageError("--resume goes on with a comparison and --overwrite starts it anew; give one of them")
    for name in recipes or ():
        try:
            named_recipe(name)
        except ValueError as error:
            raise UsageError(f"--recipes: {error}") from error
    folder = runs.default_folder(data, "compare") if out is None else out.expanduser()
    if (folder / comparison.RESULTS).exists() and not (resume or overwrite):
        raise FileExistsError(f"{folder} holds a comparison; --resume goes on with it, --overwrite starts anew")
    given = inputs.to_fit(data, part=part, condition=condition, labels=labels, drop=drop or [])
    options: dict[str, Any] = {
        "max_epochs": max_epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "n_threads": threads,
    }
    options |= {"hidden": None if hidden is None else tuple(width for width in hidden if width > 0)}
    options |= {"modality": inputs.declared(given, counts=counts, categories=categories)}
    found = comparison.compare(
        given.X, recipes=recipes or ("ae", "vae"), n_latents=n_latents, seeds=seeds, condition=given.condition,
        folder=folder, resume=resume, verbose=True, **options,
    )  # fmt: skip
    if json:
        print_result(found.to_json() | {"folder": folder}, "", True)
        return
    same = {
        "--condition": [condition], "--labels": [labels], "--part": [part], "--drop": drop, "--counts": counts,
        "--categories": categories,
    }  # fmt: skip
    given_again = [word for option, values in same.items() if values and values[0] for word in (option, *values)]
    _tell(found, folder, [data, *map(str, given_again)])


def _tell(found: Comparison, folder: Path, data: list[str]) -> None:
    columns, lines = found.table()
    print_table("", columns, lines, numbers=tuple(columns[1:]))
    print(f"\nError: of {found.n_judged:,} held-out rows, relative to their variance; rate: KL in nats an example.")
    print(f"Recommended code size: {found.recommended}. {found.reason}")
    print(f"Wrote {', '.join(str(folder / name) for name in found.files)}\n")
    print(next_commands(["hourglass", "fit", *data, "--recipe", found.recipe, "--n-latent", str(found.recommended)]))
