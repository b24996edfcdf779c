"""Run folders as the commands see them: what can be continued there, what is finished, and with which arguments."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hourglass.run_files import CHECKPOINT, MODEL, START, Origin, is_leftover, is_weights, of_another_version
from hourglass.typed_json import JSONError, arguments_from_json, from_json, json_text, read_json


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


@contextlib.contextmanager
def started(folder: Path, origin: Origin) -> Iterator[None]:
    """Inside, a file keeps what the run was started with: killed before its first checkpoint, it can be resumed."""
    from hourglass.whole_files import write_whole

    write_whole(folder / START, json_text(origin).encode())
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / START).unlink()


def has_checkpoint(folder: Path, origin: Origin) -> bool:
    """Whether the checkpoint there, if any, is one of that run.

    Raises
    ------
    CheckpointError : for a corrupt checkpoint, or one of another version.
    """
    from hourglass.training import read_about

    return (folder / CHECKPOINT).exists() and read_about(folder / CHECKPOINT).origin.id == origin.id


def how_it_ended(folder: Path) -> str | None:
    """How training of the model there ended ("max_epochs", "early_stopping", "interrupted"); None without a model."""
    return _model(folder)[0]


def origin_of_model(folder: Path) -> Origin | None:
    """Where the model there comes from; None without a model.

    Raises
    ------
    ValueError : for a model of another version.
    """
    return _of_this_version(folder, _model(folder)[1])


def unfinished(folder: Path) -> Origin | None:
    """The run that can be continued there: the one begun last, or that of a model whose training was interrupted.

    That of a model that is finished is not one: the process ended before it could delete what was left of it.

    Raises
    ------
    CheckpointError : for a corrupt checkpoint, or one of another version.
    ValueError : for an interrupted model of another version.
    """
    ended, origin = _model(folder)
    begun = _begun(folder)
    if begun is None:
        return _of_this_version(folder, origin) if ended == "interrupted" else None
    finished = ended not in (None, "interrupted") and origin is not None and origin.id == begun.id
    return None if finished else begun


def _begun(folder: Path) -> Origin | None:
    """The run that was started there last and left its arguments, or else its checkpoint."""
    from hourglass.training import read_about

    with contextlib.suppress(OSError, JSONError):
        return from_json(Origin, read_json(folder / START))  # type: ignore[no-any-return]
    return read_about(folder / CHECKPOINT).origin if (folder / CHECKPOINT).exists() else None


def _of_this_version(folder: Path, origin: Origin | None) -> Origin | None:
    """The origin of the model there; raises ValueError where another version wrote it."""
    with contextlib.suppress(OSError, JSONError, LookupError, TypeError):
        number = read_json(folder / MODEL)["format"]
        if type(number) is int and (other := of_another_version(folder, number)):
            raise ValueError(other)
    return origin


def clean_up(folder: Path) -> None:
    """Deletes what a saved model makes superfluous: weights, arguments; the checkpoint unless training may continue.

    What cannot be deleted now is deleted by the next command that writes there.
    """
    from hourglass.storage import delete_other_weights
    from hourglass.training import CheckpointError, read_about

    delete_other_weights(folder)
    with contextlib.suppress(OSError):
        (folder / START).unlink()
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
    own = (MODEL, CHECKPOINT, START)
    return any(not (p.name in own or is_weights(p.name) or is_leftover(p.name)) for p in folder.iterdir())


def _model(folder: Path) -> tuple[str | None, Origin | None]:
    """How the training of the model there ended, and where it comes from; None, None without one that can be read."""
    try:
        about = read_json(folder / MODEL)
        return str(about["summary"]["ended"]), from_json(Origin, about["origin"])
    except (OSError, JSONError, LookupError, TypeError):
        return None, None
