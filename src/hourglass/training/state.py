"""Everything that the rest of a training run depends on, and its checkpoint: one file, written whole or not at all."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypedDict

import torch
from safetensors import safe_open
from torch import Tensor, nn

from hourglass.fingerprint import digest, digest_of_tensors
from hourglass.model import Autoencoder
from hourglass.readers.decoding import reason_of
from hourglass.recipe import Recipe
from hourglass.run_files import Origin
from hourglass.training.machine import Precision
from hourglass.training.optimiser import AdamW
from hourglass.typed_json import from_json, json_text, parse_json
from hourglass.whole_files import write_tensors

FORMAT = 5  # 2 averaged at every fourth step; 3 had no critics and no digest; 4 had other arguments of commands
MAX_THREADS = 4096  # of a checkpoint: more are a mistake, and too many to start


class CheckpointError(ValueError):
    """A checkpoint that cannot be continued from."""


@dataclass(frozen=True)
class Settings:
    """How to train, everything resolved: a checkpoint holds it, so that a resumed run is the same run.

    `learning_rate` is the peak of a cosine over `max_epochs` that starts with a linear warm-up over `warm_up` of it;
    `patience` in epochs; `averaging` is the decay per step of the averaged weights,
    `weight_decay` that of the matrices, times the learning rate.
    """

    max_epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    seed: int
    precision: Precision
    n_threads: int
    device: str
    warm_up: float = 0.02
    averaging: float = 0.995
    last_epoch: int | None = None  # the epoch after which training is over, where that is before `max_epochs`
    weight_decay: float = 0.1


class EpochRecord(TypedDict):
    """One epoch, done: means of every term, unweighted, in nats per sample."""

    epoch: int
    train: dict[str, float]
    held_out: dict[str, float]
    objective: float
    learning_rate: float
    seconds: float


@dataclass
class Progress:
    """Where the run stands: plain numbers, stored as JSON."""

    epoch: int = 0  # epochs completed
    batch: int = 0  # batches done of the epoch under way
    step: int = 0
    ema_step: int = 0  # the step at which the averaged weights last followed
    seconds: float = 0.0
    best: float = math.inf  # held-out objective, nats per sample
    best_epoch: int = 0
    gradient_norm: float = 0.0  # running mean, what clipping is measured against
    sums: dict[str, float] = field(default_factory=dict)  # of the epoch under way
    term_states: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[EpochRecord] = field(default_factory=list)
    ended: Literal["", "max_epochs", "early_stopping", "interrupted"] = ""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says of itself, beside its tensors."""

    format: int
    fingerprint: str  # of data, recipe and network
    settings: Settings
    progress: Progress
    origin: Origin

    def __post_init__(self) -> None:
        counts = (self.progress.epoch, self.progress.batch, self.progress.step, self.progress.ema_step)
        if min(counts) < 0 or max(counts) > 2**53 or self.progress.ema_step > self.progress.step:
            raise ValueError("a count of its progress is out of range")
        s = self.settings
        if min(s.max_epochs, s.batch_size, s.n_threads) < 1 or s.n_threads > MAX_THREADS:
            raise ValueError("a number of its settings is out of range")


@dataclass
class Critic:
    """A module that a term trains beside the model, with its optimiser."""

    module: nn.Module
    optimiser: AdamW


