"""Everything that the rest of a training run depends on, and its checkpoint: one file, written whole or not at all."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from hourglass.model import Autoencoder
from hourglass.recipe import Recipe
from hourglass.training.optimiser import AdamW
from hourglass.whole_files import write_tensors

FORMAT = 4  # 3 had no critics


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
    precision: str
    n_threads: int
    device: str
    warm_up: float = 0.02
    averaging: float = 0.995
    weight_decay: float = 0.1


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
    history: list[dict[str, Any]] = field(default_factory=list)
    ended: str = ""  # "max_epochs", "early_stopping" or "interrupted"


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
        # without decay a VAE of this size learns MNIST's training part by heart
        self.optimiser = AdamW([p for p in model.parameters() if p.requires_grad], settings.weight_decay)
        self.critics: dict[str, Critic] = {}
        for name, module in recipe.build_critics(model.sizes).items():
            module.to(settings.device).train()
            self.critics[name] = Critic(module, AdamW(list(module.parameters()), settings.weight_decay))
        self.progress = Progress()
        self.steps = 0  # batches an epoch, told by the trainer

    def tensors(self) -> dict[str, Tensor]:
        groups: dict[str, dict[str, Tensor]] = {
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
        if torch.cuda.is_available():
            groups["random"]["cuda"] = torch.cuda.get_rng_state()
        return {f"{g}/{k}": v for g, group in groups.items() for k, v in group.items()}

    def save(self, path: Path, fingerprint: str) -> None:
        """Writes the checkpoint beside `path`, then moves it there in one step."""
        about = {"format": FORMAT, "fingerprint": fingerprint, "settings": asdict(self.settings)}
        about["progress"] = asdict(self.progress)
        write_tensors(path, self.tensors(), {"hourglass": json.dumps(about)})

    def load(self, path: Path, fingerprint: str) -> None:
        """Continues exactly where `save` was; raises CheckpointError for a checkpoint of another run."""
        about = read_about(path)
        if about["fingerprint"] != fingerprint:
            raise CheckpointError(
                f"{path} belongs to a run with other data, another recipe or another network; "
                "resume with the same arguments, or start anew in another folder"
            )
        if about["settings"] != asdict(self.settings):
            now = asdict(self.settings)
            other = ", ".join(
                f"{k}={v!r} (now {now.get(k)!r})" for k, v in about["settings"].items() if now.get(k) != v
            )
            raise CheckpointError(f"{path} was made with {other}; resume with the same settings")
        groups: dict[str, dict[str, Tensor]] = {}
        with safe_open(path, "pt") as file:
            for key in file.keys():  # noqa: SIM118 - not a mapping
                group, _, name = key.partition("/")
                groups.setdefault(group, {})[name] = file.get_tensor(key)
        self.model.load_state_dict(groups["model"])
        self.averaged.load_state_dict(groups["averaged"])
        self.best = groups["best"]
        self.optimiser.load_state(groups["optimiser"])
        for name, critic in self.critics.items():
            critic.module.load_state_dict(_under(name, groups["critic"]))
            critic.optimiser.load_state(_under(name, groups["critic_optimiser"]))
        torch.set_rng_state(groups["random"]["cpu"])
        if "cuda" in groups["random"] and torch.cuda.is_available():
            torch.cuda.set_rng_state(groups["random"]["cuda"])
        self.progress = Progress(**about["progress"])


def _under(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is called `name/...` among the tensors, without that."""
    return {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}


def read_about(path: Path) -> dict[str, Any]:
    """The JSON part of a checkpoint: format, fingerprint, settings, progress."""
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["hourglass"])
        other = about["format"] != FORMAT
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise CheckpointError(f"{path} is no checkpoint of Hourglass, or is damaged: {error}") from error
    if other:
        raise CheckpointError(
            f"{path} has the checkpoint format {about['format']}, this Hourglass continues format {FORMAT}: resume "
            "with the version that began the run, or start anew in another folder"
        )
    return about
