"""A fitted estimator <-> what a model folder holds of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sklearn
import torch

import hourglass
from hourglass import storage
from hourglass.diagnostics.advice import advise
from hourglass.diagnostics.density import CodeDensity
from hourglass.diagnostics.summary import Summary
from hourglass.estimators.conditions import Condition
from hourglass.training import Settings

Fitted = TypeVar("Fitted")


def write(estimator: Any, folder: Path) -> Path:
    """Writes a fitted estimator; recipes and modalities given by value are described by their parts."""
    parameters = estimator.get_params(deep=False)
    by_value = [n for n in ("recipe", "modality") if not isinstance(parameters[n], (str, type(None)))]
    parameters |= dict.fromkeys(by_value)
    state = parameters["random_state"]
    parameters["random_state"] = int(state) if isinstance(state, (int, np.integer)) else None
    if parameters["hidden"] is not None:
        parameters["hidden"] = [int(h) for h in parameters["hidden"]]
    about = {
        "estimator": type(estimator).__name__,
        "parameters": parameters,
        "by_value": by_value,
        "settings": asdict(estimator.settings_),
        "summary": asdict(estimator.summary_),
        "history": estimator.history_,
        "seed": estimator.seed_,
        "data": {
            "fingerprint": estimator.fingerprint_,
            "n_features": estimator.n_features_in_,
            "names": list(getattr(estimator, "feature_names_in_", [])) or None,
        },
        "versions": {
            "hourglass": hourglass.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }
    storage.save(
        folder,
        estimator.model_,
        estimator.recipe_,
        estimator.modality_,
        estimator.condition_.table if estimator.condition_ else None,
        estimator.architecture_,
        estimator.density_.to_arrays(),
        about,
    )
    return folder


def read(saved: storage.Saved, kind: type[Fitted]) -> Fitted:
    """The estimator of that kind, as it was when it was written."""
    about = saved.about
    parameters = about["parameters"]
    if parameters["hidden"] is not None:
        parameters["hidden"] = tuple(parameters["hidden"])
    parameters |= {name: getattr(saved, name) for name in about["by_value"]}
    estimator: Any = kind(**parameters)
    estimator.model_, estimator.recipe_, estimator.modality_ = saved.model, saved.recipe, saved.modality
    estimator.architecture_, estimator.n_latent_ = saved.architecture, saved.architecture.n_latent
    estimator.condition_ = Condition(saved.condition) if saved.condition else None
    estimator.density_ = CodeDensity.from_arrays(saved.arrays)
    estimator.settings_, estimator.summary_ = Settings(**about["settings"]), Summary(**about["summary"])
    estimator.advice_ = advise(estimator.summary_)
    estimator.history_, estimator.seed_ = about["history"], about["seed"]
    data = about["data"]
    estimator.fingerprint_, estimator.n_features_in_ = data["fingerprint"], data["n_features"]
    if data["names"]:
        estimator.feature_names_in_ = np.array(data["names"], dtype=object)
    return estimator
