"""The only loops over rows after training: codes, reconstructions, log-probabilities, on the device chosen.

What is said of a row does not depend on the rows beside it, to the last bit: batches are padded to a least size.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from hourglass.diagnostics import known_cells
from hourglass.diagnostics.density import CodeDensity
from hourglass.diagnostics.evidence import log_evidence
from hourglass.model import Autoencoder
from hourglass.training import Rows, pad_rows, resolve_device, rows_per_pass

ROWS_TO_DRAW = 20_000  # at once


@contextlib.contextmanager
def placed(model: Autoencoder, device: str) -> Iterator[torch.device]:
    """The model on the device, and back where it was afterwards."""
    where = resolve_device(device)
    before = next((p.device for p in model.parameters()), torch.device("cpu"))
    if where.type == before.type and where.index in (None, before.index):
        yield before
        return
    model.to(where)
    try:
        yield where
    finally:
        model.to(before)


def batches(
    model: Autoencoder, raw: Tensor, condition: Tensor | None, device: str
) -> Iterator[tuple[Tensor, Tensor | None, int]]:
    """Padded batches (x in model space, condition, how many rows of it count), on the device."""
    with placed(model, device) as where:
        for batch in Rows(raw, condition).batches(rows_per_pass(model)):
            given = None if batch.condition is None else pad_rows(batch.condition).to(where)
            yield model.scaling(pad_rows(batch.raw).to(where)), given, len(batch)


@torch.no_grad()
def measure(
    model: Autoencoder,
    raw: Tensor,
    condition: Tensor | None,
    of: Callable[[Tensor, Tensor | None], Tensor],
    device: str = "cpu",
) -> Tensor:
    """What `of` says of examples in model space, (B, *S) with their condition -> (B, ...): of raw rows (N, ...)."""
    return torch.cat([of(x, given)[:n].cpu() for x, given, n in batches(model, raw, condition, device)])


@torch.no_grad()
def encode(model: Autoencoder, raw: Tensor, condition: Tensor | None, device: str = "cpu") -> Tensor:
    """Raw rows (N, *S) -> codes (N, L, *G): the posterior's mode."""
    codes = [model.encode(x, given).mode[:n].cpu() for x, given, n in batches(model, raw, condition, device)]
    return torch.cat(codes)


@torch.no_grad()
def decode(
    model: Autoencoder, codes: Tensor, condition: Tensor | None, device: str = "cpu", noise: bool = False
) -> Tensor:
    """Codes (N, L, *G) -> raw units (N, *S): the reconstruction, or a draw of x with the likelihood's noise."""
    parts = []
    with placed(model, device) as where:
        for batch in Rows(codes, condition).batches(rows_per_pass(model)):
            z, given, n = batch.raw, batch.condition, len(batch)
            if not noise:  # of a draw the padding would be drawn too
                z, given = pad_rows(z), None if given is None else pad_rows(given)
            output = model.decode(z.to(where), None if given is None else given.to(where))
            x = output.sample() if noise else output.reconstruction
            parts.append(model.scaling.inverse(x)[:n].cpu())  # type: ignore[operator]
    return torch.cat(parts) if parts else torch.empty(0, *model.decode.likelihood.shape)


@torch.no_grad()
def reconstruct(model: Autoencoder, raw: Tensor, condition: Tensor | None, device: str = "cpu") -> Tensor:
    """Raw rows through the model and back, (N, *S) in raw units."""
    parts = []
    for x, given, n in batches(model, raw, condition, device):
        parts.append(model.scaling.inverse(model.reconstruct(x, given).reconstruction)[:n].cpu())  # type: ignore[operator]
    return torch.cat(parts)


@torch.no_grad()
def cell_log_prob(model: Autoencoder, raw: Tensor, condition: Tensor | None, device: str = "cpu") -> Tensor:
    """log p of every cell given the code's mode, (N, *S) nats; what is missing or unseen as in a score."""
    parts = []
    for x, given, n in batches(model, raw, condition, device):
        parts.append(model.reconstruct(x, given).cell_log_prob(x)[:n].cpu())
    return torch.cat(parts)


@torch.no_grad()
def evidence(
    model: Autoencoder, raw: Tensor, condition: Tensor | None, n_samples: int, seed: int, device: str = "cpu"
) -> Tensor:
    """The bound of log p(x) of raw rows, (N,) nats per example, in units linear in theirs; see `log_evidence`."""
    scores = []
    for x, given, n in batches(model, raw, condition, device):
        scores.append(log_evidence(model, x, given, n_samples=n_samples, seed=seed, batch_size=len(x))[:n].cpu())
    return torch.cat(scores) + model.scaling.log_slope(raw)  # type: ignore[operator]


@torch.no_grad()
def draw_missing(
    model: Autoencoder,
    density: CodeDensity,
    raw: Tensor,
    condition: Tensor | None,
    groups: np.ndarray | None,
    n: int,
    seed: int,
    device: str = "cpu",
) -> Tensor:
    """Whole rows given the known cells of raw rows (N, *S): n draws of each, (n, N, *S) in raw units; the caller seeds.

    The cells that are known are drawn too: whoever wants them as they were puts them back.
    """
    draws = []
    with placed(model, device) as where:
        size = max(1, ROWS_TO_DRAW // n)
        for start in range(0, len(raw), size):
            part = slice(start, start + size)
            x = model.scaling(raw[part].to(where))
            given = None if condition is None else condition[part].to(where)
            of_part = None if groups is None else groups[part]
            z = known_cells.draw_codes(model, density, x, given, of_part, n=n, seed=seed + start)
            drawn = []
            for k in range(n):
                drawn.append(model.scaling.inverse(model.decode(z[k].to(where), given).sample()).cpu())  # type: ignore[operator]
            draws.append(torch.stack(drawn))
    return torch.cat(draws, 1)


@torch.no_grad()
def expected(
    model: Autoencoder,
    density: CodeDensity,
    raw: Tensor,
    condition: Tensor | None,
    seed: int,
    device: str = "cpu",
) -> Tensor:
    """The expected value of every cell given the known ones, (N, *S) float64 in model space; see `known_cells`."""
    with placed(model, device) as where:
        given = None if condition is None else condition.to(where)
        return known_cells.expected(model, density, model.scaling(raw.to(where)), given, seed=seed)
