"""The forms in which examples are shown: pictures, cells of a table, lines, texts. Whatever draws takes one of these.

Every form has a length N, and `form[rows]` is some of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from hourglass.modalities.column import Column

FEW_LEVELS = 32  # whole numbers up to here are levels of their own (0..16), not the dark end of 0..255
COLOUR = (3, 4)  # channels of a colour picture, the fourth being its opacity


class Form(Protocol):
    """N examples as they are shown."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray) -> Self:
        """Some of the examples, by positions (n,)."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures.

    Attributes
    ----------
    levels : (N, C, H, W) in raw units.
    black, white : the levels that are shown as black and as white.
    dtype : of the data; files of 8 and of 16 bits keep their levels.
    """

    levels: np.ndarray
    black: float = 0.0
    white: float = 255.0
    dtype: str = "uint8"

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, rows: np.ndarray) -> Pictures:
        return replace(self, levels=self.levels[rows])

    @property
    def rgb(self) -> np.ndarray:
        """(N, H, W, 3) from 0 (black) to 1 (white); the mean of the channels where they are not colours."""
        levels = np.clip((self.levels - self.black) / (self.white - self.black), 0, 1)
        if levels.shape[1] in COLOUR:
            return np.moveaxis(levels[:, :3], 1, -1)
        return np.repeat(levels.mean(axis=1)[..., None], 3, axis=-1)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.levels.shape[2], self.levels.shape[3]

    def errors(self, other: Pictures) -> np.ndarray:
        """(N,) mean squared differences of levels."""
        return np.asarray(np.square(self.levels.astype(np.float32) - other.levels).mean((1, 2, 3)))

    @property
    def pixels(self) -> np.ndarray:
        """(N, C, H, W) uint8 or uint16, as they are written to files.

        Levels of 8 and of 16 bits as they are, others stretched from black to white.
        """
        if self.dtype in ("uint8", "uint16") and self.white > FEW_LEVELS:
            kind = np.uint16 if self.dtype == "uint16" and self.levels.shape[1] == 1 else np.uint8
            depth = 257 if self.dtype == "uint16" and kind is np.uint8 else 1  # no PNG of 16-bit colour is written
            return np.clip(np.rint(self.levels / depth), 0, np.iinfo(kind).max).astype(kind)
        level = (self.levels - self.black) / (self.white - self.black)
        return np.clip(np.rint(255 * level), 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Tiles:
    """N maps of tiles, drawn with a picture for each kind of tile.

    Attributes
    ----------
    places : (N, H, W) of the kind of each tile, K for none.
    pictures : (K + 1, side, side, 3) uint8, the last of them for no tile.
    names : (K,) of the kinds.
    """

    places: np.ndarray
    pictures: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, rows: np.ndarray) -> Tiles:
        return replace(self, places=self.places[rows])

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.places.shape[1] * self.pictures.shape[1], self.places.shape[2] * self.pictures.shape[2]

    @property
    def _drawn(self) -> np.ndarray:
        """(N, height, width, 3) uint8."""
        tiles = self.pictures[self.places].swapaxes(2, 3)  # (N, H, side, W, side, 3)
        return tiles.reshape(len(self), *self.size, 3)

    @property
    def rgb(self) -> np.ndarray:
        return self._drawn / 255.0

    @property
    def pixels(self) -> np.ndarray:
        return np.moveaxis(self._drawn, -1, 1)

    def errors(self, other: Tiles) -> np.ndarray:
        """(N,) the share of tiles that are of another kind, of those that are known."""
        known = self.places < len(self.names)
        wrong = known & (self.places != other.places)
        return np.asarray(wrong.sum((1, 2)) / np.maximum(known.sum((1, 2)), 1))


@dataclass(frozen=True, eq=False)
class Cells:
    """N rows of named columns.

    Attributes
    ----------
    values : (N, D) float64; numbers in their own units, categories as their place in `Column.categories`, NaN for
        missing, infinity for a category that was not there at fit.
    columns : (D,) what is known of each; `Column.text` says a value in the column's own words.
    read : D arrays (N,), the cells as they were handed in: what a category is called that is not known.
    """

    values: np.ndarray
    columns: tuple[Column, ...]
    read: tuple[np.ndarray, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: np.ndarray) -> Cells:
        return replace(self, values=self.values[rows], read=tuple(cells[rows] for cells in self.read))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def named(self) -> np.ndarray:
        """(D,) bool: the columns whose values are names, two values among them, which are right or wrong."""
        return np.array([column.is_categorical or column.kind == "binary" for column in self.columns])

    def text(self, row: int, i: int) -> str:
        """The cell of a row in column i, in the words of the column."""
        value = float(self.values[row, i])
        return f"{self.read[i][row]} (new)" if np.isinf(value) else self.columns[i].text(value)

    def texts(self, row: int) -> list[str]:
        """The cells of a row."""
        return [self.text(row, i) for i in range(len(self.columns))]


@dataclass(frozen=True, eq=False)
class Lines:
    """N windows of C channels over T instants: `values` (N, C, T), NaN for missing, `names` (C,) of the channels."""

    values: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: np.ndarray) -> Lines:
        return replace(self, values=self.values[rows])


@dataclass(frozen=True, eq=False)
class Texts:
    """N texts.

    Attributes
    ----------
    tokens : the tokens of each, which together are the text or its beginning, one for each of the cells that there are;
        () where texts have none.
    """

    texts: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, rows: np.ndarray) -> Texts:
        places = np.asarray(rows).tolist()
        return Texts(tuple(self.texts[i] for i in places), tuple(self.tokens[i] for i in places if self.tokens))
