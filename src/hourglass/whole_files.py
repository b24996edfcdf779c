"""Models and checkpoints written whole or not at all, whatever ends the process and however full the disk."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from hourglass.readers import written_whole


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, moved there in one step once it is on the disk."""
    try:
        for stray in path.parent.glob(f".{path.name}.*.part"):  # of a process that was killed while writing
            stray.unlink(missing_ok=True)
        with written_whole(path) as partial:
            yield partial
    except (OSError, SafetensorError) as error:
        kept = "; the file that was there before is unharmed" if path.exists() else ""
        raise OSError(
            f"{path} could not be written: {error}{kept}. Free some space there, or choose another folder"
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Writes bytes; raises OSError, naming the file and the remedy, and then leaves what was there before."""
    with _beside(path) as partial:
        partial.write_bytes(content)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """The same for a safetensors file; tensors are copied, because tied or viewed ones are refused by the format."""
    with _beside(path) as partial:
        save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, partial, dict(metadata))
        mask = os.umask(0)  # safetensors writes for the owner alone; a model is as readable as any other file
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
