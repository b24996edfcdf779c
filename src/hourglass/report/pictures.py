"""Panels of pictures."""

from __future__ import annotations

from html import escape

import numpy as np

from hourglass.exploration import LatentMap, interpolate
from hourglass.plots import Groups
from hourglass.plots import pictures as plots
from hourglass.report.decoded import new_examples, plane_panel, shown_traversals
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData

COLUMNS, COLUMNS_OF_WIDE = 8, 6  # pictures in a row; of those that are wide, this over their width by their height
PAIRS = 16
GENERATED = 64
SIDE, SIDE_OF_LARGE, LARGE = 15, 9, 64  # pictures per side of the plane; above so many pixels fewer
FEW = 3  # dimensions, up to which the middle of the codes is a place where codes are
TRAVERSALS = 6
PATHS = 4
STEPS, STEPS_OF_WIDE = 9, 5


def _aspect(s: ReportData) -> float:
    """Width by height, at least 1: that of high pictures costs no columns."""
    height, width = s.originals.size
    return max(1.0, width / height)


def _columns(s: ReportData) -> int:
    """How many pictures stand in a row, so that what is in wide ones can be seen."""
    aspect = _aspect(s)
    return COLUMNS if aspect < COLUMNS / COLUMNS_OF_WIDE else max(1, round(COLUMNS_OF_WIDE / aspect))


def _steps(s: ReportData) -> int:
    return STEPS if _columns(s) == COLUMNS else STEPS_OF_WIDE


def _whole_rows(n: int, columns: int) -> int:
    """About as much paper as n pictures take in rows of 8, in whole rows of wider ones."""
    return n if columns == COLUMNS else columns * -(-n // (2 * columns))


def _errors(s: ReportData) -> np.ndarray:
    """How far the reconstruction of every picture shown is off (M,)."""
    return np.asarray(s.originals.errors(s.reconstructions))


def reconstructions(s: ReportData) -> list[Panel]:
    columns = _columns(s)

    def pairs(title: str, caption: str, rows: np.ndarray, html: str = "") -> Panel:
        return Panel(
            title,
            caption,
            lambda scheme: plots.reconstructions(
                s.originals[rows], s.reconstructions[rows], columns=columns, scheme=scheme
            ),
            f"{len(rows)} {s.noun}s in pairs of rows, the originals above, the reconstructions below.",
            html,
        )

    panels = [
        pairs(
            "Originals and reconstructions",
            f"{s.noun.capitalize()}s chosen at random, each with its reconstruction below: what the two share is what "
            "the code keeps.",
            s.chosen(_whole_rows(PAIRS, columns)),
        )
    ]
    if s.n_shown > PAIRS:
        worst = s.lowest(-_errors(s), _whole_rows(COLUMNS, columns))
        listed = "".join(f"<li>{escape(s.names[i])}</li>" for i in worst)
        panels.append(
            pairs(
                f"The hardest {s.noun}s",
                f"The largest errors among {s.n_shown:,} {s.noun}s: rare forms, wrong labels or damaged {s.noun}s tend "
                "to be here. From left to right:",
                worst,
                f"<ol class=names>{listed}</ol>",
            )
        )
    return panels


def colouring(s: ReportData, latent: LatentMap) -> tuple[str, Groups] | None:
    """Without labels there is one colour."""
    return None


def on_map(s: ReportData, latent: LatentMap) -> list[Panel]:
    of_method = {"code": "latent map", "pca": "map by PCA", "tsne": "map by t-SNE"}[latent.method]
    return [
        Panel(
            f"{s.noun.capitalize()}s on the map",
            f"The {of_method}, with the {s.noun}s themselves where their codes are; as many as find room.",
            lambda scheme: plots.thumbnails(latent, s.originals, scheme=scheme),
            f"Small {s.noun}s at the places of their codes.",
        )
    ]


def plane(s: ReportData) -> list[Panel]:
    side = SIDE if max(s.originals.size) <= LARGE else SIDE_OF_LARGE
    caption = (
        "What every place of the two-dimensional code decodes to; every row and every column stands for an equal share "
        "of the codes. Smooth changes mean that neighbouring codes look alike."
    )
    alt_text = f"A sheet of {side} by {side} {s.noun}s decoded from a grid over the two latent dimensions."
    return [plane_panel(s, plots.manifold, side, caption, alt_text)]


def _start(s: ReportData) -> np.ndarray | None:
    """Where traversals start: in the middle of few dimensions. That of many decodes to a blur, an example does not."""
    if s.codes.shape[1] <= FEW:
        return None
    rows = np.arange(s.n_shown) if s.default_condition is None else s.default_condition.rows
    order = np.argsort(_errors(s)[rows], kind="stable")
    return s.codes[rows[order[len(rows) // 2]]]


def traversals(s: ReportData) -> list[Panel]:
    start = _start(s)
    shown = shown_traversals(s, TRAVERSALS, start, _steps(s))
    names = [t.name for t in shown]
    held = "in the middle of the codes" if start is None else "at the code of one example"
    return [
        Panel(
            "Along the most informative dimensions",
            f"Each row varies one latent dimension over the range of the codes, the others held {held}; what changes "
            f"in the row is what that dimension stands for.{s.of_condition}",
            lambda scheme: plots.traversals([t.examples for t in shown], names, scheme=scheme),
            f"{len(shown)} rows of {s.noun}s, one per dimension: {'; '.join(names)}.",
        )
    ]


def samples(s: ReportData) -> list[Panel]:
    columns = _columns(s)
    caption = f"New {s.noun}s, decoded from codes drawn from a density fitted to the codes of the data."
    sets, names = new_examples(s, _whole_rows(GENERATED, columns), columns)
    names = [name if len(name) <= 14 else name[:13] + "…" for name in names]
    if s.levels:
        caption += " Each row was generated for the condition at its left."
    conditions = f", rows for {', '.join(level.name for level in s.levels)}" if s.levels else ""
    return [
        Panel(
            "Samples",
            caption,
            lambda scheme: plots.samples(sets, names, columns=columns, scheme=scheme),
            f"{sum(map(len, sets))} generated {s.noun}s{conditions}.",
        ),
        *_paths(s),
    ]


def _paths(s: ReportData) -> list[Panel]:
    """Straight lines between the codes of examples; of one condition, where there is one."""
    rows = s.chosen(2 * PATHS) if s.default_condition is None else s.default_condition.rows[: 2 * PATHS]
    if len(rows) < 2 * PATHS or s.grid:
        return []
    steps = _steps(s)
    sets = [
        s.view(interpolate(s.estimator, s.codes[a], s.codes[b], steps, condition=s.one_condition))
        for a, b in zip(rows[:PATHS], rows[PATHS:], strict=True)
    ]
    return [
        Panel(
            f"From one {s.noun} to another",
            "Each row follows a straight line from the code of one example (left) to that of another (right). Where "
            f"the code is smooth, what is between looks like a {s.noun}, too.{s.of_condition}",
            lambda scheme: plots.samples(sets, [""] * PATHS, columns=steps, scheme=scheme),
            f"{PATHS} rows of {steps} {s.noun}s, each from one example to another.",
        )
    ]
