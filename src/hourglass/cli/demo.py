"""`hourglass demo`: data that need no download, a model, and a page about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hourglass.cli import runs
from hourglass.cli.fit import train
from hourglass.cli.output import next_commands, print_result
from hourglass.cli.report import write_page
from hourglass.cli.reuse import RunInputs
from hourglass.shell_words import in_shell_words

if TYPE_CHECKING:
    from hourglass.diagnostics.summary import Summary


@dataclass(frozen=True)
class Demo:
    """What a demo shows.

    Attributes
    ----------
    data, title : the data set, and what its page is called.
    max_epochs : unless said.
    meaning : sentences on the map and the figures.
    more : commands to try next.
    arguments : of the fit, besides.
    """

    data: str
    title: str
    max_epochs: int
    meaning: Callable[[Summary], str]
    more: tuple[list[str], ...]
    arguments: dict[str, Any]


def _of_digits(summary: Summary) -> str:
    kept, linear = 1 - summary.unexplained_variance, 1 - summary.pca_unexplained_variance
    return (
        "Its map shows each picture at the two numbers of its code, coloured by digit. The model never saw the labels: "
        "similar digits lie together because that is the shortest way to describe them. "
        f"Two latent dimensions keep {kept:.0%} of the variance of held-out pictures; two components "
        f"of PCA keep {linear:.0%}. The report shows what they lose, next to the originals."
    )


def _of_log(summary: Summary) -> str:
    return (
        "Its map shows each line of a made-up log at the two numbers of its code, coloured by what the line reports. "
        "The model never saw these labels: lines of one form lie together. Of the tokens (words, and <num>, <time>, "
        f"<ip>, <hex>) it gets {1 - summary.unexplained_categories:.0%} fewer wrong than always saying the most "
        "frequent one. Twelve lines do not belong in the log: see the least typical lines in the report."
    )


# a line for each demo: another kind of data is one more
DEMOS = {
    "pictures": Demo(
        "digits", "Handwritten digits", 150, _of_digits,
        (
            ["hourglass", "fit", "digits", "--condition", "labels"],
            ["hourglass", "compare", "digits", "--recipes", "ae", "vae", "--max-epochs", "40"],
        ),
        {},
    ),
    "text": Demo(
        "toy_log", "A log, line by line", 60, _of_log,
        (["hourglass", "compare", "toy_log", "--modality", "text fields=typed", "--max-epochs", "20"],),
        {"modality": "text fields=typed"},
    ),
}  # fmt: skip


def demo(
    *,
    data: Literal["pictures", "text"] = "pictures",
    out: Path = Path("runs/demo"),
    max_epochs: int | None = None,
    seed: int = 0,
    json: bool = False,
) -> None:
    """Train a variational autoencoder on handwritten digits, or on a made-up log, and write a page about it.

    It needs no download and takes less than two minutes on two cores. An earlier demo is replaced.

    Parameters
    ----------
    data
        What to learn: scikit-learn's 1,797 handwritten digits, or 2,000 lines of text.
    out
        Where to write: the run's folder.
    max_epochs
        Most passes through the data; by default 150 through the pictures, 60 through the text.
    seed
        Random seed: the same seed gives the same result.
    json
        Print where the results are as JSON.
    """
    from hourglass.diagnostics.advice import is_undertrained

    shown, out = DEMOS[data], out.expanduser()
    try:
        begun = (runs.unfinished(out) or runs.origin_of_model(out)) if out.is_dir() else None
    except ValueError as error:
        raise FileExistsError(f"{error}. For the demo: delete the folder, or name another --out") from error
    of_demo = runs.arguments_of(begun, out).get("data") in {demo.data for demo in DEMOS.values()}
    if out.exists() and not of_demo and (not out.is_dir() or begun or runs.holds_other_files(out)):
        raise FileExistsError(f"{out} holds something other than a demo; name another --out")
    # one thread: the network is so small that a second one, on a busy machine, costs more than it brings
    arguments = {"data": shown.data, "recipe": "vae", "n_latent": 2, "threads": 1, **shown.arguments}
    estimator = train(out, {**arguments, "max_epochs": max_epochs or shown.max_epochs, "seed": seed})
    given = RunInputs.of(estimator, out, None).some()
    page = write_page(estimator, given, out / "report.html", shown.title)
    samples = f"samples{estimator.modality_.endings[0]}"
    commands = next_commands(
        ["hourglass", "sample", str(out), "-n", "64", "--out", str(out / samples)],
        ["hourglass", "embed", str(out), shown.data, "--out", str(out / "codes.csv")],
        *shown.more,
        ["hourglass", "fit", "--help"],
    )
    advice = [in_shell_words(sentence) for sentence in estimator.advice_]
    meaning = " ".join(advice[:2]) if is_undertrained(estimator.summary_) else shown.meaning(estimator.summary_)
    text = f"""
The report is {page.resolve()} (open it in a browser).
{meaning}

{commands}"""
    print_result({"run": out, "report": page, "advice": advice}, text, json)
