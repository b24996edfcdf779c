"""The parts of a page: a section holds panels, a panel is a figure or a table with a sentence on how to read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from hourglass.plots import Scheme


@dataclass(frozen=True)
class Panel:
    """`figure` draws it in a scheme of colours and `alt_text` says what it shows; `html` is markup, below a figure."""

    title: str
    caption: str
    figure: Callable[[Scheme], Figure] | None = None
    alt_text: str = ""
    html: str = ""


@dataclass(frozen=True)
class Section:
    """`name` is its anchor in the page; one without panels is left out."""

    name: str
    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)
