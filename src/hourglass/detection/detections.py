"""The answer of a detector: scores, p-values, alarms and their reasons, in the order of the rows handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hourglass.readers import containers
from hourglass.readers.column_types import from_columns


@dataclass(frozen=True, eq=False)
class Detections:
    """What was found in N rows.

    Attributes
    ----------
    score : (N,) higher is more anomalous; the negative of `score_samples`.
    p_value : (N,) the share of normal rows that are at least as anomalous, with a row counted for itself.
    alarm : (N,) bool.
    reason : (N,) one sentence for each alarm, "" for other rows.
    """

    score: NDArray[np.float64]
    p_value: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    reason: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.score)

    def columns(self) -> dict[str, np.ndarray]:
        """Name -> values of a column (N,)."""
        return {name: getattr(self, name) for name in ("score", "p_value", "alarm", "reason")}

    def to_frame(self, X: Any = None) -> Any:
        """A table of the kind of X, with its row index; a `pyarrow.Table` where X is not a frame."""
        X = None if X is None else containers.canonical(X)
        kind = containers.kind_of(X) if containers.is_frame(X) else "arrow"
        return from_columns(self.columns(), kind, index_of=X)
