"""`hourglass fit`: data in, a trained model in a run folder out."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from hourglass.cli import inputs, runs
from hourglass.cli.errors import UsageError, note
from hourglass.cli.output import next_commands, print_result
from hourglass.run_files import CHECKPOINT, LOCK, MODEL, Origin, Run
from hourglass.typed_json import read_json

if TYPE_CHECKING:
    from hourglass import Tables
    from hourglass.estimators import Embedder

ListOption = Parameter(consume_multiple=True, negative="")
Flag = Parameter(negative="")
OF_TABLES = ("counts", "categories")  # columns declared to be


def fit(
    data: str | None = None,
    /,
    *,
    recipe: str | None = None,
    n_latent: int | None = None,
    map: Annotated[bool, Flag] = False,
    condition: str | None = None,
    labels: str | None = None,
    drop: Annotated[list[str] | None, ListOption] = None,
    part: Literal["train", "test", "all"] | None = None,
    out: Path | None = None,
    resume: Annotated[bool, Flag] = False,
    overwrite: Annotated[bool, Flag] = False,
    max_epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    hidden: Annotated[list[int] | None, ListOption] = None,
    network: Literal["mlp", "conv"] | None = None,
    activation: Literal["silu", "relu", "gelu", "tanh", "sigmoid"] | None = None,
    likelihood: Literal["gaussian", "laplace", "bernoulli"] | None = None,
    variance: Literal["shared", "feature"] | float | None = None,
    binarise: Literal["dynamic"] | None = None,
    counts: Annotated[list[str] | None, ListOption] = None,
    categories: Annotated[list[str] | None, ListOption] = None,
    validation_fraction: float | None = None,
    patience: int | None = None,
    precision: Literal["auto", "float32", "bfloat16"] | None = None,
    device: Literal["auto", "cpu", "cuda"] | None = None,
    threads: int | None = None,
    seed: int | None = None,
    stream: Annotated[bool, Flag] = False,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Learn a small code for every example of a table or a set of pictures.

    Nothing but DATA needs to be said: what is left out is chosen by the data and the machine. Ctrl-C ends training
    early and keeps the best model so far; a run that was killed goes on with `hourglass fit --resume --out RUN`, to
    the very same weights.

    Parameters
    ----------
    data
        A .csv, .tsv, .parquet, .npy or .npz file, a folder of pictures, or a named data set (`hourglass datasets`).
        Empty cells of a table are missing values.
    recipe
        The kind of autoencoder: vae if left out; `hourglass recipes` lists them. More words change it: "vae kl=0.1"
        weighs a term, "ae RandomAffine GaussianNoise=1" shows the encoder moved and noisy pictures.
    n_latent
        Size of the latent code. Left out, it is estimated from the data.
    map
        Same as --n-latent 2, for a map you can plot.
    condition
        Tell the model something beside each example: a column of DATA, a FILE with one row an example, or "labels" for
        the labels that come with the data. It is then needed by embed, score and sample, too.
    labels
        A column of DATA, or a FILE, that colours the report. Never used for learning.
    drop
        Columns to leave out, such as identifiers.
    part
        For named data sets: train if left out.
    out
        The run's folder; runs/DATA-RECIPE if left out.
    resume
        Continue the run in --out, with the arguments it was started with.
    overwrite
        Start anew where --out holds a run already.
    max_epochs
        Passes through the data at most, also the horizon of the learning rate.
    batch_size
        Rows a step.
    learning_rate
        Its peak; it warms up shortly and falls along a cosine.
    hidden
        Widths of the encoder's layers, such as --hidden 64 32; the decoder mirrors them; 0 for none.
    network
        conv is the choice for pictures above 32 pixels a side.
    activation
        silu if left out.
    likelihood
        Left out, it is inferred: bernoulli for two values only, else gaussian; categories by themselves. With bernoulli
        a grey level is taken as the probability that is to be given back.
    variance
        The Gaussian's: one for all (shared), one a feature, or a fixed number.
    binarise
        Toss every pixel anew each time, with its grey level as the probability.
    counts
        Columns that hold counts (0, 1, 2, ...).
    categories
        Columns whose numbers stand for categories, such as codes of products. Texts are categories anyway.
    validation_fraction
        Share of rows held out for early stopping: 0.1 if left out; 0 trains on all rows to the end.
    patience
        Epochs without improvement before training stops.
    precision
        auto takes bfloat16 for large networks where the machine is made for it.
    device
        auto takes a GPU where there is one.
    threads
        Threads to use.
    seed
        Of everything random; 0 if left out.
    stream
        Read a Parquet table piece by piece. Above 1 GB that is done anyway.
    json
        Print the result as JSON.
    """
    from hourglass.folder_lock import locked

    if resume and overwrite:
        raise UsageError("--resume goes on with a run and --overwrite starts it anew; give one of them")
    if map and n_latent not in (None, 2):
        raise UsageError(f"--map means --n-latent 2, but --n-latent is {n_latent}; give one of them")
    given = {
        "data": runs.absolute_if_path(data), "recipe": recipe, "n_latent": 2 if map else n_latent,
        "condition": runs.absolute_if_path(condition), "labels": runs.absolute_if_path(labels),
        "drop": drop, "part": part,
        "max_epochs": max_epochs, "batch_size": batch_size, "learning_rate": learning_rate,
        "hidden": hidden, "network": network, "activation": activation, "likelihood": likelihood, "variance": variance,
        "binarise": binarise, "counts": counts, "categories": categories,
        "validation_fraction": validation_fraction, "patience": patience, "precision": precision,
        "device": device, "threads": threads, "seed": seed, "stream": stream or None,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    folder = _folder(out, data, recipe)
    _check_recipe(given)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; --out names a folder")
    was_killed = (folder / LOCK).exists()  # or is at work: then it is not to be had
    with locked(folder, "fit"):
        if not resume:
            _check_free(folder, overwrite)
            estimator = train(folder, given)
        elif (begun := runs.unfinished(folder)) is not None:
            estimator = train(folder, _arguments_to_resume(folder, begun, given), resume=True)
        elif (finished := runs.origin_of_model(folder)) is not None:
            _arguments_to_resume(folder, finished, given)
            runs.clean_up(folder)
            text = f"{folder} is finished; there is nothing to resume. To start over: --overwrite, or another --out.\n"
            print_result({"run": folder, "ended": runs.how_it_ended(folder)}, text + _next(folder), json)
            return
        elif was_killed and "data" in given:
            _check_free(folder, overwrite)
            note(f"the run in {folder} ended before its first checkpoint: it starts from its beginning")
            estimator = train(folder, given)
        else:
            why = " (the one that was begun there ended before its first checkpoint)" if was_killed else ""
            raise FileNotFoundError(f"{folder} holds no run to resume{why}; to start one, leave --resume out")
    _tell(estimator, folder, json)


def _folder(out: Path | None, data: str | None, recipe: str | None) -> Path:
    if out is not None:
        return out.expanduser()
    if data is None:
        raise UsageError("name the DATA to learn from, or the run to go on with: --resume --out RUN")
    return runs.default_folder(data, (recipe or "vae").lower())


def _check_recipe(given: dict[str, Any]) -> None:
    from hourglass.estimators.names import named_recipe

    try:
        named_recipe(given.get("recipe", "vae"))
    except ValueError as error:
        raise UsageError(f"--{error}") from error


def _arguments_to_resume(folder: Path, origin: Origin, given: dict[str, Any]) -> dict[str, Any]:
    """What the run was started with; raises UsageError where what is given now is at odds with it."""
    before = runs.arguments_of(origin, folder)
    if not before:
        raise UsageError(
            f"the run in {folder} was started in Python: continue it there, with fit(..., run={str(folder)!r}, "
            "resume=True), or start over with --overwrite"
        )
    for name, value in given.items():
        if before.get(name) != value:
            option = "DATA" if name == "data" else "--" + name.replace("_", "-")
            was = f"with {before[name]}" if name in before else "without it"
            raise UsageError(
                f"{option} is {value}, but the run in {folder} was started {was}; leave it out, or start another run"
            )
    return before


def _check_free(folder: Path, overwrite: bool) -> None:
    """Raises unless a new run may be written there."""
    if overwrite:
        return
    if runs.how_it_ended(folder) is not None:
        raise FileExistsError(f"{folder} holds a finished run; --overwrite replaces it, or name another --out")
    if (folder / CHECKPOINT).exists():
        raise FileExistsError(f"{folder} holds an unfinished run; --resume continues it, --overwrite starts over")
    if runs.holds_other_files(folder):
        raise FileExistsError(f"{folder} holds other files; name another --out, or --overwrite to write among them")


def train(folder: Path, arguments: dict[str, Any], resume: bool = False) -> Embedder:
    """Fits and saves the run that `arguments` describe; the part of `fit` that the demo shares.

    A model that is in the folder stays there, and can be used, until the new one takes its place.
    """
    from hourglass.estimators import FitInterrupted
    from hourglass.folder_lock import locked
    from hourglass.training import Settings, read_about

    settings: Settings | None = None
    if resume and (folder / CHECKPOINT).exists():
        # a resumed run has the threads, precision and batch size it began with, whatever this machine would choose
        settings = read_about(folder / CHECKPOINT).settings
    elif resume:
        note(f"{folder} has no checkpoint yet: the run starts from its beginning")
    estimator = _estimator(arguments)
    own = estimator.get_params(deep=False)
    if settings:
        estimator.set_params(
            batch_size=settings.batch_size, precision=settings.precision, n_threads=settings.n_threads,
            device=settings.device,
        )  # fmt: skip
    X, condition, modality = _examples(arguments)
    if modality is not None:
        estimator.set_params(modality=modality)
        own["modality"] = modality
    with locked(folder, "fit"):
        estimator.set_params(verbose=True)
        with contextlib.suppress(FitInterrupted):  # the best weights so far are kept and saved
            estimator.fit(X, condition=condition, run=Run(folder, arguments), resume=resume)
        estimator.set_params(**own)
        estimator.save(folder)
        runs.clean_up(folder)
    return estimator


def _estimator(arguments: dict[str, Any]) -> Embedder:
    from hourglass import Embedder, Images

    taken = (
        "n_latent", "recipe", "likelihood", "variance", "network", "activation", "max_epochs", "batch_size",
        "learning_rate", "validation_fraction", "patience", "precision", "device",
    )  # fmt: skip
    options = {name: arguments[name] for name in taken if name in arguments}
    if "hidden" in arguments:
        options["hidden"] = tuple(width for width in arguments["hidden"] if width != 0)
        if any(width < 0 for width in options["hidden"]):
            raise UsageError(f"--hidden {arguments['hidden']}: widths are positive, or 0 for no hidden layer")
    if "binarise" in arguments:
        if declared := [option for option in OF_TABLES if option in arguments]:
            raise UsageError(f"--binarise is for pictures and --{declared[0]} for tables; give one of them")
        options["modality"] = Images(binarise=arguments["binarise"])
    return Embedder(n_threads=arguments.get("threads"), random_state=arguments.get("seed", 0), **options)


def _examples(arguments: dict[str, Any]) -> tuple[Any, Any, Tables | None]:
    """X and condition, as `Embedder.fit` takes them, and the modality where columns are declared."""
    source = arguments["data"]
    beside = {name: arguments.get(name) for name in ("condition", "labels")}
    if arguments.get("stream") or inputs.is_large(source):
        X, condition = _stream(source, drop=arguments.get("drop", []), **beside)
        taken = inputs.Inputs(X, condition)
    else:
        taken = inputs.to_fit(source, part=arguments.get("part"), drop=arguments.get("drop", []), **beside)
    if getattr(taken.X, "ndim", 2) == 2 and "binarise" in arguments:
        raise UsageError(f"--binarise is for pictures, and {source} is a table")
    return taken.X, taken.condition, inputs.declared(taken, **{name: arguments.get(name) for name in OF_TABLES})


def _stream(source: str, drop: list[str], condition: str | None, labels: str | None) -> tuple[Any, Any]:
    import difflib

    from hourglass import ParquetStream

    if not inputs.parquet_bytes(source):
        raise UsageError(f"--stream reads Parquet tables, and {source} is none")
    there = ParquetStream(source).columns
    for option, name in [("condition", condition), ("labels", labels), *(("drop", name) for name in drop)]:
        if name is not None and name not in there and not (option == "labels" and Path(name).exists()):
            near = difflib.get_close_matches(name, there, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(there)}"
            raise ValueError(f"--{option} {name}: {source} has no such column, as a streamed table needs; {hint}")
    kept = [name for name in there if name not in drop and name != labels]
    return ParquetStream(source, columns=kept), condition


def _next(folder: Path) -> str:
    run = str(folder)
    about = read_json(folder / MODEL)
    samples = "samples.csv" if about["modality"]["class"] == "Tables" else "samples.png"
    told = [
        c["categories"][-1] if c["categories"] else c["offset"] for c in (about["condition"] or {}).get("columns", ())
    ]
    values = [f"{v:.15g}" if isinstance(v, float) else str(v) for v in told]
    return next_commands(
        ["hourglass", "report", run],
        ["hourglass", "embed", run, "--out", "codes.csv"],
        ["hourglass", "sample", run, "-n", "16", *(["--condition", *values] if values else []), "--out", samples],
    )


def _tell(estimator: Embedder, folder: Path, as_json: bool) -> None:
    from dataclasses import asdict

    summary = estimator.summary_
    stopped = " Training was interrupted: what it had by then is saved." if summary.ended == "interrupted" else ""
    lines = [
        f"Saved {folder}: {summary.epochs} epochs in {summary.seconds:.0f} s.{stopped}",
        *(f"- {sentence}" for sentence in estimator.advice_),
    ]
    values = {"run": folder, "ended": summary.ended, "summary": asdict(summary), "advice": estimator.advice_}
    if not as_json:
        lines += [_next(folder)]
    print_result({**values, "n_latent": estimator.n_latent_}, "\n".join(lines), as_json)
