"""The page itself: sections and panels -> HTML, written whole."""

from __future__ import annotations

import datetime
from html import escape
from pathlib import Path
from typing import Any

from hourglass.report import words
from hourglass.report.figures import picture
from hourglass.report.frame import document
from hourglass.report.panels import Panel, Section
from hourglass.report.report_data import ReportData, report_data
from hourglass.report.sections import SECTIONS, described, headline
from hourglass.shell_words import in_shell_words
from hourglass.whole_files import write_whole

NAME = "report.html"
NATS = (
    "A nat is a unit of information: 1 nat = 1.44 bits. Losses and scores are in nats per {noun}, of the scaled data "
    "that the model sees. Densities of numbers may be above 1, and nats below 0: only differences mean something. Nats "
    "compare between models of the same data and likelihood alone, and not between one with a KL and one without."
)


def write(
    estimator: Any,
    X: Any,
    folder_or_file: str | Path,
    *,
    labels: Any = None,
    condition: Any = None,
    names: Any = None,
    title: str | None = None,
    n_given: int | None = None,
) -> Path:
    """Writes one self-contained HTML page about a fitted estimator.

    Parameters
    ----------
    estimator : Embedder, fitted.
    X : array, frame, path, name of a data set, ParquetStream or `readers.Data`
        What is shown; at most 4,000 examples of it, chosen at random (of a stream from every part of it). Columns that
        the model does not know are left out.
    folder_or_file : a file that ends in .html, or a folder, which gets report.html.
    labels : (N,), the name of a column of X, or None
        Colours the latent map: classes, or numbers. The model never sees it. None takes the labels that come with the
        data.
    condition : as in `fit`; needed if and only if the model was fitted with one.
    names : (N,) names of the records, or None for those that come with the data, such as file names.
    title : of the page.
    n_given : how many examples there are, if X is some of them.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ValueError : where X, labels, condition or names do not fit the model or each other.
    """
    path = Path(folder_or_file)
    if path.suffix.lower() not in (".html", ".htm"):
        path = path / NAME
    content = render(report_data(estimator, X, labels, condition, names, n_given), title)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content.encode())
    return path


def render(s: ReportData, title: str | None = None) -> str:
    """The page about an estimator and some data, as text."""
    e = s.estimator
    arguments = (e.origin_.arguments if e.origin_ else None) or {}
    trained_on = Path(str(arguments["data"])).name if "data" in arguments else s.source
    heading = title or words.capitalised(words.recipe_in_words(e)) + (f" of {trained_on}" if trained_on else "")
    today = datetime.date.today()
    sections = [section for name in e.sections if (section := SECTIONS[name](s)).panels]
    say = in_shell_words if "data" in arguments else str  # in the words of the face that the model was made with
    advice = "".join(f"<li>{escape(say(sentence))}</li>" for sentence in e.advice_)
    contents = "".join(f'<a href="#{section.name}">{escape(section.title)}</a>' for section in sections)
    return document(
        title=heading,
        kicker=f"Hourglass report, {today.day} {today:%B %Y}",
        heading=heading,
        lead=_lead(s, trained_on),
        headline=f"<dl class=headline>{described(headline(s))}</dl>\n",
        main=f'<section id="advice"><h2>What it means</h2><ul class=advice>{advice}</ul>'
        f"<p class=note>{escape(NATS.format(noun=s.noun))}</p></section>\n"
        f'<nav aria-label="Contents">{contents}</nav>\n' + "".join(map(_section, sections)),
    )


def _lead(s: ReportData, trained_on: str) -> str:
    """What the data are, and which of them are shown."""
    e, noun = s.estimator, s.noun
    some = f"all {s.n_given:,}" if s.n_shown == s.n_given else f"{s.n_shown:,} of the {s.n_given:,}"
    chosen = "" if s.n_shown == s.n_given else ", chosen from all parts of the data"
    source = f" of {s.source}" if s.source and s.source != trained_on else ""
    shown = f"Shown on {some} {noun}s{source} given{chosen}; {noun}s that the model was trained on may be among them."
    measured = f"The figures below were measured on {noun}s held out of training."
    if not e.summary_.held_out:
        measured = f"The figures below were measured on training {noun}s: none were held out."
    code = f"encoded in {words.many(e.n_latent_, 'latent dimension')}"
    return f"{words.capitalised(e.modality_.describe())}, {code}. {shown} {measured}"


def _section(section: Section) -> str:
    panels = "".join(map(panel_markup, section.panels))
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2><div class=panels>{panels}</div></section>'


def panel_markup(panel: Panel) -> str:
    """A panel as a figure of the page."""
    content = (picture(panel.figure, panel.alt_text) if panel.figure else "") + panel.html
    return f"<figure><h3>{escape(panel.title)}</h3><figcaption>{escape(panel.caption)}</figcaption>{content}</figure>"
