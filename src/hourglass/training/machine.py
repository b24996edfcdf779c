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
from torch import Tensor, nn

from hourglass.model import Autoencoder
from hourglass.process import alone, computes, is_forked, usual_settings

Precision = Literal["float32", "bfloat16"]

MIN_PRODUCTS_FOR_BFLOAT16 = 2**26  # multiplications a step, forward; below, casting costs more than they save
MAX_NUMBERS_IN_BATCH = 2**21  # that a decoder puts out in a step: cells, times the classes of each
# in a run with max_epochs unset: examples trained on, and their multiplications forward; of MNIST's network those of
# six million examples are just as many
EXAMPLES_PER_RUN, PRODUCTS_PER_RUN = 6_000_000, 1.8e13
MIN_EPOCHS, MAX_EPOCHS, MIN_STEPS = 10, 300, 1_000
MAX_NUMBERS_IN_PASS = 2**20  # that a decoder puts out at once


def resolve_device(device: str) -> torch.device:
    """`"auto"` is the GPU where there is one.

    Raises
    ------
    ValueError : for a device that is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device={device!r} is unknown; choose 'auto', 'cpu', 'cuda' or 'cuda:N'") from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={device!r}, but torch finds no CUDA device here; choose 'auto' or 'cpu'")
    if resolved.index is not None and resolved.type == "cuda" and resolved.index >= torch.cuda.device_count():
        n = torch.cuda.device_count()
        raise ValueError(
            f"device={device!r}, but there are {n} CUDA devices here, counted from 0: up to 'cuda:{n - 1}'"
        )
    return resolved


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware (AMX or AVX512-BF16 on a CPU)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in probes)


def resolve_precision(precision: str, model: Autoencoder, batch_size: int, device: torch.device) -> Precision:
    """`"auto"` is bfloat16 where a step has enough products and the device is made for it, else float32."""
    if precision in ("float32", "bfloat16"):
        return precision  # type: ignore[return-value]
    if precision != "auto":
        raise ValueError(f"precision={precision!r} is unknown; choose 'auto', 'float32' or 'bfloat16'")
    if not has_bfloat16(device):
        return "float32"
    return "bfloat16" if batch_size * products_per_example(model) >= MIN_PRODUCTS_FOR_BFLOAT16 else "float32"


@torch.no_grad()
def products_per_example(model: Autoencoder) -> int:
    """Multiplications for one example there and back: every weight as often as it is used, at least once."""
    sizes, mode, counted = model.sizes, model.training, 0

    def count(layer: Any, inputs: Any, output: Tensor) -> None:
        nonlocal counted
        places = inputs[0][0] if isinstance(layer, _TRANSPOSED) else output[0]  # where the weights are laid
        counted += places.numel() * (layer.weight.numel() // layer.weight.shape[0])

    hooks = [layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, _LAYERS)]
    weight = next(model.parameters())
    x = torch.zeros(1, *sizes.example, device=weight.device)
    model.eval().reconstruct(x, torch.zeros(1, sizes.condition, device=weight.device) if sizes.condition else None)
    model.train(mode)
    for hook in hooks:
        hook.remove()
    return max(counted, sum(p.numel() for p in model.parameters()))


def resolve_batch_size(n_examples: int, numbers: int = 1) -> int:
    """About fifty steps an epoch, a power of two from 32 to 512; fewer of examples whose decoder puts out many numbers,
    from 8."""
    size = min(512, max(32, 2 ** round(math.log2(max(n_examples, 1) / 50))))
    most = 2 ** int(math.log2(max(1, MAX_NUMBERS_IN_BATCH // numbers)))
    return int(min(size, max(8, most)))


def resolve_epochs(n_examples: int, batch_size: int, model: Autoencoder, n_independent: int | None = None) -> int:
    """As many as make a run of minutes on two cores, from 10 to 300; of few examples as many as make 1,000 steps.

    Of examples that overlap, such as windows, `n_independent` share no cell: an epoch goes over each cell
    n_examples / n_independent times, and there are fewer epochs by so much.
    """
    n = max(n_examples, 1)
    independent = max(n_independent or n, 1)
    usual = min(MAX_EPOCHS, EXAMPLES_PER_RUN / independent) * independent / n
    wanted = max(usual, MIN_STEPS / max(1, n // batch_size))
    return max(MIN_EPOCHS, round(min(wanted, PRODUCTS_PER_RUN / products_per_example(model) / n)))


def rows_per_pass(model: Autoencoder, most: int = 4096, samples: int = 1) -> int:
    """How many examples to take through a model at once where no gradient is needed.

    Memory goes by the numbers that its decoder puts out, and by the samples of the code, not by rows.
    """
    numbers = samples * math.prod(model.decode.likelihood.parameter_shape)
    return int(min(most, max(1, MAX_NUMBERS_IN_PASS // numbers)))


def mixed_precision(precision: str, device: torch.device) -> Any:
    """The context in which products are made in that precision, whatever the caller's own autocast says."""
    bfloat16 = precision == "bfloat16"
    if not bfloat16 and not torch.is_autocast_enabled(device.type):
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)


_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)


@functools.cache
def _thread_pools() -> ThreadpoolController:
    """Found once: looking through all loaded libraries takes milliseconds."""
    return ThreadpoolController()


@contextlib.contextmanager
def threads(n: int | None) -> Iterator[int]:
    """torch, numpy and SciPy run with n threads inside, with as many as before outside; None keeps what is set.

    In all else they are set as in a fresh process inside (see `usual_settings`). As numbers of threads belong to the
    whole process, other Python threads that ask for one wait. In a process forked from one that has computed there is
    one thread, whatever n: more would wait for ever for those that the fork left behind.
    """
    if n is not None and not isinstance(n, Integral):
        raise TypeError(f"n_threads={n!r} must be a whole number")
    if n is not None and n < 1:
        raise ValueError(f"n_threads={n} must be at least 1")
    computes()
    with usual_settings():
        if is_forked():
            n = 1
        if n is None:
            yield torch.get_num_threads()
            return
        with alone():
            before = torch.get_num_threads()
            torch.set_num_threads(int(n))
            try:
                with _thread_pools().limit(limits=int(n)):
                    yield int(n)
            finally:
                torch.set_num_threads(before)
