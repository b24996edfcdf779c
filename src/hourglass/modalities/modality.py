"""What a modality is: raw data <-> tensors, and the default ends of a network for one kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from hourglass.likelihoods import Likelihood
from hourglass.modalities.scaling import Standardise


class Encoder(Protocol):
    n_features: int


class Modality(Protocol):
    """A frozen value that knows one kind of data; one file per modality.

    `infer` looks at the data once. `tensor` gives raw tensors compact enough to keep (pictures stay uint8); the model's
    own `scaling` takes a batch of them to model space. `restore` goes all the way back to what the user handed in;
    what was `sampled` it may bring onto values that could have been there.
    """

    @property
    def name(self) -> str:
        """Its name in MODALITIES."""

    @property
    def shape(self) -> tuple[int, ...]:
        """S, the shape of one example in model space."""

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of networks that `encoder` and `decoder` know."""

    @property
    def mask_value(self) -> float:
        """What a hidden cell holds in model space: NaN (missing) in a table, 0 (the mean, or black) in a picture."""

    def tensor(self, X: Any) -> Tensor:
        """X -> raw (N, *S)."""

    def restore(self, raw: Tensor, sampled: bool = False) -> Any:
        """raw units (N, *S) -> what the user handed in."""

    def noise_mask(self) -> Tensor:
        """(*S) bool: the cells that noise may touch."""

    def scaling(self, likelihood: Likelihood | None = None) -> Standardise:
        """Raw -> the model space that suits the likelihood; None is the one that `likelihood(None, ...)` gives."""

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module: ...

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module: ...

    def infer(self, X: Any) -> Modality: ...

    def likelihood(self, name: str | None, variance: Any) -> Likelihood: ...

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Modality: ...
