"""Files and folders that are written whole or not at all, whatever ends the process and however full the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from hourglass.readers import written_whole

REMEDIES = {
    errno.ENOSPC: "Free some space there, or choose another folder",
    errno.EDQUOT: "Free some space there, or choose another folder",
    errno.EFBIG: "Free some space there, or choose another folder",
    errno.EACCES: "Choose another folder, or change its permissions",
    errno.EPERM: "Choose another folder, or change its permissions",
    errno.EROFS: "Choose another folder",
}


def make_folder(folder: Path) -> list[Path]:
    """Makes a folder and those above it that are missing; the innermost of those made comes first.

    Each is on the disk when this returns: a file in a folder that a power cut takes away is not written.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        _flush_folder(place.parent)
    return missing


def write_whole(path: Path, content: bytes, part_of: Path | None = None) -> None:
    """Writes bytes to a file, or leaves what was there before.

    Parameters
    ----------
    path, content : the file and what is to be in it.
    part_of : the file that stands for the whole to which `path` belongs, if that is another.

    Raises
    ------
    OSError : naming the file and the remedy.
    """
    try:
        make_folder(path.parent)
        with written_whole(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        kept = "; what was there before is unharmed" if (part_of or path).exists() else ""
        remedy = f". {REMEDIES[error.errno]}" if error.errno in REMEDIES else ""
        raise OSError(f"{path} could not be written: {error.strerror or error}{kept}{remedy}") from error


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
    part_of: Path | None = None,
) -> None:
    """The same for tensors, as a safetensors file: made in memory, so that no writer but ours is at work."""
    content = safetensors.torch.save(_apart(tensors), None if metadata is None else dict(metadata))
    write_whole(path, content, part_of)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, each with memory of its own: the format has no place for tied weights and views."""
    apart: dict[str, Tensor] = {}
    storages = set()
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        storage = tensor.untyped_storage()
        if storage.data_ptr() in storages or storage.nbytes() != tensor.nbytes:
            tensor = tensor.clone()
            storage = tensor.untyped_storage()
        storages.add(storage.data_ptr())
        apart[name] = tensor
    return apart


def _flush_folder(folder: Path) -> None:
    """Asks the system to put the names in a folder on the disk; folders cannot be opened on Windows."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
