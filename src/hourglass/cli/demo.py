"""`hourglass demo`: handwritten digits, a model, and a page about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hourglass.cli import runs
from hourglass.cli.fit import train
from hourglass.cli.output import next_commands, print_result
from hourglass.cli.report import write_page
from hourglass.cli.reuse import RunInputs
from hourglass.shell_words import in_shell_words

if TYPE_CHECKING:
    from hourglass.diagnostics.summary import Summary


def demo(
    *,
    out: Path = Path("runs/demo"),
    max_epochs: int = 150,
    seed: int = 0,
    json: bool = False,
) -> None:
    """Train a variational autoencoder on scikit-learn's handwritten digits and write a page about it.

    It needs no download and takes less than two minutes on two cores. An earlier demo is replaced.

    Parameters
    ----------
    out
        Where to write: the run's folder.
    max_epochs
        Most passes through the 1,797 pictures.
    seed
        Random seed: the same seed gives the same result.
    json
        Print where the results are as JSON.
    """
    from hourglass.diagnostics.advice import is_undertrained

    out = out.expanduser()
    try:
        begun = (runs.unfinished(out) or runs.origin_of_model(out)) if out.is_dir() else None
    except ValueError as error:
        raise FileExistsError(f"{error}. For the demo: delete the folder, or name another --out") from error
    of_demo = runs.arguments_of(begun, out).get("data") == "digits"
    if out.exists() and not of_demo and (not out.is_dir() or begun or runs.holds_other_files(out)):
        raise FileExistsError(f"{out} holds something other than a demo; name another --out")
    # one thread: the network is so small that a second one, on a busy machine, costs more than it brings
    arguments = {"data": "digits", "recipe": "vae", "n_latent": 2, "threads": 1}
    estimator = train(out, {**arguments, "max_epochs": max_epochs, "seed": seed})
    given = RunInputs.of(estimator, out, None).some()
    page = write_page(estimator, given, out / "report.html", "Handwritten digits")
    commands = next_commands(
        ["hourglass", "sample", str(out), "-n", "64", "--out", str(out / "samples.png")],
        ["hourglass", "embed", str(out), "digits", "--out", str(out / "codes.csv")],
        ["hourglass", "fit", "digits", "--condition", "labels"],
        ["hourglass", "compare", "digits", "--recipes", "ae", "vae", "--max-epochs", "40"],
        ["hourglass", "fit", "--help"],
    )
    advice = [in_shell_words(sentence) for sentence in estimator.advice_]
    meaning = " ".join(advice[:2]) if is_undertrained(estimator.summary_) else _meaning(estimator.summary_)
    text = f"""
The report is {page.resolve()} (open it in a browser).
{meaning}

{commands}"""
    print_result({"run": out, "report": page, "advice": advice}, text, json)


def _meaning(summary: Summary) -> str:
    """A few sentences on the map and the figures."""
    kept, linear = 1 - summary.unexplained_variance, 1 - summary.pca_unexplained_variance
    return (
        "Its map shows each picture at the two numbers of its code, coloured by digit. The model never saw the labels: "
        "similar digits lie together because that is the shortest way to describe them. "
        f"Two latent dimensions keep {kept:.0%} of the variance of held-out pictures; two components "
        f"of PCA keep {linear:.0%}. The report shows what they lose, next to the originals."
    )
