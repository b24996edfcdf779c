"""A model is a folder: `hourglass.json` and the weights it names. No pickle, and no code runs from the folder."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor
from torch.overrides import TorchFunctionMode

from hourglass import likelihoods, modalities
from hourglass.assemble import Architecture, assemble
from hourglass.fingerprint import digest, digest_of_tensors
from hourglass.folder_lock import locked
from hourglass.likelihoods import Likelihood
from hourglass.modalities import Modality
from hourglass.model import Autoencoder
from hourglass.readers.decoding import reason_of
from hourglass.recipe import Recipe
from hourglass.recipe_json import (
    NamedPart,
    Parts,
    UnknownPartError,
    named_part,
    part_of,
    recipe_from_json,
    recipe_to_json,
)
from hourglass.run_files import CHECKPOINT, MODEL, MODEL_FORMAT, is_weights, of_another_version, weights_name
from hourglass.typed_json import JSONError, from_json, json_text, parse_json, to_json
from hourglass.whole_files import write_tensors, write_whole

SECONDS_FOR_ANOTHER_SAVE = 10.0  # that a save waits for another to end
TRIES_TO_READ, SECONDS_BETWEEN = 10, 0.02  # while another process replaces the model


def _kinds_of_data() -> Parts:
    """Kinds of data by the names of their classes."""
    return {kind.__name__: kind for kind in modalities.MODALITIES.values()}


LIKELIHOODS: Parts = {
    name: part
    for name in likelihoods.__all__
    if isinstance(part := getattr(likelihoods, name), type) and issubclass(part, Likelihood) and part is not Likelihood
}


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


@dataclasses.dataclass(frozen=True)
class _Weights:
    """The file of the weights, and the `digest_of_tensors` of what is in it."""

    file: str
    sha256: str

    def __post_init__(self) -> None:
        if self.file != weights_name(self.sha256) or not is_weights(self.file):
            raise ValueError(f"{self.file!r} is not the name of the weights of digest {self.sha256[:16]!r}")


@dataclasses.dataclass(frozen=True)
class _Description:
    """What `hourglass.json` says of a model; the rest of it belongs to the estimator."""

    weights: _Weights
    recipe: dict[str, Any]
    modality: NamedPart
    condition: dict[str, Any] | None
    architecture: Architecture
    likelihood: NamedPart


# ---- writing -----------------------------------------------------------------------------------------------------


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
    """Puts a model into a folder, in place of one that may be there.

    New weights come first, under a name of their own; `hourglass.json`, which names them, is replaced last. Whatever
    ends this in between, and whoever reads meanwhile, one of the two models is there, whole.

    Parameters
    ----------
    folder : made where it is missing.
    model, recipe, modality, condition, architecture : what `load` builds again.
    arrays : saved beside the weights.
    about : what else `load` is to give back: JSON values, numpy's numbers among them.

    Raises
    ------
    TypeError : for what JSON cannot hold.
    OSError : naming the file and the remedy; the model that was there is unharmed.
    """
    tensors = {f"model/{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"arrays/{k}": torch.from_numpy(np.array(v)) for k, v in arrays.items()}
    of_tensors = digest_of_tensors(tensors)
    likelihood = model.decode.likelihood
    description = _Description(
        weights=_Weights(weights_name(of_tensors), of_tensors),
        recipe=dict(recipe_to_json(recipe)),
        modality=named_part(type(modality), type(modality).__name__, _kinds_of_data(), modality.to_json()),
        condition=condition.to_json() if condition else None,
        architecture=architecture,
        likelihood=named_part(type(likelihood), type(likelihood).__name__, LIKELIHOODS, likelihood.options()),
    )
    values = {field.name: getattr(description, field.name) for field in dataclasses.fields(description)}
    content = json_text(sealed({"format": MODEL_FORMAT, **values, **about})).encode()
    with locked(folder, "save", SECONDS_FOR_ANOTHER_SAVE):
        try:
            write_tensors(folder / description.weights.file, tensors)
            write_whole(folder / MODEL, content)
        except OSError as error:
            if not (folder / MODEL).exists() or "unharmed" in str(error):
                raise
            raise OSError(f"{error}; the model that was there is unharmed") from error
        finally:
            delete_other_weights(folder, description.weights.file)


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a description as JSON has them, with the digest of all others as `sha256`."""
    plain = to_json({name: value for name, value in values.items() if name != "sha256"})
    return {**plain, "sha256": digest(plain)}


