"""A comparison as one self-contained HTML page: recommendation, table and figure."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from hourglass.comparison.result import Comparison
from hourglass.report.figures import picture


def render(result: Comparison) -> str:
    """The page as text; it fetches nothing and runs nothing."""
    recipes = ", ".join(result.recipes)
    figure = picture(result.plot, f"Line charts of {recipes} over sizes of the code; the table has their values.")
    headings, lines = result.table()
    body = "".join(_row("td", line, line[:2] == [result.recipe, str(result.recommended)]) for line in lines)
    return _PAGE.format(
        style=files("hourglass.report").joinpath("page.css").read_text(encoding="utf-8"),
        recommended=escape(f"{result.recipe}, size {result.recommended}"),
        reason=escape(result.reason),
        n_test=f"{result.n_test:,}",
        head=_row("th", headings),
        body=body,
        legend="".join(f"<li>{escape(line)}</li>" for line in result.legend()),
        figure=figure,
    )


def _row(tag: str, cells: list[str], marked: bool = False) -> str:
    texts = [f"<strong>{escape(cell)}</strong>" if marked else escape(cell) for cell in cells]
    first, *others = (f"<{tag}>{text}</{tag}>" for text in texts)
    return f"<tr>{first.replace('td>', 'th>')}{''.join(others)}</tr>"


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Recipes and code sizes compared</title>
<style>
{style}figure img {{ max-width: 920px; }}
</style>
</head>
<body>
<header>
<p class=kicker>Hourglass comparison</p>
<h1>Recommended: {recommended}</h1>
<p class=lead>{reason}</p>
</header>
<main>
<section><h2>On {n_test} held-out examples</h2>
<figure><div class=scroll><table><thead>{head}</thead><tbody>{body}</tbody></table></div><ul class=advice>{legend}</ul>
</figure></section>
<section><h2>Sizes</h2><figure>{figure}</figure></section>
</main>
</body>
</html>
"""
