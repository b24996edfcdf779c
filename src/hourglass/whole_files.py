"""Files and folders that are written whole or not at all, whatever ends the process and however full the disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from hourglass.readers import written_whole


def make_folder(folder: Path) -> list[Path]:
    """Makes a folder and those above it that are missing; the innermost of those made comes first.

    Each is on the disk when this returns: a file in a folder that a power cut takes away is not written.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        _flush_folder(place.parent)
    return missing


def write_whole(path: Path, content: bytes) -> None:
    """Writes bytes to a file, or leaves what was there before.

    Raises
    ------
    OSError : naming the file and the remedy.
    """
    make_folder(path.parent)
    with written_whole(path) as partial:
        partial.write_bytes(content)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """The same for tensors, as a safetensors file: made in memory, so that no writer but ours is at work."""
    write_whole(path, safetensors.torch.save(_apart(tensors), None if metadata is None else dict(metadata)))


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
