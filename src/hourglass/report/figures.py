"""Figures -> markup that carries them: data URIs, one for light paper and one for dark."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Callable
from html import escape

import matplotlib
from matplotlib.figure import Figure

from hourglass.plots import DARK, LIGHT, Scheme
from hourglass.plots.scheme import PIXELS_PER_INCH, SHARP

MAX_SVG_BYTES = 600_000  # bytes; a larger drawing is embedded as pixels
DOTS_PER_INCH = 200  # of points drawn as pixels inside a vector figure
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def picture(draw: Callable[[Scheme], Figure], alt_text: str) -> str:
    """A <picture> that follows the reader's colour scheme; `draw` is called once for each."""
    light = draw(LIGHT)
    width, height = (round(inches * PIXELS_PER_INCH) for inches in light.get_size_inches())
    return (
        f'<picture><source media="screen and (prefers-color-scheme: dark)" srcset="{data_uri(draw(DARK))}">'
        f'<img src="{data_uri(light)}" alt="{escape(alt_text)}" width="{width}" height="{height}"></picture>'
    )


def data_uri(figure: Figure) -> str:
    """A figure on clear ground as SVG with the page's own fonts, or as PNG where that would be too large."""
    # the context gives matplotlib's settings back as they were; the page's fonts have letters that matplotlib's lacks
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hourglass"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for text in figure.findobj(lambda artist: hasattr(artist, "set_parse_math")):
            text.set_parse_math(False)  # type: ignore[attr-defined]  # a dollar sign in the name of a column is a dollar sign
        file, silent = io.BytesIO(), {"Date": None, "Creator": None}
        figure.savefig(file, format="svg", facecolor="none", dpi=DOTS_PER_INCH, metadata=silent)
    drawing = re.sub(rb"'DejaVu Sans'[^;\"]*", FONTS.replace('"', "'").encode(), file.getvalue())
    if len(drawing) <= MAX_SVG_BYTES:
        return "data:image/svg+xml;base64," + base64.b64encode(drawing).decode()
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor="none", dpi=SHARP * PIXELS_PER_INCH, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