def delete_other_weights(folder: Path, new: str | None = None) -> None:
    """Deletes weights that the model in the folder does not name; where nothing there can be understood, only `new`."""
    try:
        named = parse_json((folder / MODEL).read_bytes())["weights"]["file"]
        others = [path for path in folder.iterdir() if is_weights(path.name) and path.name != named]
    except (OSError, JSONError, LookupError, TypeError):
        others = [folder / new] if new else []
    for path in others:
        with contextlib.suppress(OSError):
            path.unlink()


# ---- reading -----------------------------------------------------------------------------------------------------


def load(folder: Path, custom: Parts | None = None) -> Saved:
    """Reads what `save` wrote, also while another process saves over it.

    Parameters
    ----------
    folder : of the model.
    custom : parts of the caller's own, by name.

    Raises
    ------
    ModelFolderError : no model, a corrupt one, one of another version, or one with parts that are not given.
    """
    custom = custom or {}
    values, description, tensors = _read(folder)
    try:
        model, recipe, modality = _build(description, tensors, custom)
        condition = None if description.condition is None else modalities.Tables.from_json(description.condition)
    except ModelFolderError:
        raise
    except UnknownPartError as error:
        raise ModelFolderError(f"{folder}: {error}") from error
    except Exception as error:  # what a file says can go wrong in any way; memory may give out, too
        raise ModelFolderError(
            f"{folder / MODEL} is corrupt, or does not describe a model of this version: {reason_of(error)}"
        ) from error
    about = {name: value for name, value in values.items() if name not in description.__dict__ and name != "format"}
    arrays = {name: tensor.numpy() for name, tensor in _group("arrays", tensors).items()}
    return Saved(model, recipe, modality, condition, description.architecture, arrays, about)


def _read(folder: Path) -> tuple[dict[str, Any], _Description, dict[str, Tensor]]:
    """Both files of one model: when the weights vanish before they are read, another model has taken the place."""
    for _ in range(TRIES_TO_READ):
        values, description = _read_description(folder)
        path = folder / description.weights.file
        before = _which_file(path)
        try:
            with safe_open(path, "pt") as file:
                # copies: what is mapped into memory changes, or ends the process, when the file is written to
                tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118 - not a mapping
        except Exception as error:
            # it is opened more than once, and may vanish in between, or be another file of the same name by now
            if before is None or _which_file(path) != before:
                time.sleep(SECONDS_BETWEEN)
                continue
            raise ModelFolderError(f"{path} is corrupt, or was not written by Hourglass: {reason_of(error)}") from error
        if digest_of_tensors(tensors) != description.weights.sha256:
            raise ModelFolderError(f"{path} is corrupt, or was not written by Hourglass: its digest is another")
        return values, description, tensors
    raise ModelFolderError(f"{path} is missing: save the model again")


