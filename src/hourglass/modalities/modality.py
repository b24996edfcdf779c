"""What a kind of data is: raw data <-> tensors, the default encoder and decoder, and everything said about it.

A modality is a frozen value that knows one kind of data. Nothing outside `modalities`, `views` and `readers` asks which
kind it has; what anyone above needs to know is a member here. `docs/adding-a-kind-of-data.md` walks through a complete
one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import numpy as np
from torch import Tensor, nn

from hourglass.likelihoods import Likelihood
from hourglass.modalities.examples import Examples
from hourglass.modalities.scaling import Standardise
from hourglass.readers import Data


class Column(Protocol):
    """A named feature."""

    @property
    def name(self) -> str: ...

    @property
    def constant(self) -> bool: ...

    @property
    def sources(self) -> Sequence[Column]:
        """The columns of the table that it stands for, which is itself for most."""

    @property
    def decimals_written(self) -> int | None:
        """Decimals of its numbers in a file; None for what holds none."""

    def raw_text(self, raw: float) -> str:
        """One raw value in the column's own words."""


class Encoder(Protocol):
    """x (B, *S) -> features (B, n_features, *G); it may have a `grid`, which is G."""

    n_features: int

    def __call__(self, x: Tensor) -> Tensor: ...


class Modality(Protocol):
    """One kind of data.

    Options that a user may set are the dataclass fields shown in `repr`; they can be said in words ("tables
    categories=code"). What `infer` learns are fields with `repr=False`.

    Shapes: N examples, R records, S the shape of one example in model space.
    """

    # ---- what it is called and what it takes ----

    name: str
    """Its name in `MODALITIES`, in `VIEWS`, as `Data.kind` and in words."""

    @property
    def noun(self) -> str:
        """One example in words: "row", "picture", "window"."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Kinds of `readers.Data` that it takes."""

    @property
    def endings(self) -> tuple[str, ...]:
        """Files its examples can be written to, the usual one first; "" is a folder."""

    @property
    def has_missing(self) -> bool:
        """Whether NaN is a missing cell; where it is not, NaN is an error."""

    @property
    def samples_noise(self) -> bool:
        """Whether `sample` draws from p(x | code) (a row one could have seen) or shows its mean (a picture)."""

    @property
    def default_corruption(self) -> str:
        """The corruption that suits it, in the words of recipes: "GaussianNoise", "Masking"."""

    @classmethod
    def suits(cls, data: Data) -> bool:
        """Whether data of unknown kind look like this one. The first of `MODALITIES` that says so is taken."""

    def accept(self, data: Data) -> Any:
        """What a reader found -> X, in a canonical container; raises ValueError or TypeError for another kind."""

    def for_scores(self) -> Self:
        """The same, with the options that were not given as they suit the scores of a detector."""

    def infer(self, X: Any) -> Self:
        """Looks at X once, and knows shapes, scales and names from then on."""

    def examples(self, X: Any, dense: bool = False) -> Examples:
        """X -> raw examples (pictures stay uint8), and where each was cut; `dense` cuts as close as scores want."""

    # ---- the way back ----

    def restore(self, raw: Tensor, sampled: bool = False, like: Any = None) -> Any:
        """Examples in raw units (N, *S), each alone -> what the user handed in, N of them.

        `sampled` ones may be brought onto values that could have been there. The container, index and types are those
        at fit, or those of `like`.
        """

    def stitch(self, examples: Examples, raw: Tensor, like: Any) -> Any:
        """Raw examples (N, *S) put together to records, in the container of `like`, the X they were cut from."""

    def fill(self, X: Any, examples: Examples, raw: Tensor) -> Any:
        """X with its missing cells taken from raw examples (N, *S), every other cell as it is.

        Raises TypeError where the kind of data has no missing cells.
        """

    def given(self, cells: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
        """Some cells as a user gives them -> raw rows (m, *S), NaN for all others; and what hands out drawn rows.

        That takes raw rows (m * n, *S), n for each of m in turn, to what `restore` makes of sampled ones, with the
        given cells as they were. Raises TypeError where cells have no names, ValueError for what was not there at fit.
        """

    def scores_per_row(self, scores: np.ndarray, cells: Callable[[], np.ndarray], examples: Examples) -> np.ndarray:
        """Scores (N,) of examples -> of the rows handed in; `cells` gives log p of every cell (N, *S) if needed."""

    def split(self, X: Any, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
        """((X, records) to train on, (X, records) to test on), X in the user's own form, records (n,) their places."""

    # ---- what is said of it ----

    @property
    def shape(self) -> tuple[int, ...]:
        """S."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Named features; () where there are none."""

    @property
    def learned_names(self) -> tuple[str, ...]:
        """The columns of a table that it was learned from, in their order; () where these have no names."""

    @property
    def constant_names(self) -> tuple[str, ...]:
        """Features that never changed at fit."""

    def describe(self) -> str:
        """The data in words, such as "grey pictures of 8 × 8 pixels"."""

    # ---- the model ----

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of networks that `encoder` and `decoder` know."""

    def default_network(self, on_gpu: bool) -> str:
        """The one of them that suits data of this size, on a GPU or on a CPU."""

    @property
    def mask_value(self) -> float:
        """What a hidden cell holds in model space: NaN (missing) in a table, 0 (the mean, or black) in a picture."""

    def noise_mask(self) -> Tensor:
        """(*S) bool: the cells that noise may touch, which are the numeric ones."""

    def marginal_mask(self) -> Tensor:
        """(*S) bool: the cells of a sample that are brought onto the distribution they had at fit: numbers of a table,
        no cell of a picture."""

    def scaling(self, likelihood: Likelihood | None = None) -> Standardise:
        """Raw -> the model space that suits the likelihood; None is the one that `likelihood(None, ...)` gives."""

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module: ...

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module: ...

    def likelihood(self, name: str | None, variance: Any) -> Likelihood: ...

    # ---- on disk ----

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self: ...
