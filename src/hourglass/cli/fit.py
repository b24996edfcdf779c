"""`hourglass fit`: data in, a trained model in a run folder out."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from hourglass.cli import runs
from hourglass.cli.companions import Inputs, to_fit, with_label
from hourglass.cli.errors import UsageError, about, note, out_of_memory_says
from hourglass.cli.kinds import fitting, modality_of
from hourglass.cli.options import FLATTENED, READING, FitArguments, estimator_parameters
from hourglass.cli.output import next_commands, print_result
from hourglass.cli.sources import check_options, is_large, known, parquet_bytes
from hourglass.cli.tasks import EMBED, commands_of, estimator_kind, task_of
from hourglass.run_files import CHECKPOINT, LOCK, Origin, Run
from hourglass.shell_words import in_shell_words, option


def fit(
    data: str | None = None,
    /,
    *,
    arguments: Annotated[FitArguments, FLATTENED] = FitArguments(),  # noqa: B008
    map: bool = False,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    json: bool = False,
) -> None:
    """Learn a small code for every example of a table, a set of pictures or lines of text.

    Only DATA is required: everything else has a default, chosen from your data and your hardware. Ctrl-C stops early
    and keeps the best model; a run that was stopped or killed continues with `hourglass fit --resume --out RUN`, to the
    very same weights.

    Example: `hourglass fit people.csv --drop id`; to find anomalies: `hourglass fit people.csv --task detect`

    Parameters
    ----------
    data
        A .csv, .tsv, .parquet, .npy or .npz file, a folder of pictures, a .log file (or .txt, with --modality text), or
        a public data set (`hourglass datasets`).
        Empty cells of a table are missing values.
    map
        Same as --n-latent 2, for a map you can plot.
    out
        Where to write: the run's folder. By default runs/DATA-RECIPE.
    resume
        Continue the run in --out, with the arguments it was started with.
    overwrite
        Start over where --out holds a run already.
    json
        Print the result as JSON.
    """
    from hourglass import load
    from hourglass.folder_lock import locked

    if data is None and not resume:
        raise UsageError("name the DATA to learn from: a file, a folder or a public data set, as in hourglass fit DATA")
    if resume and overwrite:
        raise UsageError("--resume continues a run and --overwrite starts it over; give one of them")
    if map and arguments.n_latent not in (None, 2):
        raise UsageError(f"--map means --n-latent 2, but --n-latent is {arguments.n_latent}; give one of them")
    given = replace(arguments, n_latent=2 if map else arguments.n_latent, data=data).given()
    for name in ("data", "condition", "labels"):  # so that the run can be continued from another folder
        if name in given:
            given[name] = runs.absolute_if_path(given[name])
    folder = _folder(out, data, given)
    check(given)
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; --out names a folder")
    was_killed = (folder / LOCK).exists()  # or is at work: then it is not to be had
    with locked(folder, "fit"):
        if not resume:
            _check_free(folder, overwrite)
            estimator = train(folder, given)
        elif (begun := runs.unfinished(folder)) is not None:
            estimator = train(folder, _arguments_to_resume(folder, begun, given), begun)
        elif (finished := runs.origin_of_model(folder)) is not None:
            _arguments_to_resume(folder, finished, given)
            runs.clean_up(folder)
            text = f"{folder} is finished; there is nothing to resume. To start over: --overwrite, or another --out.\n"
            print_result({"run": folder, "ended": runs.how_it_ended(folder)}, text + _next(load(folder), folder), json)
            return
        elif was_killed and "data" in given:
            _check_free(folder, overwrite)
            note(f"the run in {folder} ended before its first checkpoint: it starts from its beginning")
            estimator = train(folder, given)
        else:
            why = " (the one that was begun there ended before its first checkpoint)" if was_killed else ""
            raise FileNotFoundError(f"{folder} holds no run to resume{why}; to start one, leave --resume out")
    _tell(estimator, folder, json)


def _folder(out: Path | None, data: str | None, arguments: dict[str, Any]) -> Path:
    if out is not None:
        return out.expanduser()
    if data is None:
        raise UsageError("name the DATA to learn from, or the run to continue: --resume --out RUN")
    task = task_of(arguments)
    return runs.default_folder(data, (arguments.get("recipe") or "vae").lower() if task == EMBED else task)


def check(arguments: dict[str, Any]) -> None:
    """Raises UsageError for options that no run can have, before anything is read."""
    kind = estimator_kind(arguments)
    modality_of(arguments)
    if "data" in arguments:
        check_options(arguments["data"], **{name: arguments.get(name) for name in READING})
    try:
        kind(
            arguments.get("n_latent"), recipe=arguments.get("recipe", "vae"), **estimator_parameters(arguments)
        ).check_parameters()
    except (ValueError, TypeError) as error:
        raise UsageError(in_shell_words(str(error))) from error


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
            named = "DATA" if name == "data" else option(name)
            was = f"with {before[name]}" if name in before else "without it"
            raise UsageError(
                f"{named} is {value}, but the run in {folder} was started {was}; leave it out, or start another run"
            )
    return before


def _check_free(folder: Path, overwrite: bool) -> None:
    """Raises unless a new run may be written there."""
    if overwrite:
        return
    ended = runs.how_it_ended(folder)
    if ended == "interrupted":
        raise FileExistsError(f"{folder} holds an interrupted run; --resume continues it, --overwrite starts over")
    if ended is not None:
        raise FileExistsError(f"{folder} holds a finished run; --overwrite replaces it, or name another --out")
    if (folder / CHECKPOINT).exists():
        raise FileExistsError(f"{folder} holds an unfinished run; --resume continues it, --overwrite starts over")
    if runs.holds_other_files(folder):
        raise FileExistsError(f"{folder} holds other files; name another --out, or --overwrite to write among them")


def train(folder: Path, arguments: dict[str, Any], begun: Origin | None = None) -> Any:
    """Fits and saves the run that `arguments` describe, or continues the one `begun`; `fit` and the demo share it.

    A model that is in the folder stays there, and can be used, until the new one takes its place.
    """
    from hourglass.estimators import FitInterrupted
    from hourglass.folder_lock import locked
    from hourglass.training import Settings, read_about
    from hourglass.training.progress import of_fit

    settings: Settings | None = None
    origin = begun or Origin(arguments=arguments)
    resume = begun is not None and runs.has_checkpoint(folder, begun)
    if resume:
        # a resumed run has the threads, precision and batch size it began with, whatever this machine would choose
        settings = read_about(folder / CHECKPOINT).settings
    elif begun is not None:
        note(f"{folder} has no checkpoint yet: the run starts from its beginning")
    with locked(folder, "fit"), runs.started(folder, origin):
        given, kind = _examples(arguments)
        estimator = estimator_kind(arguments)(
            arguments.get("n_latent"),
            recipe=arguments.get("recipe", "vae"),
            **{"random_state": 0} | estimator_parameters(arguments),
            modality=fitting(modality_of(arguments), arguments, kind, given),
        )
        own = {name: getattr(estimator, name) for name in ("batch_size", "precision", "n_threads", "device")}
        if settings:
            estimator.set_params(**{name: getattr(settings, name) for name in own})
        sizes = " or ".join(option(name) for name in ("n_latent", "hidden") if name in arguments)
        too_large = (
            f"the model does not fit into memory: take a smaller {sizes}" if sizes else "data and model do not fit"
        )
        with (
            out_of_memory_says(too_large),
            contextlib.suppress(FitInterrupted),  # the best weights so far are kept and saved
            of_fit("--max-epochs") as watch,
            about(arguments["data"]),
        ):
            run = Run(folder, origin)
            estimator.fit(given.X, condition=given.condition, run=run, resume=resume, watch=watch)
        estimator.set_params(**own)
        estimator.save(folder)
        runs.clean_up(folder)
    return estimator


def _examples(arguments: dict[str, Any]) -> tuple[Inputs, str]:
    """What `fit` takes, and the kind of data it is."""
    beside = {name: arguments.get(name) for name in ("condition", "labels")}
    how = {name: arguments.get(name) for name in READING}
    if arguments.get("stream") or is_large(arguments["data"]):
        if "normal" in arguments:
            raise UsageError("--normal is for data read at once: leave it out, and give a table of normal rows")
        return _stream(arguments["data"], drop=arguments.get("drop", []), **beside), "tables"
    given = to_fit(arguments["data"], drop=arguments.get("drop", []), **how, **beside)
    if "normal" in arguments:
        given = with_label(given, arguments["normal"])
    return given, given.X.kind


def _stream(source: str, drop: list[str], condition: str | None, labels: str | None) -> Inputs:
    from hourglass import ParquetStream

    if not parquet_bytes(source):
        raise UsageError(f"--stream reads Parquet tables, and {source} is not one")
    there = ParquetStream(source).columns
    for name, column in [("condition", condition), ("labels", labels), *(("drop", column) for column in drop)]:
        if column is not None and column not in there and not (name == "labels" and Path(column).exists()):
            raise ValueError(
                f"{option(name)} {column}: {source} has no such column, as a table read in chunks needs"
                f"{known(column, there)}"
            )
    kept = [name for name in there if name not in drop and name != labels]
    return Inputs(ParquetStream(source, columns=kept), condition)


def _next(estimator: Any, folder: Path) -> str:
    run, condition = str(folder), []
    if estimator.condition_ is not None:
        columns = estimator.condition_.table.columns
        values = [c.categories[-1] if c.categories else c.offset for c in columns]
        condition = ["--condition", *(f"{v:.15g}" if isinstance(v, float) else str(v) for v in values)]
    samples = f"samples{estimator.modality_.endings[0]}"
    if "detect" in commands_of(estimator):
        return next_commands(
            ["hourglass", "report", run],
            ["hourglass", "detect", run, "NEW-DATA", "--out", "alarms.csv"],
        )
    if "denoise" in commands_of(estimator):
        return next_commands(["hourglass", "denoise", run, "NOISY", "CLEAN"])
    return next_commands(
        ["hourglass", "report", run],
        ["hourglass", "embed", run, "--out", "codes.csv"],
        ["hourglass", "sample", run, "-n", "16", *condition, "--out", samples],
    )


def _tell(estimator: Any, folder: Path, as_json: bool) -> None:
    from dataclasses import asdict

    summary = estimator.summary_
    epochs = f"{summary.epochs} epoch{'' if summary.epochs == 1 else 's'}"
    if summary.ended == "interrupted":
        resume = " ".join(next_commands(["hourglass", "fit", "--resume", "--out", str(folder)]).split()[1:])
        first = f"Saved {folder}: interrupted after {epochs}; the best model is kept; continue with\n  {resume}"
    else:
        first = f"Saved {folder}: {epochs} in {summary.seconds:.0f} s."
    advice = [in_shell_words(sentence) for sentence in estimator.advice_]
    lines = [first, *(f"- {sentence}" for sentence in advice)]
    values = {"run": folder, "ended": summary.ended, "summary": asdict(summary), "advice": advice}
    if not as_json:
        lines += [_next(estimator, folder)]
    print_result({**values, "n_latent": estimator.n_latent_}, "\n".join(lines), as_json)
