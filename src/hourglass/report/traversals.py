"""Latent traversals along the dimensions that tell most, for every form of examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hourglass.exploration import dimension_use, traversal
from hourglass.report.report_data import ReportData


@dataclass(frozen=True, eq=False)
class ShownTraversal:
    """A traversal along `dimension`: the form of its examples, and in words how much the dimension tells."""

    dimension: int
    examples: Any
    name: str


def shown_traversals(s: ReportData, most: int, start: np.ndarray | None = None) -> list[ShownTraversal]:
    """At most so many traversals along dimensions in use, the most informative first."""
    use = dimension_use(s.estimator)
    order = [int(d) for d in use.order if use.active[d]][:most] or [int(use.order[0])]
    shown = []
    for d in order:
        found = traversal(s.estimator, d, start=start, condition=s.one_condition)
        much = f"{use.values[d]:.2g} nats" if use.unit == "nats" else f"standard deviation {use.values[d]:.2g}"
        name = f"dimension {d} ({much}), from {found.values[0]:.2g} to {found.values[-1]:.2g}"
        shown.append(ShownTraversal(d, s.view(found.examples), name))
    return shown
