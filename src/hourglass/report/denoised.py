"""A page about pictures whose noise was taken off: before, after, and what was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.plots.denoised import before_and_after
from hourglass.report.frame import document
from hourglass.report.page import panel_markup
from hourglass.report.panels import Panel
from hourglass.whole_files import write_whole

MOST = 24  # pictures of a page


@dataclass(frozen=True, eq=False)
class Denoised:
    """A picture, (C, H, W) in grey levels, before and after; the noise that was found, and how alike what was taken off
    is in neighbouring pixels, from -1 to 1: near 0 for noise that this is for."""

    name: str
    noisy: np.ndarray
    clean: np.ndarray
    sigma: float
    correlation: float


def write_denoised(path: Path, pictures: Sequence[Denoised], advice: Sequence[str], n: int) -> Path:
    """Writes the page; of n files these are shown."""
    panels = [
        Panel(
            picture.name,
            f"Noise of {picture.sigma:.1f} grey levels. Neighbouring pixels of what was taken off have a correlation "
            f"of {picture.correlation:.2f}.",
            partial(_figure, picture),
            f"The middle of {picture.name}, noisy and clean, and the difference.",
        )
        for picture in pictures
    ]
    shown = f"All {n:,}" if len(pictures) == n else f"{len(pictures)} of {n:,}"
    content = document(
        title="Pictures without noise",
        kicker="Hourglass report",
        heading="Pictures without noise",
        lead=f"{shown} files, the middle of each at its own size. What was taken off should look like noise: where the "
        f"picture can be seen in it, too much went. {' '.join(advice)}",
        main=f"<section id=pictures><div class=panels>{''.join(map(panel_markup, panels))}</div></section>",
    )
    write_whole(path, content.encode())
    return path


def _figure(picture: Denoised, scheme: Any) -> Any:
    return before_and_after(picture.noisy, picture.clean, scheme=scheme)