class TrainingState:
    """Weights, averaged weights, best weights, optimiser, critics, random states and progress of one run.

    Made of a model that has begun (`Autoencoder.begin`): its weights are copied here.
    """

    def __init__(self, model: Autoencoder, recipe: Recipe, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.averaged = copy.deepcopy(model)
        self.best = {k: v.clone() for k, v in model.state_dict().items()}
        # without decay a VAE of this size overfits MNIST's training part
        self.optimiser = AdamW([p for p in model.parameters() if p.requires_grad], settings.weight_decay)
        self.critics: dict[str, Critic] = {}
        for name, module in recipe.build_critics(model.sizes).items():
            module.to(settings.device).train()
            self.critics[name] = Critic(module, AdamW(list(module.parameters()), settings.weight_decay))
        self.progress = Progress()
        self.origin = Origin()
        self.is_saved = False  # whether the checkpoint of this run has been written, or read
        self.steps = 0  # batches per epoch, set by the trainer
        self.part = (1, 1)  # of a fit, from 1, and out of how many: those before the last are of cross-validation

    def _groups(self) -> dict[str, dict[str, Tensor]]:
        return {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "best": self.best,
            "optimiser": self.optimiser.state(),
            "critic": {f"{n}/{k}": v for n, c in self.critics.items() for k, v in c.module.state_dict().items()},
            "critic_optimiser": {
                f"{n}/{k}": v for n, c in self.critics.items() for k, v in c.optimiser.state().items()
            },
            "random": {"cpu": torch.get_rng_state()},
        }

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint holds, by group and name."""
        groups = self._groups()
        if torch.cuda.is_available():
            groups["random"]["cuda"] = torch.cuda.get_rng_state(_gpu(self.settings.device))
        return {f"{g}/{k}": v for g, group in groups.items() for k, v in group.items()}

    def save(self, path: Path, fingerprint: str) -> None:
        """Writes the checkpoint, in place of one that may be there."""
        tensors = self.tensors()
        text = json_text(Checkpoint(FORMAT, fingerprint, self.settings, self.progress, self.origin), indent=None)
        digests = {"sha256": digest(text), "tensors_sha256": digest_of_tensors(tensors)}
        write_tensors(path, tensors, {"hourglass": text, **digests})
        self.is_saved = True

    def load(self, path: Path, fingerprint: str) -> None:
        """Continues exactly where `save` was.

        Raises
        ------
        CheckpointError : for a corrupt checkpoint, or one of another run; nothing is changed then.
        """
        about, tensors = _read(path)
        if about.fingerprint != fingerprint:
            raise CheckpointError(
                f"{path} belongs to a run with other data, another recipe or another network; "
                "resume with the same arguments, or start over in another folder"
            )
        pairs = [(f.name, getattr(about.settings, f.name), getattr(self.settings, f.name)) for f in fields(Settings)]
        if other := ", ".join(f"{name}={then!r} (now {now!r})" for name, then, now in pairs if then != now):
            raise CheckpointError(f"{path} was made with {other}; resume with the same settings")
        groups: dict[str, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            group, _, name = key.partition("/")
            groups.setdefault(group, {})[name] = tensor
        cuda = groups["random"].pop("cuda", None) if "random" in groups else None
        if _shapes(groups) != _shapes(self._groups()):
            raise CheckpointError(f"{path} does not fit the network; start over in another folder")
        try:
            torch.set_rng_state(groups["random"]["cpu"])
            if cuda is not None and torch.cuda.is_available():
                torch.cuda.set_rng_state(cuda, _gpu(self.settings.device))
        except (RuntimeError, TypeError) as error:
            raise CheckpointError(f"{path} holds no state of torch's random generators: {error}") from error
        self.model.load_state_dict(groups["model"])
        self.averaged.load_state_dict(groups["averaged"])
        self.best = groups["best"]
        self.optimiser.load_state(groups["optimiser"])
        for name, critic in self.critics.items():
            critic.module.load_state_dict(_under(name, groups["critic"]))
            critic.optimiser.load_state(_under(name, groups["critic_optimiser"]))
        self.progress, self.origin, self.is_saved = about.progress, about.origin, True


def _gpu(device: str) -> str:
    """The GPU whose generator the run draws from; that of torch's choice for a run on the CPU."""
    return device if device.startswith("cuda") else "cuda"


def _under(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is called `name/...` among the tensors, without that."""
    return {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}


def read_about(path: Path) -> Checkpoint:
    """What a checkpoint says of itself; its tensors are not looked at.

    Raises
    ------
    CheckpointError : for a corrupt or foreign file, and for a checkpoint of another version.
    """
    return _read(path, of_tensors=False)[0]


def _read(path: Path, of_tensors: bool = True) -> tuple[Checkpoint, dict[str, Tensor]]:
    foreign = f"{path} is corrupt, or was not written by Hourglass"
    tensors: dict[str, Tensor] = {}
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if of_tensors:  # copies: what is mapped into memory changes when the file is written to
                tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118 - not a mapping
        text = metadata["hourglass"]
        values = from_json(dict[str, Any], parse_json(text))
        version = from_json(int, values["format"], "format")
        about = None if version != FORMAT else from_json(Checkpoint, values)
    except Exception as error:  # what a file says can go wrong in any way
        raise CheckpointError(f"{foreign}: {reason_of(error)}") from error
    if about is None:
        raise CheckpointError(
            f"{path} has the checkpoint format {version}, this Hourglass continues format {FORMAT}: resume "
            "with the version that began the run, or start over in another folder"
        )
    if metadata.get("sha256") != digest(text) or (
        of_tensors and metadata.get("tensors_sha256") != digest_of_tensors(tensors)
    ):
        raise CheckpointError(f"{foreign}: its digest is another")
    return about, tensors


def _shapes(groups: dict[str, dict[str, Tensor]]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {f"{group}/{k}": (v.shape, v.dtype) for group, named in groups.items() for k, v in named.items()}
