"""Panels of texts: no figures, but the texts themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from html import escape
from typing import Any

import numpy as np

from hourglass.exploration import LatentMap
from hourglass.plots import Groups
from hourglass.report.decoded import shown_traversals
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData

SHOWN = 8
TRAVERSALS = 4
LEAST_TYPICAL = 8
IMPROBABLE = 3.0  # nats, from which a token is marked
LONGEST = 400  # characters of a text that is shown


def _listed(texts: Sequence[str], kind: str = "") -> str:
    return _items([_marked([text], set()) for text in texts], kind)


def _items(lines: Sequence[str], kind: str = "") -> str:
    """Markup of lines that are markup already."""
    return f'<ul class="texts {kind}">{"".join(f"<li>{line}</li>" for line in lines)}</ul>'


def _marked(tokens: Sequence[str], marked: Collection[int], title: str = "") -> str:
    """Markup of the text that tokens make, those at the places `marked` being marked."""
    markup, left = "", LONGEST
    for place, token in enumerate(tokens):
        shown = escape(token[:left])
        markup += f"<mark>{shown}</mark>" if place in marked and shown else shown
        left -= len(token)
        if left < 0:
            markup += "…"
            break
    return f"{title}<pre><code>{markup}</code></pre>"


def reconstructions(s: ReportData) -> list[Panel]:
    rows = s.chosen(SHOWN)
    note = " Where they differ is marked." if s.originals.tokens else ""
    caption = f"{s.noun.capitalize()}s chosen at random, and below each its reconstruction.{note}"
    pairs = [markup for row in rows.tolist() for markup in _pair(s, row)]
    return [Panel("Originals and reconstructions", caption, html=_items(pairs, "pairs")), *_least_typical(s)]


def _tokens(form: Any, row: int) -> Sequence[str]:
    return form.tokens[row] if form.tokens else [form.texts[row]]


def _pair(s: ReportData, row: int) -> list[str]:
    """A text and its reconstruction, with the tokens marked in which they differ."""
    one, other = _tokens(s.originals, row), _tokens(s.reconstructions, row)
    of_one, of_other = set(range(len(one))), set(range(len(other)))
    for a, b, n in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        of_one -= set(range(a, a + n))
        of_other -= set(range(b, b + n))
    if not s.originals.tokens:
        return [_marked(one, set()), _marked(other, set())]
    return [_marked(one, of_one), _marked(other, of_other)]


def _least_typical(s: ReportData) -> list[Panel]:
    """The texts with the lowest scores, and the tokens that are improbable given the code."""
    if s.n_shown <= LEAST_TYPICAL or not s.originals.tokens:
        return []
    scores, nats, lines = s.scores, -np.nan_to_num(s.cell_scores.reshape(s.n_shown, -1)), []
    for row in s.lowest(scores, LEAST_TYPICAL).tolist():
        odd = set(np.flatnonzero(nats[row] >= min(IMPROBABLE, nats[row].max())).tolist())
        tokens = [*s.originals.tokens[row], *[" ⟨ends here⟩"] * (len(s.originals.tokens[row]) in odd)]
        lines.append(_marked(tokens, odd, f"<small>{escape(s.names[row])}: {scores[row]:.1f}</small>"))
        lines.append(_marked(_tokens(s.reconstructions, row), set()))
    caption = (
        f"The lowest scores (log-probabilities in nats; the mean is {scores.mean():.1f}) among {s.n_shown:,} "
        f"{s.noun}s, and below each its reconstruction. Tokens are marked whose probability, given the code, is below "
        f"{np.exp(-IMPROBABLE):.0%}."
    )
    return [Panel(f"Least typical {s.noun}s", caption, html=_items(lines, "pairs"))]


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
