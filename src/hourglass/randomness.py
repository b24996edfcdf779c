"""Randomness that is explicit: torch's global generators start from a seed inside, and are the caller's own outside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from hourglass.process import alone


@contextlib.contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """torch's global generators start from `seed` inside and are put back afterwards; None changes nothing.

    Weights, corruptions, bottlenecks and likelihoods, a caller's own too, all draw from torch's global generator. Two
    fits in two Python threads would take numbers from each other, and no seed could repeat them: whatever draws from a
    seed in another thread waits until this is done, so that each fit is bit for bit what it is alone.
    """
    if seed is None:
        yield
        return
    with alone(), torch.random.fork_rng():
        if torch.cuda.is_available():
            torch.manual_seed(seed)
        else:  # which looks for devices of all kinds, and takes as long as a step of a small network
            torch.default_generator.manual_seed(seed)
        yield
