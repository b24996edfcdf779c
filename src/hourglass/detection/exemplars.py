"""A bounded set of stored examples, and the distance to the nearest of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hourglass.model import Autoencoder
from hourglass.networks.fronted import Fronted

MAX_EXEMPLARS = 2_000
MAX_NUMBERS = 2**22  # of all of them together: 16 MiB
MIN_EXEMPLARS = 100  # where fewer would fit, there are none
RANGE = 1e6  # standardised numbers beyond it are taken to there, so that squares stay finite


def vectors(model: Autoencoder, x: Tensor) -> Tensor:
    """Examples x (B, *S) in model space as vectors (B, F) in which distances mean something.

    They are what the encoder's network sees: standardised numbers with heavy tails tamed, categories one-hot, and 0
    (the mean) for what is missing or was not there at fit.
    """
    encoder = model.encode.encoder
    seen = encoder[0](x) if isinstance(encoder, Fronted) else x.masked_fill(x.isinf(), 0.0).nan_to_num(0.0)
    return seen.flatten(1).float().clamp(-RANGE, RANGE)


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Stored vectors, standardised.

    Attributes
    ----------
    rows : (E, F) float32, standardised.
    mean, scale : (F,) float32 of the vectors that they were chosen from; 1 where these do not vary.
    """

    rows: Tensor
    mean: Tensor
    scale: Tensor

    @classmethod
    def fit(cls, found: Tensor, seed: int) -> Self:
        """At most 2,000 of the vectors (N, F), chosen at random."""
        mean, scale = found.mean(0), found.std(0, correction=0)
        scale = torch.where(scale > 1e-6, scale, torch.ones(()))
        most = min(MAX_EXEMPLARS, MAX_NUMBERS // max(1, found.shape[1]))
        order = np.random.default_rng((seed, 5)).permutation(len(found))[:most]
        return cls(((found[torch.from_numpy(order)] - mean) / scale).contiguous(), mean, scale)

    def __len__(self) -> int:
        return len(self.rows)

    def standardised(self, found: Tensor) -> Tensor:
        """Vectors (B, F) in the units of the stored ones."""
        return (found - self.mean) / self.scale

    def nearest(self, found: Tensor) -> tuple[Tensor, Tensor]:
        """The distance from each vector (B, F) to the nearest stored one, and which that is: (B,) float64, (B,).

        Root mean square over the features, so that one number is "a standard deviation of each". A stored row that is
        equal to the vector does not count once: it may be the same example, which says nothing for itself.
        """
        rows = self.standardised(found)
        # |a - b|^2 less |a|^2, which is the same for all b; exact only for the one that is chosen
        near = torch.addmm(self.rows.square().sum(1), rows, self.rows.T, alpha=-2)
        which = near.argmin(1)
        squares = self._squares(rows, which)
        if bool((own := squares == 0).any()) and len(self) > 1:
            other = near[own].scatter_(1, which[own, None], torch.inf).argmin(1)
            which[own], squares[own] = other, self._squares(rows[own], other)
        return squares.sqrt(), which

    def kth_distance(self, found: Tensor, k: int) -> NDArray[np.float64]:
        """The distance from each vector (N, F) to the k-th nearest stored one, or the last, (N,)."""
        from sklearn.neighbors import NearestNeighbors

        neighbours = NearestNeighbors(n_neighbors=min(k, len(self))).fit(self.rows.numpy())
        distances: NDArray[np.float64] = neighbours.kneighbors(self.standardised(found).numpy())[0][:, -1]
        return distances

    def _squares(self, rows: Tensor, which: Tensor) -> Tensor:
        """Mean squared differences to these stored rows, exactly: (B,) float64."""
        return (rows - self.rows[which]).double().square().mean(1)

    def to(self, device: torch.device) -> Exemplars:
        return Exemplars(self.rows.to(device), self.mean.to(device), self.scale.to(device))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        return {"rows": self.rows.numpy(), "mean": self.mean.numpy(), "scale": self.scale.numpy()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(*(torch.from_numpy(np.array(arrays[name])) for name in ("rows", "mean", "scale")))


def fits(n_features: int) -> bool:
    """Whether enough examples of so many features can be stored."""
    return MAX_NUMBERS // max(1, n_features) >= MIN_EXEMPLARS
