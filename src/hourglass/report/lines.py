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
STRETCH, NAMED = 600, 5  # instants that are shown along time; windows that are named


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
    return [*panels, *_along_time(s)]


def _along_time(s: ReportData) -> list[Panel]:
    """The stretch of a series about its least typical instant; nothing where series are examples."""
    if not s.cut.axes or s.cut.n_records == len(s.cut):
        return []
    per_instant = np.nansum(s.cell_scores, axis=1, keepdims=True)
    scores = [record[0] for record in s.cut.stitch(per_instant)]
    record = int(np.argmin([np.nanmin(each) for each in scores]))
    length = len(scores[record])
    first = int(np.clip(np.nanargmin(scores[record]) - STRETCH // 2, 0, max(0, length - STRETCH)))
    shown = slice(first, first + STRETCH)
    original, restored = (s.cut.stitch(form.values)[record][:, shown] for form in (s.originals, s.reconstructions))
    mine = [i for i in s.lowest(s.scores, len(s.scores)) if s.cut.record[i] == record][:NAMED]
    odd = ", ".join(s.names[i] for i in mine)
    whole = "All of it" if length <= STRETCH else f"{STRETCH:,} of its {length:,} instants, about the least typical one"
    return [
        Panel(
            "Along time",
            f"{whole}, with the reconstruction over it, and below how typical each instant is: log p given the code, "
            f"in nats. Where the original has gaps, the reconstruction goes on. The least typical {s.noun}s: {odd}.",
            lambda scheme: plots.along_time(
                original, restored, scores[record][shown], s.originals.names, first=first, scheme=scheme
            ),
            f"{original.shape[1]:,} instants of {len(original)} channels with their reconstruction, and a line of "
            "scores.",
        )
    ]


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
