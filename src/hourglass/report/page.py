"""The page itself: sections and panels -> HTML, written whole."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from hourglass.exploration import Traversal, dimension_use, traversal
from hourglass.report import general, pictures, tables
from hourglass.report.figures import picture
from hourglass.report.panels import Panel, Section
from hourglass.report.report_data import ReportData, report_data
from hourglass.whole_files import write_whole

KINDS: dict[str, ModuleType] = {"images": pictures, "tables": tables}
NAME = "report.html"


def write(
    estimator: Any,
    X: Any,
    folder_or_file: str | Path,
    *,
    labels: Any = None,
    condition: Any = None,
    title: str | None = None,
) -> Path:
    """Writes one self-contained HTML page about a fitted estimator.

    Parameters
    ----------
    estimator : Embedder, fitted.
    X : array, frame, path, name of a data set or ParquetStream
        What is shown; at most 4,000 rows of it, chosen at random (of a stream from every part of it).
    folder_or_file : a file that ends in .html, or a folder, which gets report.html.
    labels : (N,), or None
        Colours the latent map: classes, or numbers. The model is never told. None takes those that come with the data.
    condition : as in `fit`; needed if and only if the model was fitted with one.
    title : of the page.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ValueError : where X, labels or condition do not fit the model or each other.
    """
    path = Path(folder_or_file)
    if path.suffix.lower() not in (".html", ".htm"):
        path = path / NAME
    content = render(report_data(estimator, X, labels, condition), title)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content.encode())
    return path


def render(s: ReportData, title: str | None = None) -> str:
    """The page about a subject, as text."""
    e = s.estimator
    words = general.recipe_in_words(e)
    kind = "pictures" if e.modality_.name == "images" else "rows" if e.modality_.name == "tables" else "examples"
    heading = title or f"{words[0].upper()}{words[1:]}"
    data = general.data_in_words(e)
    numbers = "one number" if e.n_latent_ == 1 else f"{e.n_latent_} numbers"
    lead = f"{data[0].upper()}{data[1:]}, each told in {numbers}. "
    some = "all" if s.n_shown == s.n_rows else f"{general.count(s.n_shown)} of the"
    lead += f"Shown on {some} {general.count(s.n_rows)} {kind} given."
    sections = list(_sections(s))
    return _PAGE.format(
        title=escape(heading),
        style=files("hourglass.report").joinpath("page.css").read_text(encoding="utf-8"),
        lead=escape(lead),
        figures=_described([(name, value) for value, name in general.headline(s)]),
        advice="".join(f"<li>{escape(sentence)}</li>" for sentence in e.advice_),
        contents="".join(f'<a href="#{section.name}">{escape(section.title)}</a>' for section in sections),
        sections="".join(map(_section, sections)),
    )  # fmt: skip


def _sections(s: ReportData) -> Iterator[Section]:
    e = s.estimator
    own = KINDS.get(e.modality_.name)  # a modality without panels of its own has those that all share
    given = f" Condition: {s.default_condition.name}." if s.default_condition else ""
    if own is None:
        yield Section("map", "The space of codes", general.maps(s))
        yield Section("dimensions", "What the dimensions mean", [general.dimensions(s)])
    else:
        found, names = _walks(s, own.WALKS, own.start(s))
        yield Section("reconstructions", "What comes back", own.reconstructions(s))
        plane = own.plane(s, given) if e.n_latent_ == 2 else []
        yield Section("map", "The space of codes", [*general.maps(s), *plane])
        walks = own.walks(s, found, names, given)
        yield Section("dimensions", "What the dimensions mean", [general.dimensions(s), *walks])
        yield Section("samples", "New examples", own.samples(s))
    markup = f"<dl class=facts>{_described(general.facts(s))}</dl><pre><code>{escape(general.call_of(e))}</code></pre>"
    run = Panel("The run", "What it takes to make this model again.", html=markup)
    yield Section("made", "How it was made", [general.losses(s), run])


def _walks(s: ReportData, most: int, start: np.ndarray | None) -> tuple[list[Traversal], list[str]]:
    """Walks along the most informative dimensions in use, and their names."""
    use = dimension_use(s.estimator)
    order = [int(d) for d in use.order if use.active[d]][:most] or [int(use.order[0])]
    unit = "nats" if use.unit == "nats" else "deviation"
    found = [traversal(s.estimator, d, start=start, condition=s.one_condition) for d in order]
    names = [
        f"dimension {w.dimension} ({use.values[w.dimension]:.2g} {unit}), from {w.values[0]:.2g} to {w.values[-1]:.2g}"
        for w in found
    ]
    return found, names


def _described(facts: list[tuple[str, str]]) -> str:
    """(name, value) pairs as the rows of a <dl>."""
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)


def _section(section: Section) -> str:
    panels = "".join(map(_panel, section.panels))
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2><div class=panels>{panels}</div></section>'


def _panel(panel: Panel) -> str:
    content = picture(panel.figure, panel.alt_text) if panel.figure else panel.html
    return f"<figure><h3>{escape(panel.title)}</h3><figcaption>{escape(panel.caption)}</figcaption>{content}</figure>"


# no source but the page itself: nothing is fetched, and a script that slipped through would not run
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class=kicker>Hourglass report</p>
<h1>{title}</h1>
<p class=lead>{lead}</p>
<dl class=headline>{figures}</dl>
</header>
<main>
<section id="advice"><h2>In plain words</h2><ul class=advice>{advice}</ul></section>
<nav aria-label="Contents">{contents}</nav>
{sections}
</main>
</body>
</html>
"""
