"""A short digest by which data and runs are told apart."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from torch import Tensor


def fingerprint(*parts: Any) -> str:
    """A digest of tensors, arrays and JSON-able values: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, (Tensor, np.ndarray)):
            array = np.ascontiguousarray(part.cpu().numpy() if isinstance(part, Tensor) else part)
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.data)
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
