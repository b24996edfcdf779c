"""Panels of maps of tiles: those of pictures, and how well each kind of tile comes back."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np

from hourglass.report import pictures
from hourglass.report.panels import Panel
from hourglass.report.pictures import colouring, on_map, plane, samples, traversals
from hourglass.report.report_data import ReportData

__all__ = ["colouring", "on_map", "plane", "reconstructions", "samples", "traversals"]

MAX_KINDS = 60  # that are listed, the most frequent first
TALL = 16  # kinds, above which the list has a height of its own
HEADS = "".join(f'<th scope="col">{head}</th>' for head in ("tile", "share", "come back", "are right"))
ENLARGED = 2  # pixels of the page for a pixel of a tile


def reconstructions(s: ReportData) -> list[Panel]:
    return [*pictures.reconstructions(s), _kinds(s)]


def _kinds(s: ReportData) -> Panel:
    """Every kind of tile: its picture, its name, how frequent it is and how often it comes back."""
    before, after = s.originals.places, s.reconstructions.places
    n = len(s.originals.names)
    counts = np.bincount(before.ravel(), minlength=n + 1)[:n]
    right = np.bincount(before[before == after].ravel(), minlength=n + 1)[:n]
    made = np.bincount(after.ravel(), minlength=n + 1)[:n]
    rows = []
    for k in np.argsort(-counts, kind="stable")[:MAX_KINDS].tolist():
        back = f"{right[k] / counts[k]:.0%}" if counts[k] else "none here"
        frequency = f"{counts[k] / counts.sum():.2%}"
        sure = f"{right[k] / made[k]:.0%}" if made[k] else "never put out"
        image = f'<img src="{_data_uri(s.originals.pictures[k])}" alt="" width="{_width(s)}" height="{_width(s)}">'
        name = escape(s.originals.names[k])
        rows.append(f'<tr><th scope="row">{image}{name}</th><td>{frequency}</td><td>{back}</td><td>{sure}</td></tr>')
    more = f" The {MAX_KINDS} most frequent of {n} kinds." if n > MAX_KINDS else ""
    return Panel(
        "The kinds of tile",
        f"How frequent each is in the {s.noun}s shown, how many of it come back as themselves, and how many of those "
        f"that are put out are right.{more}",
        html=f'<div class="scroll{" tall" * (n > TALL)}" tabindex=0 role=region aria-label="The kinds of tile"><table>'
        f"<thead><tr>{HEADS}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>",
    )


def _width(s: ReportData) -> int:
    return ENLARGED * int(s.originals.pictures.shape[1])


def _data_uri(tile: np.ndarray) -> str:
    """A tile (side, side, 3) as PNG, enlarged."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(tile.repeat(ENLARGED, 0).repeat(ENLARGED, 1)).save(file, format="PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
