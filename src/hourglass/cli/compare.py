"""`hourglass compare`: recipes and latent sizes side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from hourglass.cli import runs
from hourglass.cli.companions import to_fit
from hourglass.cli.errors import UsageError, about
from hourglass.cli.fit import check
from hourglass.cli.kinds import fitting, modality_of
from hourglass.cli.options import FLATTENED, READING, ModelArguments, as_words, estimator_parameters
from hourglass.cli.output import next_commands, print_result, print_table
from hourglass.cli.wording import printable
from hourglass.shell_words import in_shell_words

if TYPE_CHECKING:
    from hourglass.comparison import Comparison


def compare(
    data: str,
    /,
    *,
    recipes: list[str] | None = None,
    n_latents: list[int] | None = None,
    task: Literal["reconstruct", "synthesise"] = "reconstruct",
    seeds: int = 1,
    arguments: Annotated[ModelArguments, FLATTENED] = ModelArguments(),  # noqa: B008
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    json: bool = False,
) -> None:
    """Fit recipes at several code sizes, and PCA, and evaluate all on the same held-out rows.

    Use it before a fit that matters, to choose recipe and code size. It writes a page (compare.html), a table
    (compare.csv, compare.json) and a figure (compare.png, compare.svg) into the folder --out, and recommends the
    smallest code that needs as few nats per held-out example as the best size of its recipe.

    Example: `hourglass compare people.csv --recipes ae vae --n-latents 2 4 8`

    Parameters
    ----------
    data
        As for `hourglass fit`.
    recipes
        Kinds of autoencoder, ae and vae by default; `hourglass recipes` lists them. As for `hourglass fit`, more words
        change one: "vae kl=0.1".
    n_latents
        Code sizes, 2 4 8 16 32 by default, as far as they are below the number of features.
    task
        What the models are for. reconstruct recommends by nats and by what is left unexplained; synthesise, of tables,
        generates rows with every model and recommends by how well a random forest tells them from real ones.
    seeds
        Fits of each recipe and size, with random seeds 0, 1, ...; several tell chance from difference.
    out
        Where to write: a folder. By default runs/DATA-compare.
    resume
        Continue the comparison in --out, which keeps each fit when it is done.
    overwrite
        Start over where --out holds one already.
    json
        Print the result as JSON.
    """
    from hourglass import comparison
    from hourglass.estimators.names import named_recipe
    from hourglass.readers.writing import check_place

    if resume and overwrite:
        raise UsageError("--resume continues a comparison and --overwrite starts it over; give one of them")
    for name in recipes or ():
        try:
            named_recipe(name)
        except ValueError as error:
            raise UsageError(in_shell_words(str(error).replace("recipe=", "recipes=", 1))) from error
    given = arguments.given()
    check({**given, "data": data})
    folder = runs.default_folder(data, "compare") if out is None else out.expanduser()
    if (folder / comparison.RESULTS).exists() and not (resume or overwrite):
        raise FileExistsError(f"{folder} holds a comparison; --resume continues it, --overwrite starts over")
    check_place(folder / comparison.RESULTS)
    examples = to_fit(
        data, condition=arguments.condition, labels=arguments.labels, drop=arguments.drop or [],
        **{name: given.get(name) for name in READING},
    )  # fmt: skip
    modality = fitting(modality_of(given), {**given, "data": data}, examples.X.kind, examples)
    with about(data):
        found = comparison.compare(
            examples.X, recipes=recipes or ("ae", "vae"), n_latents=n_latents, task=task, seeds=seeds,
            condition=examples.condition, folder=folder, resume=resume, verbose=True, modality=modality,
            **estimator_parameters(given),
        )  # fmt: skip
    if json:
        print_result(found.to_json() | {"folder": folder}, "", True)
    else:
        _tell(found, folder, [data, *as_words(given)])


def _tell(found: Comparison, folder: Path, data: list[str]) -> None:
    from hourglass import comparison

    columns, rows = found.table()
    print_table("", columns, rows, numbers=tuple(columns[1:]))
    lines = [
        f"\nOn {found.n_test:,} held-out examples:",
        *(f"  {line}" for line in found.legend()),
        f"\nRecommended: {found.recipe}, size {found.recommended}. {found.reason}",
        f"Wrote {', '.join(printable(str(folder / name)) for name in comparison.FILES)}\n",
        next_commands(["hourglass", "fit", *data, "--recipe", found.recipe, "--n-latent", str(found.recommended)]),
    ]
    print_result({}, "\n".join(lines), as_json=False)
