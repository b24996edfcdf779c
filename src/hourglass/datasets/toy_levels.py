"""Toy levels of a platform game, made by a few rules: hills, caves and islands in the sky. Computed, not downloaded."""

from __future__ import annotations

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.readers.data import Data
from hourglass.readers.tile_maps import Maps

HEIGHT = 14  # rows; the ground is the lowest two
WIDTHS = (56, 96)
N, SEED = 30, 0
KINDS = ("hills", "cave", "sky")
LEGEND = {
    "-": "empty", "X": "solid, ground", "S": "solid, breakable", "?": "solid, question block", "o": "coin",
    "E": "enemy", "<": "pipe, top-left", ">": "pipe, top-right", "[": "pipe, left", "]": "pipe, right",
    "T": "platform",
}  # fmt: skip


def read(split: str) -> Data:
    """30 levels of 14 rows and 56 to 96 columns, with their kinds as labels: hills, cave, sky."""
    rng = np.random.default_rng(SEED)
    kinds = [KINDS[i % len(KINDS)] for i in range(N)]
    levels = ["\n".join(map("".join, _level(kind, rng).tolist())) for kind in kinds]
    names = tuple(f"{kind}-{1 + i // len(KINDS)}" for i, kind in enumerate(kinds))
    return Data(Maps(levels, LEGEND), np.array(kinds), names, kind="tilemaps", source="toy_levels")


def _level(kind: str, rng: np.random.Generator) -> np.ndarray:
    """(HEIGHT, W) letters: pieces of the kind, one after the other."""
    width = int(rng.integers(*WIDTHS))
    level = np.full((HEIGHT, width), "-", dtype="<U1")
    if kind != "sky":
        level[-2:] = "X"
    if kind == "cave":
        level[:2] = "S"
    pieces = {"hills": (_pipe, _stairs, _pit, _blocks, _blocks, _enemies), "cave": (_wall, _coins, _pit, _enemies)}
    x = 4
    while x < width - 12:
        piece = _island if kind == "sky" else pieces[kind][int(rng.integers(len(pieces[kind])))]
        x += piece(level[:, x:], rng) + int(rng.integers(2, 5))
    return level


def _pipe(part: np.ndarray, rng: np.random.Generator) -> int:
    top = int(rng.integers(HEIGHT - 6, HEIGHT - 3))
    part[top, :2] = ["<", ">"]
    part[top + 1 : -2, 0], part[top + 1 : -2, 1] = "[", "]"
    return 2


def _stairs(part: np.ndarray, rng: np.random.Generator) -> int:
    steps = int(rng.integers(3, 6))
    for step in range(steps):
        part[-3 - step : -2, step] = "X"
    return steps


def _pit(part: np.ndarray, rng: np.random.Generator) -> int:
    wide = int(rng.integers(2, 4))
    part[-2:, :wide] = "-"
    return wide


def _blocks(part: np.ndarray, rng: np.random.Generator) -> int:
    wide = int(rng.integers(3, 7))
    part[HEIGHT - 6, :wide] = "S"
    part[HEIGHT - 6, int(rng.integers(wide))] = "?"
    return wide


def _enemies(part: np.ndarray, rng: np.random.Generator) -> int:
    part[-3, [0, 2]] = "E"
    return 3


def _wall(part: np.ndarray, rng: np.random.Generator) -> int:
    """A way through between two blocks of stone."""
    wide, gap = int(rng.integers(2, 5)), int(rng.integers(5, HEIGHT - 5))
    part[2 : gap - 1, :wide] = part[gap + 2 : -2, :wide] = "S"
    return wide


def _coins(part: np.ndarray, rng: np.random.Generator) -> int:
    wide, row = int(rng.integers(3, 6)), int(rng.integers(5, 9))
    part[row, :wide], part[row + 1, :wide] = "o", "S"
    return wide


def _island(part: np.ndarray, rng: np.random.Generator) -> int:
    wide, row = int(rng.integers(4, 8)), int(rng.integers(6, HEIGHT - 1))
    part[row, :wide] = "T"
    if rng.random() < 0.5:
        part[row - 2, 1 : wide - 1] = "o"
    else:
        part[row - 1, wide // 2] = "E"
    return wide


TOY_LEVELS = Dataset(
    name="toy_levels",
    title="Toy levels of a platform game: hills, caves and islands",
    kind="tilemaps",
    rows={"all": N},
    licence="MIT, as Hourglass itself",
    citation="none: it is computed",
    read=read,
)
