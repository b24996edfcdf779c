"""A run is a folder: run.json, how it was started; a checkpoint while it trains; then the model."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RUN = "run.json"
MODEL, CHECKPOINT = "hourglass.json", "checkpoint.safetensors"
OURS = (RUN, MODEL, "model.safetensors", CHECKPOINT, "report.html")
FORMAT = 1


def default_folder(data: str, recipe: str) -> Path:
    """runs/NAME-RECIPE, NAME being the data set's, or the file's without its ending."""
    name = re.sub(r"[^\w.-]+", "-", Path(data).name.split(".")[0]).strip("-") or "data"
    return Path("runs") / re.sub(r"[^\w.-]+", "-", f"{name}-{recipe}")


def absolute_if_path(name: str | None) -> str | None:
    """A path as an absolute one, so that the run can be continued from anywhere; other names as they are."""
    return str(Path(name).expanduser().resolve()) if name and Path(name).expanduser().exists() else name


def arguments_of(folder: Path) -> dict[str, Any]:
    """What the run was started with; empty for a model saved from Python.

    Raises ValueError where run.json is damaged or of a newer version.
    """
    path = folder / RUN
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text())
        arguments, version = dict(about["arguments"]), int(about["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged or foreign ({error}); start the run anew with --overwrite") from error
    if version > FORMAT:
        raise ValueError(f"{path} was written by a newer Hourglass (format {version}); update Hourglass")
    return arguments


@contextlib.contextmanager
def new_run(folder: Path, arguments: dict[str, Any]) -> Iterator[None]:
    """A new run: run.json is written first, and an earlier run is set aside until `finish`.

    Where it fails before there is a checkpoint to go on from, the folder is as it was before.
    """
    from hourglass import __version__
    from hourglass.readers import written_whole

    made = [place for place in (folder, *folder.parents) if not place.exists()]
    earlier = [folder / name for name in OURS if (folder / name).exists()]
    for path in earlier:
        path.replace(_backup(path))
    try:
        about = {"format": FORMAT, "hourglass": __version__, "arguments": arguments}
        with written_whole(folder / RUN) as temporary:
            temporary.write_text(json.dumps(about, indent=1) + "\n")
        yield
    except BaseException:
        if not (folder / CHECKPOINT).exists():
            (folder / RUN).unlink(missing_ok=True)
            for path in earlier:
                _backup(path).replace(path)
            for place in made:
                if place.is_dir() and not any(place.iterdir()):
                    place.rmdir()
        raise


def clean_up(folder: Path, interrupted: bool) -> None:
    """Deletes what a saved run needs no more: an earlier run, and the checkpoint unless training may go on from it."""
    for name in OURS:
        _backup(folder / name).unlink(missing_ok=True)
    if not interrupted:
        (folder / CHECKPOINT).unlink(missing_ok=True)


def _backup(path: Path) -> Path:
    return path.with_name(f".{path.name}.before")


def how_it_ended(folder: Path) -> str | None:
    """How the run's training ended ("max_epochs", "early_stopping", "interrupted"); None if there is no model yet."""
    try:
        return str(json.loads((folder / MODEL).read_text())["summary"]["ended"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
