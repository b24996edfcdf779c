"""A comparison as one self-contained HTML page: recommendation, table and figure."""

from __future__ import annotations

from html import escape

from hourglass.comparison.result import Comparison
from hourglass.report.figures import picture
from hourglass.report.frame import document


def render(result: Comparison) -> str:
    """The page as text; it fetches nothing and runs nothing."""
    recipes = ", ".join(result.recipes)
    figure = picture(result.plot, f"Line charts of {recipes} over sizes of the code; the table has their values.")
    headings, lines = result.table()
    body = "".join(_row("td", line, line[:2] == [result.recipe, str(result.recommended)]) for line in lines)
    table = f"<div class=scroll><table><thead>{_row('th', headings)}</thead><tbody>{body}</tbody></table></div>"
    legend = "".join(f"<li>{escape(line)}</li>" for line in result.legend())
    return document(
        title="Recipes and code sizes compared",
        kicker="Hourglass comparison",
        heading=f"Recommended: {result.recipe}, size {result.recommended}",
        lead=result.reason,
        main=f"<section><h2>On {result.n_test:,} held-out examples</h2>\n"
        f"<figure>{table}<ul class=advice>{legend}</ul></figure></section>\n"
        f"<section><h2>Sizes</h2><figure>{figure}</figure></section>",
        style="figure img { max-width: 920px; }\n",
    )


def _row(tag: str, cells: list[str], marked: bool = False) -> str:
    texts = [f"<strong>{escape(cell)}</strong>" if marked else escape(cell) for cell in cells]
    first, *others = (f"<{tag}>{text}</{tag}>" for text in texts)
    return f"<tr>{first.replace('td>', 'th>')}{''.join(others)}</tr>"
