"""numpy's own files, .npy and .npz, and scipy's sparse archives. Pickled objects are never opened: they run code."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from hourglass.readers.data import Data
from hourglass.readers.decoding import BLOCK, check_fits, corrupt, decoding
from hourglass.readers.memory import from_array, from_memory

EXAMPLES = ("X", "x", "data", "images", "imgs", "arr_0")
LABELS = ("y", "labels")
SPARSE = {"format", "shape", "data"}  # what every archive of scipy.sparse.save_npz holds
NPY, NPZ = ".npy", ".npz"
MAX_INFLATION = 1032  # bytes that one byte of a zip archive can unpack to at most


def read(path: Path) -> Data:
    """Examples of a .npy file or a .npz archive.

    In an archive they are the array called X, x, data, images, imgs or arr_0, or the only one there is;
    its labels are called y or labels. A sparse matrix as scipy saves it is read as the table it stands for.
    """
    with decoding(path, NPY), path.open("rb") as file:
        begins = file.read(4)
    if begins[:2] != b"PK":
        return from_array(load_npy(path), source=str(path))
    with decoding(path, NPZ):
        archive = zipfile.ZipFile(path)
    with archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist()}
        if members.keys() >= SPARSE and "X" not in members:
            return from_memory(_sparse(archive, members, path), source=str(path))
        others = [key for key in members if key not in LABELS]
        key = next((name for name in EXAMPLES if name in members), others[0] if len(others) == 1 else None)
        if key is None:
            raise ValueError(
                f"{path}: none of its arrays {list(members)} is called {', '.join(EXAMPLES)}; save the examples as X"
            )
        label_key = next((name for name in LABELS if name in members), None)
        X = _member(archive, members[key], path)
        labels = None if label_key is None else _member(archive, members[label_key], path)
    return from_array(X, labels=labels, source=str(path))


def load_npy(path: Path) -> np.ndarray:
    """The array of a .npy file, of plain numbers or texts."""
    with path.open("rb") as file:
        return _array(file, path.stat().st_size, str(path), NPY)


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    where = f"{path}, array {name.removesuffix('.npy')!r}"
    about = archive.getinfo(name)
    with decoding(where, NPZ):
        file = archive.open(about)
    with file:
        return _array(file, min(about.file_size, about.compress_size * MAX_INFLATION), where, NPZ)


def _array(file: IO[bytes], size: int, where: str, form: str) -> np.ndarray:
    """The array that begins here, if `size` bytes can hold what its header claims, and memory too."""
    with decoding(where, form):
        begins = file.read(8)
    if begins[:6] != b"\x93NUMPY":
        raise ValueError(
            f"{where}: not a numpy file; it may hold Python objects, and opening those can run code; save plain "
            "numbers, for example np.save(path, X.astype('float32')), or text as .csv or .parquet"
        )
    header: Any = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}.get(begins[6])
    if header is None:
        raise corrupt(where, form, f"version {begins[6]} of the format")
    with decoding(where, form):
        shape, fortran, dtype = header(file)
    if dtype.hasobject:
        raise ValueError(
            f"{where}: holds Python objects, and opening those can run code; save plain numbers, for example "
            "np.save(path, X.astype('float32')), or text as .csv or .parquet"
        )
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > size:
        raise corrupt(where, form, f"its header claims shape {shape} of {dtype}, {n_bytes:,} bytes; it has {size:,}")
    check_fits(where, n_bytes, "the array takes", "save fewer rows, or a smaller type such as float32")
    with decoding(where, form):
        array = np.empty(math.prod(shape), dtype)
        got = _fill(file, array.view(np.uint8)) if n_bytes else 0
    if got < n_bytes:
        raise corrupt(where, form, f"cut short: {got:,} of {n_bytes:,} bytes")
    return array.reshape(shape, order="F" if fortran else "C")


def _fill(file: IO[bytes], content: np.ndarray) -> int:
    """Reads into an array of bytes, some at a time, so that nothing is in memory twice; the number of bytes read."""
    got = 0
    while block := file.read(min(BLOCK, len(content) - got)):
        content[got : got + len(block)] = np.frombuffer(block, np.uint8)
        got += len(block)
    return got


def _sparse(archive: zipfile.ZipFile, members: dict[str, str], path: Path) -> Any:
    """The matrix that scipy.sparse.save_npz wrote, every index of it within its shape."""
    from scipy import sparse

    parts = {key: _member(archive, name, path) for key, name in members.items()}
    with decoding(path, "sparse .npz"):
        form = parts["format"].item()
        form = form.decode() if isinstance(form, bytes) else str(form)
        shape = tuple(int(n) for n in parts["shape"])
        if form in ("csr", "csc", "bsr"):
            matrix = getattr(sparse, f"{form}_array")((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
            matrix.check_format(full_check=True)
        elif form == "coo":
            matrix = sparse.coo_array((parts["data"], (parts["row"], parts["col"])), shape=shape)
        elif form == "dia":
            matrix = sparse.dia_array((parts["data"], parts["offsets"]), shape=shape)
        else:
            raise ValueError(f"a sparse matrix of format {form!r}")
    return matrix
