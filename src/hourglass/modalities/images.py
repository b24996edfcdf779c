"""Pictures: grey or colour, any integer depth or float."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from hourglass import likelihoods
from hourglass.modalities.examples import Examples, split_records
from hourglass.modalities.picture_forms import alike, channel_axis, channels_first, check_pictures
from hourglass.modalities.scaling import Binarise, Standardise, UnitRange
from hourglass.networks.pictures import BYPASSED, NETWORKS, PictureNetwork, default_network
from hourglass.readers import Data
from hourglass.typed_json import from_json
from hourglass.user_warnings import warn

Layout = Literal["NHW", "NCHW", "NHWC"]


@dataclass(frozen=True)
class Images:
    """Pictures of one size.

    Parameters
    ----------
    binarise : "dynamic" samples every pixel on each pass, with its grey level as the probability of white, and makes
        the likelihood Bernoulli. None leaves grey levels as they are: with `likelihood="bernoulli"` the level itself is
        the probability to be reconstructed, a cross-entropy (see `Bernoulli`).
    resize : the side in pixels, or (height, width), that pictures are brought to, now and at every later use.
    crop : keep the proportions, and cut out the middle: of `resize`, or of the smallest picture without it.
    grey : True makes all pictures grey, False all colour; None leaves them, and they must be alike.
    channels : "first" or "last", where the axis of the channels of an array cannot be told by its length.

    Learned by `infer`: `shape` (C, H, W); `white` and `black`, the largest and the smallest level; `mean` and `scale`
    per channel (never per pixel); `two_valued`; `dtype` and `layout` of what came in.
    """

    binarise: Literal["dynamic"] | None = None
    resize: int | tuple[int, int] | None = None
    crop: bool = False
    grey: bool | None = None
    channels: Literal["first", "last"] | None = None
    shape: tuple[int, ...] = field(default=(), repr=False)
    black: float = field(default=0.0, repr=False)
    white: float = field(default=1.0, repr=False)
    mean: tuple[float, ...] = field(default=(), repr=False)
    scale: tuple[float, ...] = field(default=(), repr=False)
    two_valued: bool = field(default=False, repr=False)
    dtype: str = field(default="uint8", repr=False)
    layout: Layout = field(default="NCHW", repr=False)

    name = "images"
    noun = "picture"
    reads = ("images", "arrays")
    endings = (".png", "", ".npy", ".npz")
    has_missing = False
    samples_noise = False  # a sampled picture shows the mean, not the mean plus pixel noise
    default_corruption = "GaussianNoise"
    networks = tuple(NETWORKS)
    mask_value = 0.0
    columns = ()
    learned_names = ()
    constant_names = ()

    def __post_init__(self) -> None:
        if self.binarise not in (None, "dynamic"):
            raise ValueError(f"binarise={self.binarise!r} is unknown; choose 'dynamic' or None")
        if self.channels not in (None, "first", "last"):
            raise ValueError(f"channels={self.channels!r} is unknown; choose 'first', 'last' or None")
        sides = () if self.resize is None else (self.resize,) if isinstance(self.resize, int) else tuple(self.resize)
        if (
            any(not isinstance(side, (int, np.integer)) or isinstance(side, bool) or side < 1 for side in sides)
            or len(sides) > 2
        ):
            raise ValueError(f"resize={self.resize!r} must be a side in pixels, such as 64, or (height, width)")
        if len(sides) == 2:
            object.__setattr__(self, "resize", (int(sides[0]), int(sides[1])))

    @classmethod
    def suits(cls, data: Data) -> bool:
        """Picture files, arrays of three or four axes, and lists of pictures."""
        if data.kind == "images":
            return True
        return data.kind == "arrays" and all(np.ndim(x) in (2, 3) for x in data.X[:1]) and len(data.X) > 0

    def accept(self, data: Data) -> Any:
        """An array (N, H, W), (N, C, H, W) or (N, H, W, C), in the size and the colours asked for."""
        if data.columns is not None or data.kind not in (*self.reads, "tables"):
            raise ValueError(f"{data.source} holds {data.kind}, but pictures are needed")
        size = (self.resize, self.resize) if isinstance(self.resize, int) else self.resize
        return alike(data.X, data.names, size, self.crop, self.grey, self.channels)

    def for_scores(self) -> Images:
        return self

    def infer(self, X: Any) -> Images:
        array = check_pictures(X)
        if not array.size:
            raise ValueError(f"X has shape {array.shape}: pictures without pixels; give at least one of everything")
        if len(array) < 2:
            raise ValueError("X holds 1 picture; at least two are needed")
        layout = self._layout_of(array)
        pictures = channels_first(array, layout)
        black, white = float(array.min()), float(array.max())
        if black == white:
            raise ValueError(f"every pixel of X is {white:g}; there is nothing to learn from constant pictures")
        # uint8 sums are exact in int64; float pictures are summed in float64
        mean = pictures.mean(axis=(0, 2, 3), dtype=np.float64)
        sample = pictures[:: max(1, len(pictures) // 5000)].astype(np.float64)
        spread = sample.std(axis=(0, 2, 3))
        return replace(
            self,
            shape=tuple(int(s) for s in pictures.shape[1:]),
            black=black,
            white=white,
            mean=tuple(mean.tolist()),
            scale=tuple(np.where(spread > 0, spread, 1.0).tolist()),
            two_valued=all(
                bool(((part == black) | (part == white)).all())
                for part in np.array_split(array, max(1, len(array) // 1000))
            ),
            dtype=str(array.dtype),
            layout=layout,
        )

    def _layout_of(self, array: np.ndarray) -> Layout:
        if array.ndim == 3:
            return "NHW"
        return "NHWC" if channel_axis(array, self.channels) == -1 else "NCHW"

    def examples(self, X: Any, dense: bool = False) -> Examples:
        """Every picture is an example."""
        return Examples.whole(self._tensor(X))

    def _tensor(self, X: Any) -> Tensor:
        """X -> raw (N, C, H, W), integers of 8 bits as they are."""
        pictures = self.as_fitted(check_pictures(X))
        self._note_other_units(pictures)
        if pictures.dtype == np.uint16:  # torch has few operations on uint16
            pictures = pictures.astype(np.int32)
        elif pictures.dtype.kind == "f" or pictures.dtype == bool:
            pictures = pictures.astype(np.float32, copy=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a read-only array is shared: nothing here writes to it
            return torch.from_numpy(np.ascontiguousarray(pictures))

    def as_fitted(self, array: np.ndarray) -> np.ndarray:
        """(N, C, H, W) of the shape at fit, the channels being where they were then or where they must be."""
        possible: tuple[Layout, ...] = ("NHW",) if array.ndim == 3 else (self.layout, "NCHW", "NHWC")
        for layout in (layout for layout in possible if len(layout) == array.ndim):
            pictures = channels_first(array, layout)
            if pictures.shape[1:] == self.shape:
                return pictures
        raise ValueError(
            f"X holds pictures of shape {pictures.shape[1:]} (channels, height, width), "
            f"but the model was fitted on {self.shape}: resize or convert them first"
        )

    def _note_other_units(self, pictures: np.ndarray) -> None:
        """Warns of levels that can hardly mean what they meant at fit, such as 0 to 1 where there was 0 to 255."""
        low, high, span = float(pictures.min()), float(pictures.max()), self.white - self.black
        outside = high > self.white + span or low < self.black - span
        fractions = pictures.dtype.kind == "f" and self.dtype[0] in "ui" and self.black < high <= 1 < self.white
        if outside or fractions:
            warn(
                f"X holds {pictures.dtype} levels from {low:g} to {high:g}, but the model was fitted on {self.dtype} "
                f"from {self.black:g} to {self.white:g}: give pictures in the same units"
            )

    def restore(self, raw: Tensor, sampled: bool = False, like: Any = None) -> np.ndarray:
        """Raw levels, float32, clipped to what the data can hold, in the layout at fit."""
        pictures = raw.clamp(self.black, self.white).float().cpu().numpy()
        if self.layout == "NHW":
            return pictures[:, 0]
        return np.moveaxis(pictures, 1, -1) if self.layout == "NHWC" else pictures

    def stitch(self, examples: Examples, raw: Tensor, like: Any) -> np.ndarray:
        """Pictures as they stand."""
        return self.restore(raw)

    def fill(self, X: Any, examples: Examples, raw: Tensor) -> NoReturn:
        """Raises TypeError: pictures have no missing cells."""
        raise TypeError("a picture has no missing cells to fill in; impute is for tables and other data with NaN cells")

    def given(self, cells: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
        raise TypeError("given= is for tables, whose columns have names; this model was fitted on pictures")

    def scores_per_row(self, scores: np.ndarray, cells: Callable[[], np.ndarray], examples: Examples) -> np.ndarray:
        """One score per picture."""
        return scores

    def split(self, X: Any, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
        """Pictures chosen at random."""
        return split_records(X, fraction, most, rng)

    def describe(self) -> str:
        channels = {1: "grey", 3: "colour"}.get(self.shape[0], f"{self.shape[0]}-channel")
        return f"{channels} pictures of {' × '.join(map(str, self.shape[1:]))} pixels"

    def noise_mask(self) -> Tensor:
        return torch.ones(self.shape, dtype=torch.bool)

    def marginal_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    @property
    def _bernoulli(self) -> bool:
        return self.two_valued or self.binarise == "dynamic"

    def scaling(self, likelihood: likelihoods.Likelihood | None = None) -> Standardise:
        bernoulli = self._bernoulli if likelihood is None else isinstance(likelihood, likelihoods.Bernoulli)
        if self._bernoulli or bernoulli:
            kind = Binarise if self.binarise == "dynamic" else UnitRange if bernoulli else Standardise
            return kind(torch.tensor(self.black), torch.tensor(self.white - self.black))
        return Standardise(torch.tensor(self.mean).view(-1, 1, 1), torch.tensor(self.scale).view(-1, 1, 1))

    def default_network(self, on_gpu: bool) -> str:
        """Fully connected up to 32 pixels a side, convolutions above; residual ones on a GPU."""
        return default_network(self.shape, on_gpu)

    def _network(self, name: str | None) -> PictureNetwork:
        name = default_network(self.shape) if name is None else name
        if name in BYPASSED:
            return BYPASSED[name]
        if name not in NETWORKS:
            known = ", ".join(map(repr, NETWORKS))
            raise ValueError(
                f"network={name!r} is unknown; choose {known}, or leave it out: the size of the pictures then decides"
            )
        return NETWORKS[name]

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module:
        return self._network(network).encoder(self.shape, hidden, activation)

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module:
        return self._network(network).decoder(n_code, shape, hidden, activation)

    def likelihood(self, name: str | None, variance: Any) -> likelihoods.Likelihood:
        name = name or ("bernoulli" if self._bernoulli else "gaussian")
        if name == "bernoulli":
            return likelihoods.Bernoulli(self.shape)
        step = 1.0 if np.dtype(self.dtype).kind in "ui" else (self.white - self.black) / 255
        scales = [self.white - self.black] * self.shape[0] if self._bernoulli else self.scale
        floors = [step / s / 12**0.5 for s in scales]
        varying = [f for f, s in zip(floors, self.scale, strict=True) if s != 1.0]  # 1 is that of a constant channel
        variance = "shared" if variance is None else variance
        own = variance in ("partial", "feature")
        floor: Any = floors if own else float(np.sqrt(np.mean(np.square(varying or floors))))
        if name == "gaussian":
            return likelihoods.Gaussian(self.shape, variance=variance, floor=floor)
        if name == "laplace":
            return likelihoods.Laplace(self.shape, variance=variance, floor=floor)
        raise ValueError(f"likelihood={name!r} is not for pictures; choose gaussian, laplace or bernoulli")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Images:
        return from_json(cls, values, "images")
