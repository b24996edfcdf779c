"""The frame of a page: one self-contained HTML document that fetches nothing and runs nothing."""

from __future__ import annotations

from html import escape
from importlib.resources import files


def document(
    *, title: str, kicker: str, heading: str, lead: str, headline: str = "", main: str, style: str = ""
) -> str:
    """A page as text.

    Parameters
    ----------
    title : of the browser's tab.
    kicker, heading, lead : what kind of page it is, its heading, and the sentence below: plain texts.
    headline, main : markup at the end of the header, and below it.
    style : rules beyond those of page.css.
    """
    return _DOCUMENT.format(
        title=escape(title),
        kicker=escape(kicker),
        heading=escape(heading),
        lead=escape(lead),
        headline=headline,
        main=main,
        style=files("hourglass.report").joinpath("page.css").read_text(encoding="utf-8") + style,
    )


# no source but the page itself: nothing is fetched, and a script that slipped through would not run
_DOCUMENT = """<!DOCTYPE html>
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
<p class=kicker>{kicker}</p>
<h1>{heading}</h1>
<p class=lead>{lead}</p>
{headline}</header>
<main>
{main}
</main>
</body>
</html>
"""
