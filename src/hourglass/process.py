"""What a whole process shares: set for the length of a computation, and given back as the caller had it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import numpy as np
import torch

_lock = threading.RLock()
_has_computed = False  # torch may have threads of its own by now, which a forked child does not inherit
_is_forked = False


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, this Python thread alone changes what the process shares: torch's generators, numbers of threads.

    Other threads wait where they want the same, so that fits in several threads run one after the other. Re-entrant.
    """
    with _lock:
        yield


@contextlib.contextmanager
def usual_settings() -> Iterator[None]:
    """Inside, torch and numpy are set as in a fresh process, whatever the caller has set: torch makes float32 tensors
    that can be trained, numpy warns of what overflows and is silent where exp(-1000) becomes 0."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch.is_inference_mode_enabled():  # whose tensors can never be trained
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.no_grad())
        if (before := torch.get_default_dtype()) != torch.float32:
            stack.enter_context(alone())
            stack.callback(torch.set_default_dtype, before)
            torch.set_default_dtype(torch.float32)
        yield


def computes() -> None:
    """Says that torch may start threads from here on, so that a forked child must do without them."""
    global _has_computed
    _has_computed = True


def is_forked() -> bool:
    """Whether this process was forked from one that had computed: OpenMP then waits for threads that are not there, as
    soon as it is asked for more than one."""
    return _is_forked


def _after_fork() -> None:
    global _lock, _is_forked
    _lock = threading.RLock()  # the thread that held it may not be there
    if _has_computed:
        _is_forked = True
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
