"""`hourglass demo`: a data set that needs no download, a model, and a page about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hourglass.cli import runs
from hourglass.cli.errors import UsageError
from hourglass.cli.fit import train
from hourglass.cli.output import next_commands, print_result
from hourglass.cli.report import write_page
from hourglass.cli.reuse import RunInputs
from hourglass.cli.sources import known
from hourglass.cli.tasks import DENOISE, DETECT, task_of
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
    its_map : in words, what the report shows.
    arguments : of the fit.
    options : of the commands that are suggested.
    split : the part that the page is about, where it is not the one that was learned from.
    """

    data: str
    title: str
    max_epochs: int
    its_map: str
    arguments: dict[str, Any]
    options: tuple[str, ...] = ()
    split: str | None = None

    @property
    def task(self) -> str:
        """What the model is for."""
        return task_of(self.arguments)


# a line for each demo: another kind of data is one more
DEMOS = {
    "pictures": Demo(
        "digits", "Handwritten digits", 150,
        "Its map shows each picture at the two numbers of its code, coloured by digit. The model never saw the labels: "
        "similar digits lie together because that is the shortest way to describe them.",
        {"n_latent": 2},
    ),
    "text": Demo(
        "toy_log", "A log, line by line", 60,
        "Its map shows each line of a made-up log at the two numbers of its code, coloured by what the line reports, "
        "which the model never saw. Numbers, times, addresses and hex are one token each. Twelve lines do not belong "
        "in the log: see the least typical lines in the report.",
        {"n_latent": 2, "modality": "text fields=typed"},
        ("--modality", "text fields=typed"),
    ),
    "levels": Demo(
        "toy_levels", "Levels of a game", 12,
        "Levels of any width are cut into windows of 14 x 28 tiles. Its map shows each window at its code, coloured by "
        "the kind of level, which the model never saw.",
        {"n_latent": 16},
    ),
    "music": Demo(
        "toy_tunes", "Tunes", 200,
        "Its map shows every two bars of sixty made-up tunes at their code, coloured by major and minor, which the "
        "model never saw.",
        {"n_latent": 16},
    ),
    "series": Demo(
        "toy_series", "A machine, hour by hour", 150,
        "Its map shows each window of two days at its code, coloured by the hour in its middle. Twenty hours are "
        "absent, and three spells are odd: see the least typical windows in the report.",
        {"n_latent": 8, "modality": "series window=48"},
        ("--modality", "series window=48"),
    ),
    "payments": Demo(
        "toy_payments", "Card payments", 60,
        "The model learned from 4,000 normal payments; the report is about 1,500 others, of which 40 break a "
        "customer's habits in one of four ways, which the model never saw.",
        {"task": DETECT}, split="test",
    ),
    "photos": Demo(
        "photos", "Photographs without noise", 10,
        "The model learned to take noise off pieces of two photographs; its page shows some before and after.",
        {"task": DENOISE, "noise": "gaussian:25", "patch": 32},
    ),
}  # fmt: skip


def demo(
    *,
    data: str | None = None,
    task: Literal["embed", "detect", "denoise"] = "embed",
    out: Path = Path("runs/demo"),
    max_epochs: int | None = None,
    seed: int = 0,
    json: bool = False,
) -> None:
    """Train a model on a small data set and write a page about it.

    It needs no download and takes less than two minutes on two cores. An earlier demo is replaced.

    Parameters
    ----------
    data
        What to learn from: pictures, scikit-learn's handwritten digits; text, a log of 2,000 lines; levels, of a
        platform game; series, three sensors of a machine; music, sixty tunes; payments, by cards, with some fraud
        among them; photos, pieces of two photographs. By default pictures, with --task detect payments, and with
        --task denoise photos.
    task
        embed shows what a code is; detect how anomalies are found; denoise how noise is taken off pictures.
    out
        Where to write: the run's folder.
    max_epochs
        Most passes through the data. By default 150 for pictures and series, 200 for music, 60 for text and payments,
        12 for levels, 10 for photos.
    seed
        Random seed: the same seed gives the same result.
    json
        Print where the results are as JSON.
    """
    from hourglass.diagnostics.advice import is_undertrained

    data = data or next(name for name, shown in DEMOS.items() if shown.task == task)
    if data not in DEMOS:
        raise UsageError(f"--data {data}: there is no such demo{known(data, DEMOS)}")
    shown, data_sets = DEMOS[data], {demo.data for demo in DEMOS.values()}
    out = out.expanduser()
    try:
        begun = (runs.unfinished(out) or runs.origin_of_model(out)) if out.is_dir() else None
    except ValueError as error:
        raise FileExistsError(f"{error}. For the demo: delete the folder, or name another --out") from error
    of_demo = runs.arguments_of(begun, out).get("data") in data_sets
    if out.exists() and not of_demo and (not out.is_dir() or begun or runs.holds_other_files(out)):
        raise FileExistsError(f"{out} holds something other than a demo; name another --out")
    # one thread: the network is so small that a second one, on a busy machine, costs more than it brings
    arguments = {"data": shown.data, "recipe": "vae", "threads": 1, **shown.arguments}
    estimator = train(out, {**arguments, "max_epochs": max_epochs or shown.max_epochs, "seed": seed})
    if shown.task == DENOISE:
        page = _page_of_noise(estimator, shown, out / "report.html")
    else:
        given = RunInputs.of(estimator, out, shown.data, shown.split).some()
        page = write_page(estimator, given, out / "report.html", shown.title)
    commands = next_commands(*_commands(shown, out, estimator.modality_.endings[0]), ["hourglass", "fit", "--help"])
    advice = [in_shell_words(sentence) for sentence in estimator.advice_]
    figures = "" if shown.task in (DETECT, DENOISE) else _figures(estimator.summary_, estimator.modality_.noun)
    figures = advice[0] if shown.task == DENOISE else figures
    meaning = f"{shown.its_map} {figures}".rstrip()
    if shown.task != DENOISE and is_undertrained(estimator.summary_):
        meaning = " ".join(advice[:2])
    text = f"""
The report is {page.resolve()} (open it in a browser).
{meaning}

{commands}"""
    print_result({"run": out, "report": page, "advice": advice}, text, json)


