"""Panels of tables."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from hourglass.exploration import Traversal, manifold
from hourglass.plots import tables as plots
from hourglass.readers.containers import take
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData

EXAMPLES = 3
DRAWN_EXAMPLES = 4
DRAWN = 2000
MAX_COLUMNS = 16
SIDE = 41
WALKS = 5


def _cell(text: str, kind: str = "") -> str:
    return f"<span{f' class={kind}' if kind else ''}>{escape(text)}</span>"


def _markup(modality: Any, heads: list[str], rows: np.ndarray, below: np.ndarray | None, caption: str) -> str:
    """Examples side by side, a row a column of the table; `below` stands under each cell of `rows` (n, D)."""
    columns = modality.columns[:MAX_COLUMNS]
    lines = []
    for i, column in enumerate(columns):
        cells = []
        for k in range(len(rows)):
            missing = bool(np.isnan(rows[k, i]))
            cell = _cell(plots.shortened(plots.format_cell(column, rows[k, i]), 24), "missing" if missing else "")
            if below is not None:
                cell += _cell(plots.shortened(plots.format_cell(column, below[k, i]), 24), "made")
            cells.append(f"<td>{cell}</td>")
        name = escape(plots.shortened(column.name, 28))
        lines.append(f'<tr><th scope="row" title="{escape(column.name)}">{name}</th>{"".join(cells)}</tr>')
    left_out = len(modality.columns) - len(columns)
    more = f"<p class=more>and {left_out:,} more columns</p>" if left_out > 0 else ""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    return (
        f'<div class=scroll tabindex=0 role=region aria-label="{escape(caption)}"><table><thead><tr><th scope="col">'
        f"column</th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>{more}"
    )


def reconstructions(s: ReportData) -> list[Panel]:
    modality = s.estimator.modality_
    judged = plots.column_errors(modality, s.X, s.made)
    known = np.flatnonzero(np.isfinite(judged.errors))
    order = known[np.argsort(-judged.errors[known])]
    shown = min(len(order), plots.MAX_BARS)
    worst = ", ".join(f"{judged.names[i]} {judged.errors[i]:.2f}" for i in order[:5])
    which = "" if shown == len(order) else f" The {shown} worst of {len(order)} columns."
    before = plots.to_numeric(modality, s.X)
    with_gaps = np.flatnonzero(np.isnan(before).any(axis=1))
    rows = np.unique([*range(min(EXAMPLES - 1, s.n_shown)), with_gaps[0] if len(with_gaps) else EXAMPLES - 1])
    rows = rows[rows < s.n_shown]
    notes = ""
    if any(c.kind == "binary" and not c.texts for c in modality.columns):
        notes += " Of two numbers a column comes back as their mean, weighed by their probabilities."
    if len(with_gaps):
        notes += " Missing cells are filled in by the code of the known ones."
    return [
        Panel(
            "How well each column comes back",
            "0 is exact; at 1, the dashed line, the code says no more of a column than its mean or its commonest value "
            f"would.{which}",
            lambda scheme: plots.reconstructions(modality, s.X, s.made, scheme=scheme),
            f"Bar chart of the relative error of {shown} columns, the worst first: {worst}.",
        ),
        Panel(
            "Originals and reconstructions",
            f"A few rows: in each cell the original, and below it what its code brings back.{notes}",
            html=_markup(
                modality,
                [f"row {i}" for i in rows],
                before[rows],
                plots.to_numeric(modality, take(s.made, rows)),
                "Originals and reconstructions",
            ),
        ),
    ]


def plane(s: ReportData, given: str) -> list[Panel]:
    grid = manifold(s.estimator, SIDE, condition=s.one_condition)
    return [
        Panel(
            "The plane of codes",
            "How each column changes over the two dimensions of the code: lines join places of equal value, and bear "
            f"it; areas bear the name of their category.{given}",
            lambda scheme: plots.manifold(s.estimator.modality_, grid, scheme=scheme),
            "Contour maps of the columns that change most over the two dimensions of the code.",
        )
    ]


def start(s: ReportData) -> None:
    """Where walks begin: at the middle of the codes, which decodes to a plain row."""


def walks(s: ReportData, found: list[Traversal], names: list[str], given: str) -> list[Panel]:
    first = (
        "The columns that change most while this dimension goes from its low end (values at the left) to its high one "
        f"(at the right), the others held at the middle. Steeper lines change more, in standard deviations.{given}"
    )
    return [
        Panel(
            f"Along dimension {walk.dimension}",
            first if walk is found[0] else f"Read like dimension {found[0].dimension}.{given}",
            lambda scheme, walk=walk, name=name: plots.traversals(  # type: ignore[misc]
                s.estimator.modality_, [walk], [name], scheme=scheme
            ),
            f"How the columns change along dimension {walk.dimension} of the code.",
        )
        for walk, name in zip(found, names, strict=True)
    ]


def samples(s: ReportData) -> list[Panel]:
    modality = s.estimator.modality_
    n = min(DRAWN, max(200, s.n_shown)) if s.condition is None else s.n_shown
    drawn = s.estimator.sample(n, condition=s.condition, random_state=0)
    varying = sum(not c.constant for c in modality.columns)
    first = f" The first {plots.MAX_PANELS} of {varying} columns." if varying > plots.MAX_PANELS else ""
    rows = np.arange(min(DRAWN_EXAMPLES, n))
    return [
        Panel(
            "Samples beside the data",
            f"How real rows (filled) and newly drawn rows (dashed, squares) are spread, column by column; the closer, "
            f"the better the model imitates the data.{first}",
            lambda scheme: plots.samples(modality, s.X, drawn, scheme=scheme),
            f"Distributions of {min(varying, plots.MAX_PANELS)} columns, {s.n_shown:,} real rows beside {n:,} drawn.",
        ),
        Panel(
            "Samples",
            "Rows that never were: decoded from codes drawn from a density that was fitted to the codes of the data.",
            html=_markup(
                modality,
                [f"new {i + 1}" for i in rows],
                plots.to_numeric(modality, take(drawn, rows)),
                None,
                "Samples",
            ),
        ),
    ]
