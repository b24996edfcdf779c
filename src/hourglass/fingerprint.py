"""Digests by which data, runs and weights are told apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def digest(*parts: Any) -> str:
    """SHA-256 of tensors, arrays and JSON-able values: 64 hexadecimal digits."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, (Tensor, np.ndarray)):
            array = np.ascontiguousarray(_array(part) if isinstance(part, Tensor) else part)
            sha.update(f"{array.dtype}{array.shape}".encode())
            sha.update(array.reshape(-1).view(np.uint8).data)
        else:
            sha.update(json.dumps(part, sort_keys=True, default=str).encode())
    return sha.hexdigest()


def fingerprint(*parts: Any) -> str:
    """The first 16 digits of `digest`."""
    return digest(*parts)[:16]


def digest_of_tensors(tensors: Mapping[str, Tensor], *more: Any) -> str:
    """`digest` of named tensors, whatever their order: names, types, shapes and every byte."""
    names = sorted(tensors)
    return digest(names, *(tensors[name] for name in names), *more)


def _array(tensor: Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor).numpy()
