"""Randomness that is explicit: torch's global generators start from a seed inside, and are the caller's own outside."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import torch

_process_lock = threading.RLock()


@contextlib.contextmanager
def process_state() -> Iterator[None]:
    """Inside, this thread alone may change what the whole process shares: torch's generators, numbers of threads.

    Weights, corruptions, bottlenecks and likelihoods all draw from torch's global generator. Two fits in two Python
    threads would take numbers from each other, so that no seed could repeat them: with the lock they run one after
    the other, and each is what it is alone. The lock is re-entrant.
    """
    with _process_lock:
        yield


@contextlib.contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """torch's global generators start from `seed` inside and are put back afterwards; None changes nothing.

    Holds `process_state`: what draws from a seed in another Python thread waits.
    """
    if seed is None:
        yield
        return
    with process_state(), torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def _new_lock() -> None:
    """The thread that held the lock when the process forked is not there in the child."""
    global _process_lock
    _process_lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)
