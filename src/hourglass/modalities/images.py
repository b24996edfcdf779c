"""Pictures: grey or colour, any integer depth or float."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from hourglass import likelihoods
from hourglass.likelihoods.laplace import scale_of
from hourglass.modalities.columns import as_array
from hourglass.modalities.scaling import Binarise, Standardise, UnitRange
from hourglass.networks import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder
from hourglass.typed_json import from_json

MAX_SIDE_FOR_MLP = 32  # pixels a side; above, convolutions are both better and faster


def _picture_array(X: Any) -> np.ndarray:
    array = as_array(X)
    if array.dtype.kind not in "buif":
        raise TypeError(f"X holds {array.dtype} values; pictures need numbers: convert them to uint8, uint16 or float")
    if array.ndim not in (3, 4):
        raise ValueError(
            f"X has shape {array.shape}; pictures are (N, H, W) or (N, C, H, W) or (N, H, W, C): "
            "reshape rows of pixels first, as in X.reshape(-1, 28, 28)"
        )
    if len(array) == 0:
        raise ValueError("X holds 0 pictures; at least two are needed")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"X[{', '.join(map(str, where))}] is {array[where]}; pictures must hold finite numbers only")
    return array


def _layout_of(array: np.ndarray) -> str:
    if array.ndim == 3:
        return "NHW"
    return "NHWC" if array.shape[-1] in (1, 3, 4) and array.shape[1] not in (1, 3, 4) else "NCHW"


def _channels_first(array: np.ndarray, layout: str) -> np.ndarray:
    if layout == "NHW":
        return array[:, None]
    return np.moveaxis(array, -1, 1) if layout == "NHWC" else array


@dataclass(frozen=True)
class Images:
    """Pictures of one size.

    Parameters
    ----------
    binarise : "dynamic" tosses every pixel anew each time it is looked at, with its grey level as the probability, and
        makes the likelihood Bernoulli. None leaves grey levels as they are: with `likelihood="bernoulli"` the level
        itself is the probability that is to be given back, a cross-entropy (see `Bernoulli`).

    The rest is learnt by `infer`: `shape` (C, H, W); `white` and `black`, the largest and the smallest level; `mean`
    and `scale` per channel (never per pixel); `two_valued`; `dtype` and `layout` of what came in.
    """

    binarise: Literal["dynamic"] | None = None
    shape: tuple[int, ...] = field(default=(), repr=False)
    black: float = field(default=0.0, repr=False)
    white: float = field(default=1.0, repr=False)
    mean: tuple[float, ...] = field(default=(), repr=False)
    scale: tuple[float, ...] = field(default=(), repr=False)
    two_valued: bool = field(default=False, repr=False)
    dtype: str = field(default="uint8", repr=False)
    layout: str = field(default="NCHW", repr=False)

    name = "images"
    networks = ("mlp", "conv")
    mask_value = 0.0
    samples_noise = False  # a sampled picture shows the mean, not the mean plus pixel noise

    def __post_init__(self) -> None:
        if self.binarise not in (None, "dynamic"):
            raise ValueError(f"binarise={self.binarise!r} is unknown; choose 'dynamic' or None")

    def infer(self, X: Any) -> Images:
        array = _picture_array(X)
        if not array.size:
            raise ValueError(f"X has shape {array.shape}: pictures without pixels; give at least one of everything")
        if len(array) < 2:
            raise ValueError("X holds 1 picture; at least two are needed")
        layout = _layout_of(array)
        pictures = _channels_first(array, layout)
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

    def tensor(self, X: Any) -> Tensor:
        array = _picture_array(X)
        pictures = self._as_fitted(array)
        self._note_other_units(pictures)
        if pictures.dtype == np.uint16:  # torch has few operations on uint16
            pictures = pictures.astype(np.int32)
        elif pictures.dtype.kind == "f" or pictures.dtype == bool:
            pictures = pictures.astype(np.float32, copy=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a read-only array is shared: nothing here writes to it
            return torch.from_numpy(np.ascontiguousarray(pictures))

    def _as_fitted(self, array: np.ndarray) -> np.ndarray:
        """(N, C, H, W) of the shape at fit, the channels being where they were then or where they must be."""
        possible = ("NHW",) if array.ndim == 3 else (self.layout, _layout_of(array), "NCHW", "NHWC")
        for layout in (layout for layout in possible if len(layout) == array.ndim):
            pictures = _channels_first(array, layout)
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
            warnings.warn(
                f"X holds {pictures.dtype} levels from {low:g} to {high:g}, but the model was fitted on {self.dtype} "
                f"from {self.black:g} to {self.white:g}: give pictures in the same units",
                stacklevel=4,
            )

    def restore(self, raw: Tensor, sampled: bool = False) -> np.ndarray:
        """Raw levels, float32, clipped to what the data can hold, in the layout that came in."""
        pictures = raw.clamp(self.black, self.white).float().cpu().numpy()
        if self.layout == "NHW":
            return pictures[:, 0]
        return np.moveaxis(pictures, 1, -1) if self.layout == "NHWC" else pictures

    def noise_mask(self) -> Tensor:
        return torch.ones(self.shape, dtype=torch.bool)

    @property
    def _bernoulli(self) -> bool:
        return self.two_valued or self.binarise == "dynamic"

    def scaling(self, likelihood: likelihoods.Likelihood | None = None) -> Standardise:
        bernoulli = self._bernoulli if likelihood is None else isinstance(likelihood, likelihoods.Bernoulli)
        if self._bernoulli or bernoulli:
            kind = Binarise if self.binarise == "dynamic" else UnitRange if bernoulli else Standardise
            return kind(torch.tensor(self.black), torch.tensor(self.white - self.black))
        return Standardise(torch.tensor(self.mean).view(-1, 1, 1), torch.tensor(self.scale).view(-1, 1, 1))

    def _convolves(self, network: str | None) -> bool:
        if network not in (None, "mlp", "conv"):
            raise ValueError(f"network={network!r} is unknown; choose 'mlp', 'conv' or None (by size)")
        return network == "conv" or (network is None and max(self.shape[1:]) > MAX_SIDE_FOR_MLP)

    def _widths(self, hidden: Sequence[int] | None) -> Sequence[int]:
        if hidden is not None:
            return hidden
        return (256, 256) if max(self.shape[1:]) <= 16 else (640, 640, 640)

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module:
        if self._convolves(network):
            return ConvEncoder(self.shape, n_features=hidden[-1] if hidden else 256, activation=activation)
        return MLPEncoder(self.shape, self._widths(hidden), activation)

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module:
        if self._convolves(network):
            return ConvDecoder(n_code, shape, n_features=hidden[-1] if hidden else 256, activation=activation)
        return MLPDecoder(n_code, shape, tuple(reversed(self._widths(hidden))), activation)

    def likelihood(self, name: str | None, variance: Any) -> likelihoods.Likelihood:
        name = name or ("bernoulli" if self._bernoulli else "gaussian")
        if name == "bernoulli":
            return likelihoods.Bernoulli(self.shape)
        step = 1.0 if np.dtype(self.dtype).kind in "ui" else (self.white - self.black) / 255
        scales = [self.white - self.black] * self.shape[0] if self._bernoulli else self.scale
        floors = [step / s / 12**0.5 for s in scales]
        varying = [f for f, s in zip(floors, self.scale, strict=True) if s != 1.0]  # 1 is that of a constant channel
        floor: Any = floors if variance == "feature" else float(np.sqrt(np.mean(np.square(varying or floors))))
        if name == "gaussian":
            return likelihoods.Gaussian(self.shape, variance=variance, floor=floor)
        if name == "laplace":
            return likelihoods.Laplace(self.shape, scale=scale_of(variance), floor=floor)
        raise ValueError(f"likelihood={name!r} is not for pictures; choose gaussian, laplace or bernoulli")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Images:
        return from_json(cls, values, "images")
