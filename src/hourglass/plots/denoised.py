"""A picture before and after its noise was taken off, and what was taken."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from hourglass.plots.scheme import LIGHT, WIDTH, Scheme, heading, new_figure

SHOWN = 256  # pixels a side of the middle of a picture that is drawn, so that single ones can be seen
SPAN = 3.0  # standard deviations, that what was taken off is drawn up to


def before_and_after(noisy: np.ndarray, clean: np.ndarray, *, scheme: Scheme = LIGHT) -> Figure:
    """The middle of a picture (C, H, W) in grey levels, white being 255: noisy, clean, and the difference, enlarged."""
    noisy, clean = _middle(noisy), _middle(clean)
    taken = (noisy - clean).mean(-1)
    spread = max(SPAN * float(taken.std()), 1e-6)
    height = WIDTH / 3 * len(noisy) / noisy.shape[1] + 26
    figure = new_figure(height, scheme)
    shown_as = (
        ("before", noisy, (0.0, 255.0)),
        ("after", clean, (0.0, 255.0)),
        ("taken off", taken, (-spread, spread)),
    )
    for axes, (name, picture, limits) in zip(figure.subplots(1, 3), shown_as, strict=True):
        shown = np.clip((picture - limits[0]) / (limits[1] - limits[0]), 0, 1)
        axes.imshow(shown if shown.ndim == 3 and shown.shape[-1] == 3 else shown.reshape(*shown.shape[:2], -1).mean(-1),
                    cmap="gray", vmin=0, vmax=1, interpolation="nearest")  # fmt: skip
        heading(axes, name, scheme)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def _middle(picture: np.ndarray) -> np.ndarray:
    """(C, H, W) -> its middle (h, w, C)."""
    top, left = ((max(0, side - SHOWN) // 2) for side in picture.shape[1:])
    return np.moveaxis(picture[:3, top : top + SHOWN, left : left + SHOWN], 0, -1)
