"""Panels of lines: windows of series, and whatever else is numbers along an axis."""

from __future__ import annotations

import numpy as np

from hourglass.exploration import LatentMap
from hourglass.plots import Groups
from hourglass.plots import lines as plots
from hourglass.report.decoded import new_examples, plane_panel, shown_traversals
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData

SHOWN = 8
SIDE = 9
TRAVERSALS = 6


def reconstructions(s: ReportData) -> list[Panel]:
    errors = np.nanmean((s.raw.double() - s.restored.double()).flatten(1).square().numpy(), axis=1)

    def panel(title: str, caption: str, rows: np.ndarray) -> Panel:
        return Panel(
            title,
            caption,
            lambda scheme: plots.reconstructions(
                s.originals[rows], s.reconstructions[rows], names=[s.names[i] for i in rows], scheme=scheme
            ),
            f"{len(rows)} {s.noun}s, each with its reconstruction over it.",
        )

    panels = [panel("Originals and reconstructions", f"{s.noun.capitalize()}s chosen at random.", s.chosen(SHOWN))]
    if s.n_shown > SHOWN:
        caption = f"The largest errors among {s.n_shown:,} {s.noun}s."
        panels.append(panel(f"The hardest {s.noun}s", caption, s.lowest(-np.nan_to_num(errors), SHOWN)))
    return panels


def colouring(s: ReportData, latent: LatentMap) -> tuple[str, Groups] | None:
    return None


def on_map(s: ReportData, latent: LatentMap) -> list[Panel]:
    return []


def plane(s: ReportData) -> list[Panel]:
    caption = "What every place of the two-dimensional code decodes to: its first channel."
    alt_text = f"A sheet of {SIDE} by {SIDE} lines decoded from a grid over the two latent dimensions."
    return [plane_panel(s, plots.manifold, SIDE, caption, alt_text)]


def traversals(s: ReportData) -> list[Panel]:
    shown = shown_traversals(s, TRAVERSALS)
    names = [f"dimension {t.dimension}" for t in shown]
    return [
        Panel(
            "Along the most informative dimensions",
            "What changes while one latent dimension goes over the range of the codes, from dark to light, the others "
            f"held in the middle.{s.of_condition}",
            lambda scheme: plots.traversals([t.examples for t in shown], names, scheme=scheme),
            f"{len(shown)} panels of lines: {'; '.join(t.name for t in shown)}.",
        )
    ]


def samples(s: ReportData) -> list[Panel]:
    sets, names = new_examples(s, SHOWN, 2)
    return [
        Panel(
            "Samples",
            f"New {s.noun}s, decoded from codes drawn from a density fitted to the codes of the data.",
            lambda scheme: plots.samples(sets, names, scheme=scheme),
            f"{sum(map(len, sets))} generated {s.noun}s.",
        )
    ]
