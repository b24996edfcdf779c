"""The files of a run: a folder that holds its arguments, then a checkpoint while it trains, and then a model.

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
START = "hourglass.run.json"  # the `Origin` of a run that a command started; deleted when the command ends
LOCK = ".hourglass.lock"

# of hourglass.json; 9: dispersions of counts are buffers; 10: a digest of itself; 11: distributions of numbers;
# 12: columns that are left out; 13: point masses and heavy tails; 14: decimals of columns, names for those of arrays;
# 15: dates; 18: one-hot columns, hidden cells, spikes that stay where they are drawn
MODEL_FORMAT = 19

_WEIGHTS = re.compile(r"model-[0-9a-f]{16}\.safetensors")
_PARTIAL = re.compile(
    rf"\.({re.escape(MODEL)}|{re.escape(CHECKPOINT)}|{re.escape(START)}|{_WEIGHTS.pattern})\.[0-9a-f]{{8}}\.part"
)


def weights_name(digest: str) -> str:
    """The name of the weights with that SHA-256 (64 hexadecimal digits)."""
    return f"model-{digest[:16]}.safetensors"


def is_weights(name: str) -> bool:
    return _WEIGHTS.fullmatch(name) is not None


def is_leftover(name: str) -> bool:
    """Whether a file of that name is what a killed process may leave behind, and holds nothing of its own."""
    return name == LOCK or _PARTIAL.fullmatch(name) is not None


def of_another_version(folder: Path, number: int) -> str | None:
    """What to say of a model whose format has that number; None for the one that this version reads."""
    if number == MODEL_FORMAT:
        return None
    age, remedy = ("a newer", "update it") if number > MODEL_FORMAT else ("an older", "fit the model again")
    return f"{folder} was written by {age} Hourglass (format {number}; this one reads {MODEL_FORMAT}): {remedy}"


@dataclass(frozen=True)
class Origin:
    """Which run a checkpoint or a model comes from: the id of the run, and the arguments of the command behind it."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    arguments: dict[str, Any] | None = None


@dataclass(frozen=True)
class Run:
    """Where a run keeps its checkpoint, and what a new run there has as its origin."""

    folder: Path
    origin: Origin = field(default_factory=Origin)

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT
