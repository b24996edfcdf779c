"""How every term of the loss went down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hourglass.plots.scheme import LIGHT, SMALL, Scheme, heading, new_figure, style_axes

TERM_LABELS = {
    "reconstruction": "reconstruction: −log p(x | code)",
    "kl": "KL from the prior",
    "contraction": "contraction",
    "l1": "L1 of the code",
    "target_activation": "KL to the target activation",
}
SETTLED = 0.04  # share of the epochs whose first losses may lie above the picture's edge


def loss_curves(history: Sequence[dict[str, Any]], best_epoch: int | None = None, scheme: Scheme = LIGHT) -> Figure:
    """Each term of the loss over the epochs, unweighted, training and held-out rows.

    Training is a solid line with dots, held-out rows a dashed line with squares. The first epochs may start above the
    edge, so that the rest can be read.

    Parameters
    ----------
    history : `history_` of a fitted estimator.
    best_epoch : is marked, if given.
    scheme : colours.
    """
    if not history:
        raise ValueError("history is empty; fit the estimator first")
    epochs = np.array([h["epoch"] for h in history])
    terms = list(history[0]["train"])
    figure = new_figure(60 + 165 * len(terms), scheme)
    panels = figure.subplots(len(terms), 1, sharex=True, squeeze=False)[:, 0]
    for axes, term in zip(panels, terms, strict=True):
        style_axes(axes, scheme)
        heading(axes, f"{TERM_LABELS.get(term, term.replace('_', ' '))}, nats per example", scheme)
        curves = []
        for source, label, style, marker, colour in (
            ("train", "training", "-", "o", scheme.colours[0]),
            ("held_out", "held out", (0, (5, 2)), "s", scheme.colours[1]),
        ):
            values = np.array([h[source].get(term, np.nan) for h in history], dtype=float)
            if not np.isfinite(values).any():
                continue
            every = max(1, len(epochs) // 8)
            shift = 0 if source == "train" else every // 2  # marks of the two lines side by side
            axes.plot(
                epochs, values, linestyle=style, marker=marker, markevery=(shift, every), markersize=5,
                color=colour, linewidth=1.6, label=label, markerfacecolor=scheme.paper, markeredgewidth=1.3,
            )  # fmt: skip
            curves.append(values)
        _limit(axes, np.concatenate([v[int(len(epochs) * SETTLED) :] for v in curves]))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        if best_epoch:
            axes.axvline(best_epoch, color=scheme.faint, linewidth=1, linestyle=":")
    figure.legend(
        *panels[0].get_legend_handles_labels(), frameon=False, fontsize=SMALL, labelcolor=scheme.ink, handlelength=3,
        ncols=2, loc="outside upper left", borderpad=0.3,
    )  # fmt: skip
    panels[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panels[-1].set_xlabel(f"epoch (dotted: epoch {best_epoch}, whose weights were kept)" if best_epoch else "epoch")
    return figure


def _limit(axes: Any, values: np.ndarray) -> None:
    """The range of the settled epochs, with a little air."""
    values = values[np.isfinite(values)]
    if len(values) < 3:
        return
    low, high = float(values.min()), float(values.max())
    air = 0.08 * (high - low) or 0.08 * abs(high) or 1.0
    axes.set_ylim(low - air, high + air)
