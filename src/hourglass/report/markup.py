"""Markup of tables on a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hourglass.plots.cells import shortened


def cell_markup(text: str, kind: str = "") -> str:
    """Markup of the text in a cell; `kind` is its class in the style sheet."""
    return f"<span{f' class={kind}' if kind else ''}>{escape(text)}</span>"


def table_markup(heads: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]], caption: str, kind: str = "") -> str:
    """Markup of a table: its heads, and lines of a heading (with its full text) and cells that are markup already."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    body = "".join(
        f'<tr><th scope="row" title="{escape(name)}">{escape(shortened(name, 28))}</th>'
        f"{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for name, row in lines
    )
    return (
        f'<div class="scroll {kind}" tabindex=0 role=region aria-label="{escape(caption)}"><table><thead><tr>{head}'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )
