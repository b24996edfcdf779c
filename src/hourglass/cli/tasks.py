"""What a model is trained for: the estimator of each task, and what only one of them takes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli.errors import UsageError
from hourglass.parameters import Denoising, Detection
from hourglass.shell_words import option

if TYPE_CHECKING:
    from hourglass.estimators import AutoencoderEstimator

EMBED, DETECT, DENOISE = "embed", "detect", "denoise"
# a line for each task: its estimator in `hourglass`, the parameters that no other task has, what may follow a fit
ESTIMATORS = {EMBED: "Embedder", DETECT: "Detector", DENOISE: "Denoiser"}
PARAMETERS: dict[str, type] = {DETECT: Detection, DENOISE: Denoising}
COMMANDS = {
    "Embedder": ("embed", "reconstruct", "score", "impute", "sample"),
    "Detector": ("reconstruct", "detect"),
    "Denoiser": ("denoise",),
}


def task_of(arguments: dict[str, Any]) -> str:
    """The task of a run with these arguments.

    Raises
    ------
    UsageError : for options of another one.
    """
    task = str(arguments.get("task") or EMBED)
    for other, kind in PARAMETERS.items():
        for field in dataclasses.fields(kind):
            if other != task and field.name in arguments:
                raise UsageError(f"{option(field.name)} is for --task {other}; add that, or leave it out")
    return task


def estimator_kind(arguments: dict[str, Any]) -> type[AutoencoderEstimator]:
    """The class of estimator that a run with these arguments fits."""
    import hourglass

    kind: type[AutoencoderEstimator] = getattr(hourglass, ESTIMATORS[task_of(arguments)])
    return kind


def commands_of(estimator: Any) -> tuple[str, ...]:
    """The commands that the estimator of a run has an answer to, besides report."""
    return COMMANDS.get(type(estimator).__name__, ())


def loaded(run: Path, command: str) -> Any:
    """The estimator of a run, for a command.

    Raises
    ------
    UsageError : where it has no answer to that command.
    """
    from hourglass import load

    estimator = load(run)
    name = type(estimator).__name__
    if command not in COMMANDS.get(name, (command,)):
        task = {kind: task for task, kind in ESTIMATORS.items()}
        other = next(kind for kind, commands in COMMANDS.items() if command in commands)
        raise UsageError(
            f"{run} was fitted with --task {task[name]}, and hourglass {command} needs a run of --task {task[other]}; "
            f"with this one go hourglass report, {', '.join(COMMANDS[name])}"
        )
    return estimator
