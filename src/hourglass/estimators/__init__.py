"""scikit-learn estimators over models, training and storage."""

from pathlib import Path
from typing import Any

from hourglass import storage
from hourglass.estimators import saving
from hourglass.estimators.embedder import Embedder
from hourglass.estimators.estimator import AutoencoderEstimator


def load(folder: str | Path, custom: dict[str, Any] | None = None) -> Embedder:
    """Loads a saved estimator.

    Parameters
    ----------
    folder : what `save` wrote.
    custom : your own terms, bottlenecks, likelihoods or modalities by name; no code from the folder is ever run.

    Raises
    ------
    ModelFolderError : a truncated, foreign or newer folder, or a part that is not given.
    """
    saved = storage.load(Path(folder), custom)
    try:
        return saving.read(saved, Embedder)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise storage.ModelFolderError(f"{folder} does not describe an estimator of this version: {error!r}") from error


__all__ = ["AutoencoderEstimator", "Embedder", "load"]
