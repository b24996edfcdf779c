"""numpy's own files, .npy and .npz. Pickled objects are never opened: they run code."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.readers.data import Data
from hourglass.readers.memory import from_array

EXAMPLES = ("X", "x", "data", "images", "imgs", "arr_0")
LABELS = ("y", "labels")


def read(path: Path) -> Data:
    """Examples of a .npy file or a .npz archive.

    In an archive they are the array called X, x, data, images, imgs or arr_0, or the only one there is;
    its labels are called y or labels.
    """
    loaded = _load(path)
    if isinstance(loaded, np.ndarray):
        return from_array(loaded, source=str(path))
    with loaded as archive:
        keys = archive.files
        others = [key for key in keys if key not in LABELS]
        key = next((name for name in EXAMPLES if name in keys), others[0] if len(others) == 1 else None)
        if key is None:
            raise ValueError(
                f"{path}: none of its arrays {keys} is called {', '.join(EXAMPLES)}; save the examples as X"
            )
        label_key = next((name for name in LABELS if name in keys), None)
        X = _member(archive, key, path)
        labels = None if label_key is None else _member(archive, label_key, path)
    return from_array(X, labels=labels, source=str(path))


def _load(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error


def _member(archive: Any, key: str, path: Path) -> np.ndarray:
    try:
        return archive[key]
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error, key) from error


def _unreadable(path: Path, error: Exception, key: str | None = None) -> ValueError:
    what = f"{path}" if key is None else f"{path}, array {key!r}"
    if "pickle" in str(error):
        return ValueError(
            f"{what}: holds Python objects or is no numpy file, and opening those can run code; "
            "save plain numbers, for example np.save(path, X.astype('float32')), or text as .csv or .parquet"
        )
    return ValueError(f"{what}: damaged or cut short ({error}); write or fetch it again")
