"""scikit-learn estimators over models, training and storage."""

from pathlib import Path
from typing import Any

from hourglass import storage
from hourglass.estimators import saving
from hourglass.estimators.denoiser import Denoiser
from hourglass.estimators.detector import Detector
from hourglass.estimators.embedder import Embedder
from hourglass.estimators.estimator import AutoencoderEstimator, FitInterrupted

__all__ = ["AutoencoderEstimator", "Denoiser", "Detector", "Embedder", "FitInterrupted", "load"]


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
    exported = {name: globals()[name] for name in __all__} | (custom or {})
    kinds = {
        name: kind
        for name, kind in exported.items()
        if isinstance(kind, type) and issubclass(kind, AutoencoderEstimator) and kind is not AutoencoderEstimator
    }
    return saving.read(Path(folder), storage.load(Path(folder), custom), kinds)
