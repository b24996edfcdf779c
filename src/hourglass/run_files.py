"""The files of a run: a folder that holds a checkpoint while it trains, and then a model.

A model is two files: `hourglass.json` describes it and names its weights, `model-<digest>.safetensors`. Whatever
replaces a model writes new weights first and `hourglass.json` last: at that one moment the new model takes the place of
the old one.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODEL = "hourglass.json"
CHECKPOINT = "checkpoint.safetensors"
LOCK = ".hourglass.lock"

_WEIGHTS = re.compile(r"model-[0-9a-f]{16}\.safetensors")
_PARTIAL = re.compile(rf"\.({re.escape(MODEL)}|{re.escape(CHECKPOINT)}|{_WEIGHTS.pattern})\.[0-9a-f]{{8}}\.part")


def weights_name(digest: str) -> str:
    """The name of the weights with that SHA-256 (64 hexadecimal digits)."""
    return f"model-{digest[:16]}.safetensors"


def is_weights(name: str) -> bool:
    return _WEIGHTS.fullmatch(name) is not None


def is_leftover(name: str) -> bool:
    """Whether a file of that name is what a killed process may leave behind, and holds nothing of its own."""
    return name == LOCK or _PARTIAL.fullmatch(name) is not None


@dataclass(frozen=True)
class Origin:
    """Which run a checkpoint or a model comes from: the id of the run, and the arguments of the command behind it."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    arguments: dict[str, Any] | None = None


@dataclass(frozen=True)
class Run:
    """Where a run keeps its checkpoint, and the arguments that it was started with, if by a command."""

    folder: Path
    arguments: dict[str, Any] | None = None

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT
