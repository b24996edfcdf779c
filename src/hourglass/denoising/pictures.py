"""Pictures of any kind and size as grey levels where white is 255, and back as they came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hourglass import readers
from hourglass.denoising.noise import WHITE

BRIGHT, MAX_OF_UNIT = 0.999, 4.0  # nearly all of a picture of levels from 0 to 1 lies below, however noisy it is

MAX_CHANNELS = 4  # of an axis that is one of channels and not of pixels


@dataclass(frozen=True, eq=False)
class Pictures:
    """Arrays, and what they were.

    Attributes
    ----------
    arrays : as they came, one for each picture.
    last : whether the channels are the last axis of each; None where there is no axis of channels.
    whites : the level of each that is white.
    single, stacked : whether one picture came in, or an array of several.
    """

    arrays: tuple[np.ndarray, ...]
    last: tuple[bool | None, ...]
    whites: tuple[float, ...]
    single: bool = False
    stacked: bool = False

    @classmethod
    def of(cls, X: Any) -> Pictures:
        """Of a path, an array or a list of arrays.

        Raises
        ------
        TypeError, ValueError : for what is no picture, with its place.
        """
        if isinstance(X, cls):
            return X
        if isinstance(X, str | Path) or hasattr(X, "kind"):
            X = readers.read(X).X
        array = X if isinstance(X, np.ndarray) else None
        single = array is not None and (array.ndim == 2 or (array.ndim == 3 and _channels_last(array) is not None))
        if (
            array is not None
            and array.ndim == 3
            and _channels_last(array) is not None
            and _channels_last(array[0]) is None
        ):
            single = min(array.shape[0], array.shape[-1]) <= MAX_CHANNELS and len(array) not in (1, 2)
        arrays = [np.asarray(X)] if single else [np.asarray(x) for x in X]
        for number, each in enumerate(arrays):
            if each.ndim not in (2, 3) or each.dtype.kind not in "biuf" or not each.size:
                raise ValueError(
                    f"picture {number} is an array {each.shape} of {each.dtype}; (H, W), (C, H, W) or (H, W, C) of "
                    "numbers is needed"
                )
            if each.dtype.kind == "f" and not np.isfinite(each).all():
                raise ValueError(f"picture {number} holds NaN or infinity")
        if not arrays:
            raise ValueError("there are no pictures")
        last = tuple(None if each.ndim == 2 else bool(_channels_last(each)) for each in arrays)
        return cls(tuple(arrays), last, tuple(map(_white, arrays)), single, array is not None and not single)

    def __len__(self) -> int:
        return len(self.arrays)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> np.ndarray:
        """(C, H, W) float32."""
        array, last = self.arrays[i], self.last[i]
        picture = array[None] if last is None else np.moveaxis(array, -1, 0) if last else array
        return np.asarray(picture, dtype=np.float32) * np.float32(WHITE / self.whites[i])

    @property
    def channels(self) -> int:
        """Of all of them: 1 where all are grey, or some are."""
        found = {len(self[i]) for i in range(len(self))}
        return found.pop() if len(found) == 1 else 1

    def take(self, which: Sequence[int] | np.ndarray) -> Learned:
        return Learned(self, tuple(int(i) for i in which), self.channels)

    def at_least(self, size: int) -> Pictures:
        """Without those that have a side below `size`.

        Raises
        ------
        ValueError : where none is left.
        """
        kept = [i for i in range(len(self)) if min(self[i].shape[1:]) >= size]
        if not kept:
            raise ValueError(f"no picture has {size} pixels a side; give larger ones, or a smaller patch=")
        return Pictures(*(tuple(values[i] for i in kept) for values in (self.arrays, self.last, self.whites)))  # type: ignore[arg-type]

    def check_same_sizes(self, other: Pictures) -> None:
        """Raises ValueError where pictures have no counterpart of their size."""
        one, two = ([self_[i].shape for i in range(len(self_))] for self_ in (self, other))
        if one != two:
            raise ValueError(f"{len(two)} noisy and {len(one)} clean pictures must be as many, and of the same sizes")

    def back(self, made: Sequence[np.ndarray]) -> Any:
        """Levels (C, H, W) of each -> arrays of the kind, the type and the range that came in."""
        found = []
        for levels, array, last, white in zip(made, self.arrays, self.last, self.whites, strict=True):
            values = levels * (white / WHITE)
            values = values[0] if last is None else np.moveaxis(values, 0, -1) if last else values
            if array.dtype.kind in "biu":
                top = np.iinfo(array.dtype).max if array.dtype.kind != "b" else 1
                values = np.clip(np.rint(values), 0, top)
            found.append(values.astype(array.dtype))
        if self.single:
            return found[0]
        return np.stack(found) if self.stacked else found


@dataclass(frozen=True)
class Learned(Sequence[np.ndarray]):
    """Some of the pictures, all with the same channels, made when they are asked for."""

    pictures: Pictures
    which: tuple[int, ...]
    channels: int

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, i: Any) -> Any:
        picture = self.pictures[self.which[i]]
        return picture if len(picture) == self.channels else picture.mean(0, keepdims=True)


def _channels_last(array: np.ndarray) -> bool | None:
    """Whether the axis of channels is the last one; None where no axis looks like one."""
    if array.ndim != 3:
        return None
    if array.shape[0] <= MAX_CHANNELS:
        return False
    return True if array.shape[-1] <= MAX_CHANNELS else None


def _white(array: np.ndarray) -> float:
    if array.dtype.kind in "iu":
        return float(np.iinfo(array.dtype).max)
    if array.dtype.kind == "b":
        return 1.0
    return 1.0 if float(np.quantile(array, BRIGHT)) <= MAX_OF_UNIT else WHITE
