"""What the machine offers: device, threads, precision, batch size."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from numbers import Integral
from typing import Any, Literal

import torch
from threadpoolctl import ThreadpoolController
from torch import nn

Precision = Literal["float32", "bfloat16"]

MIN_PARAMETERS_FOR_BFLOAT16 = 2**18  # parameters; below, casting costs more than the faster products save


def resolve_device(device: str) -> torch.device:
    """`"auto"` is the GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device={device!r} is unknown; choose 'auto', 'cpu' or 'cuda'") from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={device!r}, but torch finds no CUDA device here; choose 'auto' or 'cpu'")
    return resolved


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware (AMX or AVX512-BF16 on a CPU)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in probes)


def resolve_precision(precision: str, model: nn.Module, batch_size: int, device: torch.device) -> Precision:
    """`"auto"` is bfloat16 for large enough products where the device is made for it, else float32."""
    if precision in ("float32", "bfloat16"):
        return precision  # type: ignore[return-value]
    if precision != "auto":
        raise ValueError(f"precision={precision!r} is unknown; choose 'auto', 'float32' or 'bfloat16'")
    large = sum(p.numel() for p in model.parameters()) >= MIN_PARAMETERS_FOR_BFLOAT16 and batch_size >= 128
    return "bfloat16" if large and has_bfloat16(device) else "float32"


def resolve_batch_size(n_rows: int) -> int:
    """About fifty steps an epoch, a power of two from 32 to 512."""
    return int(min(512, max(32, 2 ** round(math.log2(max(n_rows, 1) / 50)))))


def mixed_precision(precision: str, device: torch.device) -> Any:
    """The context in which products are made in that precision, whatever the caller's own autocast says."""
    bfloat16 = precision == "bfloat16"
    if not bfloat16 and not torch.is_autocast_enabled(device.type):
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)


@functools.cache
def _thread_pools() -> ThreadpoolController:
    """Found once: looking through all loaded libraries takes milliseconds."""
    return ThreadpoolController()


@contextlib.contextmanager
def threads(n: int | None) -> Iterator[int]:
    """torch, numpy and SciPy run with n threads inside, with as many as before outside; None keeps what is set."""
    if n is None:
        yield torch.get_num_threads()
        return
    if not isinstance(n, Integral):
        raise TypeError(f"n_threads={n!r} must be a whole number")
    n = int(n)  # of numpy, perhaps
    if n < 1:
        raise ValueError(f"n_threads={n} must be at least 1")
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        with _thread_pools().limit(limits=n):
            yield n
    finally:
        torch.set_num_threads(before)
