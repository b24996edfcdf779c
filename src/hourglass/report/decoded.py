"""What codes decode to, for every form of examples: traversals, the latent plane, new examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from hourglass.exploration import Manifold, dimension_use, manifold, traversal
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData


@dataclass(frozen=True, eq=False)
class ShownTraversal:
    """A traversal along `dimension`: the form of its examples, and in words how much the dimension tells."""

    dimension: int
    examples: Any
    name: str


def shown_traversals(s: ReportData, most: int, start: np.ndarray | None = None, steps: int = 9) -> list[ShownTraversal]:
    """At most so many traversals along dimensions in use, the most informative first."""
    use = dimension_use(s.estimator)
    order = [int(d) for d in use.order if use.active[d]][:most] or [int(use.order[0])]
    shown = []
    for d in order:
        found = traversal(s.estimator, d, steps=steps, start=start, condition=s.one_condition)
        much = f"{use.values[d]:.2g} nats" if use.unit == "nats" else f"standard deviation {use.values[d]:.2g}"
        name = f"dimension {d} ({much}), from {found.values[0]:.2g} to {found.values[-1]:.2g}"
        shown.append(ShownTraversal(d, s.view(found.examples), name))
    return shown


def plane_panel(s: ReportData, draw: Callable[..., Figure], side: int, caption: str, alt_text: str) -> Panel:
    """The latent plane of a two-dimensional code; `draw` takes a `Manifold` and the form of its examples."""
    grid: Manifold = manifold(s.estimator, side, condition=s.one_condition)
    examples = s.view(grid.examples)
    return Panel(
        "The latent plane", f"{caption}{s.of_condition}", lambda scheme: draw(grid, examples, scheme=scheme), alt_text
    )


def new_examples(s: ReportData, n: int, n_each: int) -> tuple[list[Any], list[str]]:
    """The form of n new examples in one set of no name; or `n_each` for each condition, and the names of these."""
    if not s.levels:
        return [s.view(s.estimator.sample(n, random_state=0))], [""]
    sets = [
        s.view(s.estimator.sample(n_each, condition=s.condition_of(level, n_each), random_state=i))
        for i, level in enumerate(s.levels)
    ]
    return sets, [level.name for level in s.levels]
