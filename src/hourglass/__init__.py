"""Hourglass: autoencoders for any data. Learn a small code for every example, see what it means, put it to work."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Denoiser": "hourglass.estimators",
    "Detector": "hourglass.estimators",
    "Embedder": "hourglass.estimators",
    "FitInterrupted": "hourglass.estimators",
    "load": "hourglass.estimators",
    "Recipe": "hourglass.recipe",
    "Term": "hourglass.recipe",
    "Images": "hourglass.modalities",
    "Tables": "hourglass.modalities",
    "ParquetStream": "hourglass.readers",
    "compare": "hourglass.comparison",
}
_PACKAGES = ("datasets", "exploration", "plots", "report", "views")
__all__ = [*_HOME, *_PACKAGES, "__version__"]

if TYPE_CHECKING:
    from hourglass import datasets as datasets
    from hourglass import exploration as exploration
    from hourglass import plots as plots
    from hourglass import report as report
    from hourglass import views as views
    from hourglass.comparison import compare as compare
    from hourglass.estimators import Denoiser as Denoiser
    from hourglass.estimators import Detector as Detector
    from hourglass.estimators import Embedder as Embedder
    from hourglass.estimators import FitInterrupted as FitInterrupted
    from hourglass.estimators import load as load
    from hourglass.modalities import Images as Images
    from hourglass.modalities import Tables as Tables
    from hourglass.readers import ParquetStream as ParquetStream
    from hourglass.recipe import Recipe as Recipe
    from hourglass.recipe import Term as Term


def __getattr__(name: str) -> Any:
    """Names are imported when they are first used: `import hourglass` imports no torch."""
    if name in _PACKAGES:
        return importlib.import_module(f"hourglass.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'hourglass' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
