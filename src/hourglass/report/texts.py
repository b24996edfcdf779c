"""Panels of texts: no figures, but the texts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hourglass.exploration import LatentMap
from hourglass.plots import Groups
from hourglass.report.decoded import shown_traversals
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData

SHOWN = 8
TRAVERSALS = 4
LONGEST = 400  # characters of a text that is shown


def _listed(texts: Sequence[str], kind: str = "") -> str:
    items = "".join(
        f"<li><pre><code>{escape(text[:LONGEST])}{'…' * (len(text) > LONGEST)}</code></pre></li>" for text in texts
    )
    return f'<ul class="texts {kind}">{items}</ul>'


def reconstructions(s: ReportData) -> list[Panel]:
    rows = s.chosen(SHOWN)
    originals, restored = s.originals[rows].texts, s.reconstructions[rows].texts
    pairs = [text for pair in zip(originals, restored, strict=True) for text in pair]
    caption = f"{s.noun.capitalize()}s chosen at random, and below each its reconstruction."
    return [Panel("Originals and reconstructions", caption, html=_listed(pairs, "pairs"))]


def colouring(s: ReportData, latent: LatentMap) -> tuple[str, Groups] | None:
    return None


def on_map(s: ReportData, latent: LatentMap) -> list[Panel]:
    return []


def plane(s: ReportData) -> list[Panel]:
    return []


def traversals(s: ReportData) -> list[Panel]:
    return [
        Panel(f"Along dimension {t.dimension}", f"{t.name}.{s.of_condition}", html=_listed(t.examples.texts))
        for t in shown_traversals(s, TRAVERSALS)
    ]


def samples(s: ReportData) -> list[Panel]:
    condition = s.condition_of(s.default_condition, SHOWN)
    generated = s.view(s.estimator.sample(SHOWN, condition=condition, random_state=0))
    caption = f"New {s.noun}s, decoded from codes drawn from a density fitted to the codes.{s.of_condition}"
    return [Panel("Samples", caption, html=_listed(generated.texts))]
