"""A fitted estimator <-> what a model folder holds of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import sklearn
import torch

import hourglass
from hourglass import storage
from hourglass.diagnostics.summary import Summary
from hourglass.estimators.conditions import Condition
from hourglass.readers.decoding import reason_of
from hourglass.run_files import Origin
from hourglass.training import EpochRecord, Settings, resolve_device
from hourglass.typed_json import arguments_from_json, from_json, to_json
from hourglass.user_warnings import warn

Fitted = TypeVar("Fitted")
ByValue = Literal["recipe", "modality"]  # parameters that may be values; the model's own parts stand for them


@dataclass(frozen=True)
class _Data:
    """The data at fit."""

    fingerprint: str
    n_features: int
    names: list[str] | None


@dataclass(frozen=True)
class _About:
    """What `hourglass.json` says of an estimator, beside its model."""

    estimator: str
    parameters: dict[str, Any]
    by_value: list[ByValue]
    settings: Settings
    summary: Summary
    history: list[EpochRecord]
    seed: int
    data: _Data
    origin: Origin
    versions: dict[str, str]


def write(estimator: Any, folder: Path) -> Path:
    """Writes a fitted estimator; recipes and modalities given by value are described by their parts."""
    parameters, by_value = parameters_to_json(estimator)
    about = _About(
        estimator=type(estimator).__name__,
        parameters=parameters,
        by_value=by_value,
        settings=estimator.settings_,
        summary=estimator.summary_,
        history=estimator.history_,
        seed=estimator.seed_,
        data=_Data(
            estimator.fingerprint_,
            estimator.n_features_in_,
            [str(name) for name in getattr(estimator, "feature_names_in_", [])] or None,
        ),
        origin=estimator.origin_,
        versions={
            "hourglass": hourglass.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    )
    learned = {name: getattr(estimator, name).to_arrays() for name in estimator.learned}
    storage.save(
        folder,
        estimator.model_,
        estimator.recipe_,
        estimator.modality_,
        estimator.condition_.table if estimator.condition_ else None,
        estimator.architecture_,
        {f"{name}/{key}": array for name, arrays in learned.items() for key, array in arrays.items()},
        {field.name: getattr(about, field.name) for field in fields(about)},
    )
    return folder


def parameters_to_json(estimator: Any) -> tuple[dict[str, Any], list[ByValue]]:
    """The estimator's parameters as JSON has them, and the names of those that are described by the model's parts.

    `fit` asks for them before it trains, so that nothing is trained that cannot be saved and loaded.

    Raises
    ------
    ValueError, TypeError : naming the parameter.
    """
    parameters = estimator.get_params(deep=False)
    by_value: list[Any] = [n for n in ("recipe", "modality") if not isinstance(parameters[n], (str, type(None)))]
    state = parameters["random_state"]
    parameters["random_state"] = int(state) if isinstance(state, (int, np.integer)) else None
    parameters["verbose"] = bool(parameters["verbose"])
    plain = to_json({name: value for name, value in parameters.items() if name not in by_value}, "parameters")
    arguments_from_json(type(estimator), plain, "parameters")
    return plain, by_value


def read(folder: Path, saved: storage.Saved, kinds: dict[str, type[Fitted]]) -> Fitted:
    """The estimator of that folder, as it was when it was written.

    Parameters
    ----------
    folder : for messages.
    saved : what `storage.load` gave.
    kinds : the estimators there are, by name.

    Raises
    ------
    ModelFolderError : for an estimator that there is not, and where what is said of it cannot be.
    """
    try:
        about = from_json(_About, saved.about)
        if about.estimator not in kinds:
            raise ValueError(f"it holds a {about.estimator!r}; this version has {', '.join(kinds)}")
        return _build(folder, saved, about, kinds[about.estimator])
    except Exception as error:  # what a file says can go wrong in any way
        raise storage.ModelFolderError(
            f"{folder} is corrupt, or does not describe an estimator of this version: {reason_of(error)}"
        ) from error


def _build(folder: Path, saved: storage.Saved, about: _About, kind: type[Fitted]) -> Fitted:
    parameters = arguments_from_json(kind, about.parameters, "parameters")
    parameters |= {name: getattr(saved, name) for name in about.by_value}
    estimator: Any = kind(**_of_this_machine(folder, parameters))
    estimator.model_, estimator.recipe_, estimator.modality_ = saved.model, saved.recipe, saved.modality
    estimator.architecture_ = saved.architecture
    estimator.condition_ = Condition(saved.condition) if saved.condition else None
    width = estimator.condition_.width if estimator.condition_ else 0
    if width != saved.architecture.n_condition:
        raise ValueError(f"the condition has width {width}, and the model takes {saved.architecture.n_condition}")
    for name, learned in estimator.learned.items():
        own = {key: a for key, a in saved.arrays.items() if key.startswith(f"{name}/")}
        setattr(estimator, name, learned.from_arrays({key.removeprefix(f"{name}/"): a for key, a in own.items()}))
    estimator.settings_, estimator.summary_, estimator.origin_ = about.settings, about.summary, about.origin
    estimator.advice_ = estimator._advice()
    estimator.history_, estimator.seed_ = about.history, about.seed
    estimator.fingerprint_, estimator.n_features_in_ = about.data.fingerprint, about.data.n_features
    if about.data.names:
        estimator.feature_names_in_ = np.array(about.data.names, dtype=object)
    return estimator


def _of_this_machine(folder: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters, without threads and devices that this machine does not have."""
    parameters = dict(parameters)
    threads, device, here = parameters.get("n_threads"), parameters.get("device", "auto"), os.cpu_count() or 1
    if threads is not None and not 1 <= threads <= here:
        warn(f"{folder} asks for n_threads={threads}; this machine has {here}: left to torch")
        parameters["n_threads"] = None
    try:
        resolve_device(device)
    except ValueError as error:
        warn(f"{folder}: {error}; 'auto' is taken")
        parameters["device"] = "auto"
    return parameters
