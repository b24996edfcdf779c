"""Patches to learn from: drawn anew for every batch, a function of (seed, epoch, number)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hourglass.denoising.noise import Adds
from hourglass.model import Batch
from hourglass.training.rows import steps_per_epoch


@dataclass(frozen=True, eq=False)
class Patches:
    """A source of batches: patches of pictures, and what the encoder is shown instead.

    Parameters
    ----------
    pictures : (C, H, W) each, in grey levels where white is 255, at least `size` a side: clean ones with `noise`; noisy
        ones without, from which pairs of half the size are drawn; or clean ones whose `noisy` counterparts are given.
    noise : what is added to clean pictures.
    noisy : (C, H, W) each, of the same things.
    size : pixels a side.
    n : patches of an epoch.

    Source of the pairs: Huang et al. 2021, arXiv:2101.02824 (Neighbor2Neighbor), without its second term.
    """

    pictures: Sequence[np.ndarray]
    noise: Adds | None
    noisy: Sequence[np.ndarray] | None
    size: int
    n: int

    def __len__(self) -> int:
        return self.n

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        for number in range(start, steps_per_epoch(self.n, batch_size)):
            yield self.draw(batch_size, np.random.default_rng((seed, epoch, number)))

    def draw(self, n: int, rng: np.random.Generator) -> Batch:
        """n patches with what is shown, float32 (n, C, size, size)."""
        if self.noisy is not None:
            both = self._cut(n, rng, self.pictures, self.noisy, self.size)
            half = both.shape[1] // 2
            return Batch(_tensor(both[:, :half]), encoder_input=_tensor(both[:, half:]))
        if self.noise is None:
            first, second = neighbours(self._cut(n, rng, self.pictures, None, 2 * self.size), rng)
            return Batch(_tensor(second), encoder_input=_tensor(first))
        clean = self._cut(n, rng, self.pictures, None, self.size)
        return Batch(_tensor(clean), encoder_input=_tensor(self.noise(clean, rng)))

    def _cut(
        self,
        n: int,
        rng: np.random.Generator,
        pictures: Sequence[np.ndarray],
        others: Sequence[np.ndarray] | None,
        size: int,
    ) -> np.ndarray:
        """Patches at random places, turned and mirrored at random; of two sets one above the other along axis 1."""
        patches = []
        for i in rng.integers(len(pictures), size=n).tolist():
            picture = pictures[i] if others is None else np.concatenate([pictures[i], others[i]])
            top, left = (int(rng.integers(side - size + 1)) for side in picture.shape[1:])
            patch = picture[:, top : top + size, left : left + size]
            patch = np.rot90(patch, int(rng.integers(4)), (1, 2))
            patches.append(patch[:, :, ::-1] if rng.random() < 0.5 else patch)
        return np.stack(patches).astype(np.float32)


def neighbours(noisy: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of every 2 x 2 pixels of patches (n, C, 2S, 2S) two that lie side by side, (n, C, S, S) each."""
    n, channels, height, width = noisy.shape
    cells = noisy.reshape(n, channels, height // 2, 2, width // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    cells = cells.reshape(n, channels, height // 2, width // 2, 4)  # 0 1 / 2 3
    pairs = np.array([(0, 1), (0, 2), (3, 1), (3, 2), (1, 0), (2, 0), (1, 3), (2, 3)])
    chosen = pairs[rng.integers(8, size=(n, 1, height // 2, width // 2))]
    chosen = np.broadcast_to(chosen, (n, channels, *chosen.shape[2:]))
    taken = np.take_along_axis(cells, chosen, -1)
    return taken[..., 0], taken[..., 1]


def _tensor(patches: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(patches))