def _page_of_noise(estimator: Any, shown: Demo, path: Path) -> Path:
    """Some of the pictures with noise, and without it again."""
    import numpy as np

    from hourglass import datasets
    from hourglass.denoising.noise import Noise, correlation, estimate
    from hourglass.report.denoised import Denoised, write_denoised

    found = datasets.load(shown.data)
    assert found.labels is not None
    chosen = np.linspace(0, len(found.X) - 1, 8).astype(int)
    noisy = Noise.parse(shown.arguments["noise"])(found.X[chosen].astype(np.float32), np.random.default_rng(0))
    pairs = zip(chosen.tolist(), noisy, estimator.transform(list(noisy)), strict=True)
    pictures = [
        Denoised(f"{found.labels[i]}, piece {i}", one, clean, estimate(one), correlation(one - clean))
        for i, one, clean in pairs
    ]
    return write_denoised(path, pictures, estimator.advice_[:1], len(pictures))


def _commands(shown: Demo, out: Path, ending: str) -> list[list[str]]:
    """What to try next."""
    if shown.task == DENOISE:
        return [
            ["hourglass", "denoise", str(out), "NOISY-PICTURES", "CLEAN-PICTURES"],
            ["hourglass", "fit", "YOUR-PICTURES", "--task", "denoise", "--noise", "gaussian:0-55"],
        ]
    if shown.task == DETECT:
        part = [] if shown.split is None else ["--split", shown.split]
        return [
            ["hourglass", "detect", str(out), shown.data, *part, "--out", str(out / "alarms.csv")],
            ["hourglass", "detect", str(out), shown.data, *part, "--false-discovery-rate", "0.2", "--only-alarms",
             "--out", str(out / "few.csv")],
            ["hourglass", "fit", "YOUR-TABLE.csv", "--task", "detect"],
        ]  # fmt: skip
    return [
        ["hourglass", "sample", str(out), "-n", "64", "--out", str(out / f"samples{ending}")],
        ["hourglass", "embed", str(out), shown.data, "--out", str(out / "codes.csv")],
        ["hourglass", "fit", shown.data, "--condition", "labels", *shown.options],
        ["hourglass", "compare", shown.data, "--recipes", "ae", "vae", "--max-epochs", "40", *shown.options],
    ]


def _figures(summary: Summary, noun: str) -> str:
    """What the code keeps, in a sentence or two."""
    if math.isnan(summary.pca_unexplained_variance):
        return (
            f"{summary.n_latent} latent dimensions make {1 - summary.unexplained:.0%} fewer errors on held-out {noun}s "
            "than always predicting the most frequent value. The report shows what they lose, next to the originals."
        )
    kept, linear = 1 - summary.unexplained_variance, 1 - summary.pca_unexplained_variance
    return (
        f"{summary.n_latent} latent dimensions keep {kept:.0%} of the variance of held-out {noun}s; {summary.n_latent} "
        f"components of PCA keep {linear:.0%}. The report shows what they lose, next to the originals."
    )
