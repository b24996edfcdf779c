"""Pictures of any layout, size, depth and colour -> one array of one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from hourglass.readers import containers
from hourglass.user_warnings import warn

USUAL_CHANNELS = (1, 3, 4)
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def check_pictures(X: Any, names: Sequence[str] | None = None) -> np.ndarray:
    """X as an array of three or four axes.

    Raises
    ------
    TypeError, ValueError : for values that are not finite numbers, another number of axes, and no picture at all.
    """
    array = containers.as_array(X)
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
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        where = f"{names[place[0]]}, pixel {place[1:]}" if names else f"X[{', '.join(map(str, place))}]"
        raise ValueError(f"{where} is {array[place]}; pictures must hold finite numbers only")
    return array


def channel_axis(array: np.ndarray, channels: Literal["first", "last"] | None = None) -> int:
    """Which axis of (N, C, H, W) or (N, H, W, C) holds the channels: 1 or -1.

    One of the usual numbers, else the axis that is much the shorter; where neither tells, the first, with a warning.
    """
    if channels is not None:
        return 1 if channels == "first" else -1
    first, last = array.shape[1], array.shape[-1]
    if first in USUAL_CHANNELS:
        return 1
    if last in USUAL_CHANNELS or 2 * last <= min(first, array.shape[2]):
        return -1
    if 2 * first > min(array.shape[2:]):
        warn(
            f"pictures of shape {array.shape[1:]} are read as (channels, height, width); if the channels come last, "
            "say modality='images channels=last'"
        )
    return 1


def channels_first(array: np.ndarray, layout: str) -> np.ndarray:
    """(N, C, H, W) of an array of that layout, "NHW", "NCHW" or "NHWC"."""
    if layout == "NHW":
        return array[:, None]
    return np.moveaxis(array, -1, 1) if layout == "NHWC" else array


def alike(
    pictures: Any,
    names: Sequence[str] | None,
    size: tuple[int, int] | None,
    crop: bool,
    grey: bool | None,
    channels: Literal["first", "last"] | None,
) -> np.ndarray:
    """Pictures as one array; as they are where nothing is asked for and all are of one form.

    Parameters
    ----------
    pictures : array (N, H, W), (N, C, H, W) or (N, H, W, C), or a list of (H, W) or (C, H, W) arrays.
    size : (height, width) they are brought to, or None.
    crop : keep proportions and cut out the middle.
    grey : True for grey, False for colour, None for as they are.
    channels : where the channels of an array lie, if it cannot be told.

    Raises
    ------
    ValueError : where pictures differ and nothing is asked for that makes them alike; it names two of them.
    """
    asked = size is not None or crop or grey is not None
    if isinstance(pictures, list):
        each = [p[None] if p.ndim == 2 else p for p in pictures]
        each = [
            np.moveaxis(p, -1, 0) if p.shape[0] not in USUAL_CHANNELS and p.shape[-1] in (3, 4) else p for p in each
        ]
    elif asked:
        array = check_pictures(pictures, names)
        layout = "NHW" if array.ndim == 3 else "NHWC" if channel_axis(array, channels) == -1 else "NCHW"
        each = list(channels_first(array, layout))
    else:
        return check_pictures(pictures, names)
    if grey is not None:
        each = [_in_grey(p) if grey else _in_colour(p) for p in each]
    if asked:
        each = _of_one_depth(each)
    if size is None and crop:
        size = (min(p.shape[1] for p in each), min(p.shape[2] for p in each))
        each = [_middle(p, size) for p in each]
    elif size is not None:
        each = [_resized(p, size, crop) for p in each]
    first = each[0]
    for i, picture in enumerate(each):
        if (picture.shape, picture.dtype) != (first.shape, first.dtype):
            here, there = (names[0], names[i]) if names else ("X[0]", f"X[{i}]")
            raise ValueError(f"{here} is {_form(first)} but {there} is {_form(picture)}; {_remedy(first, picture)}")
    stacked = check_pictures(np.stack(each), names)
    return stacked[:, 0] if isinstance(pictures, np.ndarray) and pictures.ndim == 3 else stacked


def _form(picture: np.ndarray) -> str:
    colour = {1: "grey", 3: "colour"}.get(picture.shape[0], f"{picture.shape[0]} channels")
    return f"{picture.shape[2]} x {picture.shape[1]}, {colour}, {picture.dtype}"


def _remedy(one: np.ndarray, other: np.ndarray) -> str:
    if one.shape[1:] != other.shape[1:]:
        return "one model takes pictures of one size: modality='images resize=64 crop=yes'"
    if one.shape[0] != other.shape[0]:
        return (
            "one model takes pictures of one kind of colour: modality='images grey=yes', or modality='images grey=no'"
        )
    return "one model takes pictures of one depth: save all in one"


def _in_grey(picture: np.ndarray) -> np.ndarray:
    """(C, H, W) -> (1, H, W) of the same type."""
    if picture.shape[0] == 1:
        return picture
    if picture.shape[0] < 3:
        return picture[:1]
    level = np.tensordot(LUMA, picture[:3].astype(np.float64), axes=1)
    return _of_type(level, picture.dtype)[None]


def _in_colour(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture[:1], 3, axis=0) if picture.shape[0] < 3 else picture[:3]


def _of_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind not in "ui":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def _of_one_depth(pictures: list[np.ndarray]) -> list[np.ndarray]:
    """Pictures of 8 and 16 bits together become 16 bits; others stay."""
    kinds = {p.dtype for p in pictures}
    if kinds != {np.dtype(np.uint8), np.dtype(np.uint16)}:
        return pictures
    return [p.astype(np.uint16) * np.uint16(257) if p.dtype == np.uint8 else p for p in pictures]


def _middle(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    top, left = (picture.shape[1] - size[0]) // 2, (picture.shape[2] - size[1]) // 2
    return picture[:, top : top + size[0], left : left + size[1]]


def _resized(picture: np.ndarray, size: tuple[int, int], crop: bool) -> np.ndarray:
    """(C, H, W) -> (C, *size); with `crop` the middle of the picture in its own proportions."""
    from PIL import Image

    height, width = size
    if crop:
        factor = min(picture.shape[1] / height, picture.shape[2] / width)  # source pixels per pixel
        picture = _middle(picture, (max(1, round(factor * height)), max(1, round(factor * width))))
    if picture.shape[1:] == size:
        return picture
    planes = [
        np.asarray(Image.fromarray(plane.astype(np.float32)).resize((width, height), Image.Resampling.LANCZOS))
        for plane in picture
    ]
    low, high = float(picture.min()), float(picture.max())
    return _of_type(np.clip(np.stack(planes), low, high), picture.dtype)
