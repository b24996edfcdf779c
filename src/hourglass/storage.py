"""A model is a folder: model.safetensors and hourglass.json. No pickle, and loading runs no code from the folder."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from hourglass import likelihoods, modalities
from hourglass.assemble import Architecture, assemble
from hourglass.modalities import Modality
from hourglass.model import Autoencoder
from hourglass.randomness import seeded
from hourglass.recipe import Recipe
from hourglass.recipe_json import Parts, UnknownPartError, named_part, part_of, recipe_from_json, recipe_to_json
from hourglass.whole_files import write_tensors, write_whole

FORMAT = 5  # of hourglass.json
WEIGHTS, ABOUT = "model.safetensors", "hourglass.json"


class ModelFolderError(ValueError):
    """A folder that holds no model this version can read."""


@dataclasses.dataclass
class Saved:
    """What a model folder holds, built again."""

    model: Autoencoder
    recipe: Recipe
    modality: Modality
    condition: modalities.Tables | None
    architecture: Architecture
    arrays: dict[str, np.ndarray]  # arrays saved beside the weights, such as the density of the codes
    about: dict[str, Any]  # everything else, as it was given


def save(
    folder: Path,
    model: Autoencoder,
    recipe: Recipe,
    modality: Modality,
    condition: modalities.Tables | None,
    architecture: Architecture,
    arrays: Mapping[str, np.ndarray],
    about: Mapping[str, Any],
) -> None:
    """Writes the folder's two files, each whole or not at all; a common id tells that they belong together."""
    folder.mkdir(parents=True, exist_ok=True)
    identity = uuid.uuid4().hex
    likelihood = model.decode.likelihood
    values = {
        "format": FORMAT,
        "id": identity,
        "recipe": recipe_to_json(recipe),
        "modality": named_part(type(modality), type(modality).__name__, modalities, values=modality.to_json()),
        "condition": condition.to_json() if condition else None,
        "architecture": dataclasses.asdict(architecture),
        "likelihood": named_part(
            type(likelihood), type(likelihood).__name__, likelihoods, options=likelihood.options()
        ),
        **about,
    }
    content = json.dumps(values, indent=1, allow_nan=True).encode()
    tensors = {f"model/{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"arrays/{k}": torch.from_numpy(np.array(v)) for k, v in arrays.items()}
    write_tensors(folder / WEIGHTS, tensors, {"id": identity})
    write_whole(folder / ABOUT, content)


def load(folder: Path, custom: Parts | None = None) -> Saved:
    """Reads what `save` wrote.

    Raises
    ------
    ModelFolderError : no model, a truncated or foreign one, one of a newer version, or one with parts not given.
    """
    custom = custom or {}
    if not (folder / ABOUT).is_file():
        what = "is no folder" if not folder.is_dir() else f"holds no {ABOUT}"
        begun = any(folder.glob("checkpoint*")) or (folder / "run.json").exists()
        unfinished = " (an unfinished run? continue it with --resume)" if begun else ""
        raise ModelFolderError(f"{folder} {what}, so there is no model to load{unfinished}")
    try:
        values = json.loads((folder / ABOUT).read_text())
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise ValueError("it is not one of Hourglass")
    except ValueError as error:
        raise ModelFolderError(f"{folder / ABOUT} is damaged or foreign: {error}") from error
    if values["format"] != FORMAT:
        written = f"(format {values['format']}, this one reads {FORMAT})"
        if values["format"] > FORMAT:
            raise ModelFolderError(f"{folder} was written by a newer Hourglass {written}: update it")
        raise ModelFolderError(f"{folder} was written by an older Hourglass {written}: fit the model anew")
    groups: dict[str, dict[str, Tensor]] = {"model": {}, "arrays": {}}
    try:
        with safe_open(folder / WEIGHTS, "pt") as file:
            if (file.metadata() or {}).get("id") != values["id"]:
                raise ModelFolderError(
                    f"{WEIGHTS} and {ABOUT} in {folder} are not of the same save (mixed by hand?); save again"
                )
            for key in file.keys():  # noqa: SIM118 - not a mapping
                group, _, name = key.partition("/")
                groups[group][name] = file.get_tensor(key)
    except (SafetensorError, OSError, KeyError) as error:
        raise ModelFolderError(f"{folder / WEIGHTS} is missing, truncated or foreign: {error}") from error
    try:
        recipe = recipe_from_json(values["recipe"], custom)
        modality = part_of(values["modality"], modalities, custom).from_json(values["modality"]["values"])
        condition = modalities.Tables.from_json(values["condition"]) if values["condition"] else None
        sizes = values["architecture"]
        architecture = Architecture(**{**sizes, "hidden": None if sizes["hidden"] is None else tuple(sizes["hidden"])})
        named = values["likelihood"]
        part_of(named, likelihoods, custom)  # says how to pass one's own
        likelihood = likelihoods.build(named["class"], named["options"], custom)
        with seeded(0):  # weights that are replaced at once; the caller's generator is none the wiser
            model = assemble(recipe, modality, likelihood, architecture)
        model.load_state_dict(groups["model"])
    except UnknownPartError as error:
        raise ModelFolderError(str(error)) from error
    except (AttributeError, KeyError, TypeError, RuntimeError, ValueError) as error:
        raise ModelFolderError(f"{folder} does not describe a model of this version: {error}") from error
    model.eval()
    arrays = {name: tensor.numpy() for name, tensor in groups["arrays"].items()}
    return Saved(model, recipe, modality, condition, architecture, arrays, values)