def _which_file(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that has its name later on; None where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_ctime_ns


def _read_description(folder: Path) -> tuple[dict[str, Any], _Description]:
    path = folder / MODEL
    if not path.is_file():
        what = f"holds no {MODEL}" if folder.is_dir() else "is not a folder"
        unfinished = " (an unfinished run? continue it with resume=True)" if (folder / CHECKPOINT).exists() else ""
        raise ModelFolderError(f"{folder} {what}, so there is no model to load{unfinished}")
    try:
        values = parse_json(path.read_bytes())
        version = from_json(dict[str, Any], values).get("format")
        if type(version) is not int:
            raise JSONError("it has no format number")
        if other := of_another_version(folder, version):
            raise ModelFolderError(other)
        if values.pop("sha256", None) != digest(values):
            raise JSONError("its digest is another")
        names = [field.name for field in dataclasses.fields(_Description)]
        return values, from_json(_Description, {name: values[name] for name in names if name in values})
    except JSONError as error:
        raise ModelFolderError(f"{path} is corrupt, or was not written by Hourglass: {error}") from error
    except OSError as error:
        raise ModelFolderError(f"{path} could not be read: {error.strerror}") from error


def _build(
    description: _Description, tensors: Mapping[str, Tensor], custom: Parts
) -> tuple[Autoencoder, Recipe, Modality]:
    """The model, with the tensors of the file as its own. Nothing larger than they are is ever in memory."""
    weights = _group("model", tensors)
    layers = len(description.architecture.hidden or ())
    if layers > len(weights):
        raise ValueError(f"architecture.hidden has {layers} layers, and there are {len(weights)} tensors")
    recipe = recipe_from_json(description.recipe, custom)
    named = description.modality
    modality = part_of(named, _kinds_of_data(), custom).from_json(named["options"])
    with _NoLargerThan(weights.values()):
        named = description.likelihood
        part_of(named, LIKELIHOODS, custom)  # says how to pass one's own
        likelihood = likelihoods.build(named["class"], named["options"], custom)
        model = assemble(recipe, modality, likelihood, description.architecture)
    own = model.state_dict()
    if odd := sorted(own.keys() ^ weights.keys()):
        raise ValueError(f"the tensor {odd[0]!r} is {'missing' if odd[0] in own else 'not one of this model'}")
    for name, tensor in own.items():
        theirs = weights[name]
        if (theirs.shape, theirs.dtype) != (tensor.shape, tensor.dtype):
            raise ValueError(
                f"the tensor {name!r} is {theirs.dtype} of shape {tuple(theirs.shape)}; the model that is described "
                f"takes {tensor.dtype} of shape {tuple(tensor.shape)}"
            )
    model.load_state_dict(weights, assign=True)
    for name, parameter in model.named_parameters():  # buffers may be: nothing is known of a column without a value
        if parameter.numel() and not math.isfinite(sum(map(float, torch.aminmax(parameter.detach())))):
            raise ValueError(f"the tensor {name!r} holds NaN or infinity: it is not a trained model's")
    for name, buffer in model.named_buffers():
        if buffer.is_meta:
            raise ValueError(f"the buffer {name!r} is neither saved nor computed: make it persistent")
    return model.eval(), recipe, modality


def _group(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}


class _NoLargerThan(TorchFunctionMode):
    """Modules built inside take no memory for weights, and for all else no more than `tensors` do; none is drawn.

    Weights are made by `torch.empty`, or drawn; both are sent to the meta device: they have a shape and no memory until
    those of the file take their place, and the caller's random generator is left alone. What modules compute of their
    own (indices, the floor of a variance) is made as ever, because the file does not hold it.
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        self.left = 2**16 + 2 * sum(tensor.numel() for tensor in tensors)  # numbers that may still be made

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        options = options or {}
        on_meta = {**{name: value for name, value in options.items() if name != "generator"}, "device": "meta"}
        if function in _WEIGHTS:
            return function(*arguments, **on_meta)
        if arguments and isinstance(arguments[0], Tensor) and _fills(function, arguments[0]):
            return arguments[0]
        if function in _OTHERS and str(options.get("device")) != "meta":
            self.left -= function(*arguments, **on_meta).numel()
            if self.left < 0:
                raise ValueError("it describes a larger model than its weights are")
        return function(*arguments, **options)


# what makes a tensor of a size that is given in numbers
_WEIGHTS = {torch.empty, torch.rand, torch.randn}
_OTHERS = {torch.zeros, torch.ones, torch.full, torch.eye, torch.arange, torch.linspace}
_DRAWS = {"uniform_", "normal_", "exponential_", "bernoulli_", "random_", "log_normal_", "cauchy_", "geometric_"}


def _fills(function: Any, tensor: Tensor) -> bool:
    """Whether a function only writes numbers into a tensor that others will replace: any into one without memory.

    To let torch go through the motions there would cost seconds of imports.
    """
    name = getattr(function, "__name__", "")
    return name in _DRAWS or (tensor.is_meta and name.endswith("_") and not name.endswith("__"))
