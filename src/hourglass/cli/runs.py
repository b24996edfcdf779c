"""Run folders as the commands see them: what can be continued there, what is finished, and with which arguments."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from hourglass.run_files import CHECKPOINT, MODEL, Origin, is_leftover, is_weights
from hourglass.typed_json import JSONError, arguments_from_json, from_json, read_json


def default_folder(data: str, recipe: str) -> Path:
    """runs/NAME-RECIPE, NAME being the data set's, or the file's without its ending."""
    name = re.sub(r"[^\w.-]+", "-", Path(data).name.split(".")[0]).strip("-") or "data"
    return Path("runs") / re.sub(r"[^\w.-]+", "-", f"{name}-{recipe}")


def absolute_if_path(name: str | None) -> str | None:
    """A path as an absolute one, so that the run can be continued from anywhere; other names as they are."""
    return str(Path(name).expanduser().resolve()) if name and Path(name).expanduser().exists() else name


def arguments_of(origin: Origin | None, folder: Path) -> dict[str, Any]:
    """The arguments of `hourglass fit` behind a checkpoint or a model; empty for one made in Python.

    Raises
    ------
    JSONError : naming the folder, for arguments that `fit` does not take.
    """
    from hourglass.cli.options import FitArguments

    if origin is None or origin.arguments is None:
        return {}
    try:
        arguments = arguments_from_json(FitArguments, origin.arguments, "arguments")
        if not isinstance(arguments.get("data"), str):
            raise JSONError("arguments.data is missing")
    except JSONError as error:
        raise JSONError(
            f"{folder} is corrupt, or was not written by this version of Hourglass: {error}; "
            "start the run over with --overwrite"
        ) from error
    return arguments


def how_it_ended(folder: Path) -> str | None:
    """How training of the model there ended ("max_epochs", "early_stopping", "interrupted"); None without a model."""
    return _model(folder)[0]


def origin_of_model(folder: Path) -> Origin | None:
    """Where the model there comes from; None without a model."""
    return _model(folder)[1]


def unfinished(folder: Path) -> Origin | None:
    """The run that can be continued there: that of the checkpoint, or of a model whose training was interrupted.

    The checkpoint of a model that is finished is not one: the process ended before it could delete it.

    Raises
    ------
    CheckpointError : for a corrupt checkpoint, or one of another version.
    """
    ended, origin = _model(folder)
    if not (folder / CHECKPOINT).exists():
        return origin if ended == "interrupted" else None
    from hourglass.training import read_about

    begun = read_about(folder / CHECKPOINT).origin
    finished = ended not in (None, "interrupted") and origin is not None and origin.id == begun.id
    return None if finished else begun


def clean_up(folder: Path) -> None:
    """Deletes what a saved model makes superfluous: other weights, and the checkpoint unless training may continue.

    What cannot be deleted now is deleted by the next command that writes there.
    """
    from hourglass.storage import delete_other_weights
    from hourglass.training import CheckpointError, read_about

    delete_other_weights(folder)
    ended, origin = _model(folder)
    kept = None
    if ended == "interrupted":
        with contextlib.suppress(CheckpointError):
            kept = read_about(folder / CHECKPOINT).origin
    if kept is None or origin is None or kept.id != origin.id:
        with contextlib.suppress(OSError):
            (folder / CHECKPOINT).unlink()


def holds_other_files(folder: Path) -> bool:
    """Whether there is anything that is neither of a run nor what a killed process left behind."""
    own = (MODEL, CHECKPOINT)
    return any(not (p.name in own or is_weights(p.name) or is_leftover(p.name)) for p in folder.iterdir())


def _model(folder: Path) -> tuple[str | None, Origin | None]:
    """How the training of the model there ended, and where it comes from; None, None without one that can be read."""
    try:
        about = read_json(folder / MODEL)
        return str(about["summary"]["ended"]), from_json(Origin, about["origin"])
    except (OSError, JSONError, LookupError, TypeError):
        return None, None
