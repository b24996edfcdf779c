"""A run is a folder: run.json, how it was started; a checkpoint while it trains; then the model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

RUN = "run.json"
MODEL, CHECKPOINT = "hourglass.json", "checkpoint.safetensors"
OURS = (RUN, MODEL, "model.safetensors", CHECKPOINT, "report.html")
FORMAT = 1


def default_folder(data: str, recipe: str) -> Path:
    """runs/NAME-RECIPE, NAME being the data set's, or the file's without its ending."""
    name = re.sub(r"[^\w.-]+", "-", Path(data).name.split(".")[0]).strip("-") or "data"
    return Path("runs") / f"{name}-{recipe}"


def located(name: str | None) -> str | None:
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


def begin(folder: Path, arguments: dict[str, Any]) -> None:
    """Clears the folder of an earlier run and writes how this one is started, before anything else happens."""
    from hourglass import __version__
    from hourglass.readers import written_whole

    for name in OURS:
        (folder / name).unlink(missing_ok=True)
    about = {"format": FORMAT, "hourglass": __version__, "arguments": arguments}
    with written_whole(folder / RUN) as temporary:
        temporary.write_text(json.dumps(about, indent=1) + "\n")


def ended(folder: Path) -> str | None:
    """How the run's training ended ("max_epochs", "early_stopping", "interrupted"); None if there is no model yet."""
    try:
        return str(json.loads((folder / MODEL).read_text())["summary"]["ended"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
