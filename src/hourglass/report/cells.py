"""Panels of tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from hourglass.diagnostics.synthesis import MEANINGS, measure_synthesis
from hourglass.exploration import LatentMap
from hourglass.modalities.column import Column
from hourglass.plots import Groups
from hourglass.plots import cells as plots
from hourglass.report.decoded import plane_panel, shown_traversals
from hourglass.report.markup import cell_markup, table_markup
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData
from hourglass.report.words import many
from hourglass.views import Cells

EXAMPLES = 3
GENERATED_EXAMPLES = 4
GENERATED = 2000
MAX_COLUMNS = 16  # of rows side by side
MAX_LISTED = 200  # columns in the list of them
LEAST_TYPICAL = 8
REASONS = 3
MIN_SURPRISE = 1.0  # nats, from which a cell is named
SIDE = 41
TRAVERSALS = 5
NEIGHBOURS = 15  # on a map, that say how smoothly a column varies over it
MAX_MAPPED = 2000
MIN_COMPARED = 200  # rows shown, so that a forest has something to learn from
SYNTHESIS = {
    "detection": "two-sample AUC", "column_error": "columns", "pair_error": "pairs of columns",
    "from_drawn": "train on generated", "distance": "distance", "copies": "copies",
}  # fmt: skip


def _side_by_side(heads: Sequence[str], rows: Cells, below: Cells | None, caption: str) -> str:
    """Examples side by side, a line per column of the data; `below` stands under each cell of `rows`."""
    lines = []
    for i, column in enumerate(rows.columns[:MAX_COLUMNS]):
        cells = []
        for k in range(len(rows)):
            cell = cell_markup(plots.shortened(rows.text(k, i), 24), "missing" if np.isnan(rows.values[k, i]) else "")
            if below is not None:
                cell += cell_markup(plots.shortened(below.text(k, i), 24), "restored")
            cells.append(cell)
        lines.append((column.name, cells))
    left_out = len(rows.columns) - len(lines)
    more = f"<p class=more>and {many(left_out, 'more column')}</p>" if left_out > 0 else ""
    return table_markup(["column", *heads], lines, caption) + more


def reconstructions(s: ReportData) -> list[Panel]:
    found = plots.column_errors(s.originals, s.reconstructions)
    known = np.flatnonzero(np.isfinite(found.errors))
    order = known[np.argsort(-found.errors[known])]
    shown = min(len(order), plots.MAX_BARS)
    worst = ", ".join(f"{found.names[i]} {found.errors[i]:.2f}" for i in order[:5])
    which = "" if shown == len(order) else f" The {shown} worst of {len(order)} columns."
    bars = Panel(
        "How well each column is reconstructed",
        "The share that the code leaves unexplained: 0 is exact; at 1, the dashed line, the code is no better than "
        f"always predicting the column's mean or its most frequent value.{which}",
        lambda scheme: plots.reconstructions(s.originals, s.reconstructions, scheme=scheme),
        f"Bar chart of the unexplained share of {shown} columns, the worst first: {worst}.",
    )
    return [bars, _columns(s, found.errors), _examples(s), *_least_typical(s)]


def _columns(s: ReportData, errors: np.ndarray) -> Panel:
    """Every column, its kind, how much of it is missing, and how much the code explains of it."""
    lines = []
    for i, column in enumerate(s.originals.columns[:MAX_LISTED]):
        missing = float(np.isnan(s.originals.values[:, i]).mean())
        share = f"{missing:.0%}" if missing >= 0.01 else "under 1%" if missing else "none"
        explained = "–" if np.isnan(errors[i]) else "none" if errors[i] >= 0.995 else f"{1 - errors[i]:.0%}"
        lines.append((column.name, [escape(_kind(column)), share, explained]))
    left_out = len(s.originals.columns) - len(lines)
    more = f"<p class=more>and {many(left_out, 'more column')}</p>" if left_out > 0 else ""
    return Panel(
        "Columns",
        "Kind: how the model reads the column. Missing: the share of its cells that are missing here. Explained: how "
        "much better it is reconstructed than without a code: for numbers the share of their variance, for categories "
        "the share of errors saved, compared with always predicting the most frequent one; – where no cell varies.",
        html=table_markup(["column", "kind", "missing", "explained"], lines, "Columns", "tall") + more,
    )


def _kind(column: Column) -> str:
    if column.constant:
        return "constant"
    if column.kind == "binary":
        return "two values"
    return f"{len(column.categories)} categories" if column.is_categorical else column.kind_in_words


def _examples(s: ReportData) -> Panel:
    with_gaps = np.flatnonzero(np.isnan(s.originals.values).any(axis=1))
    rows = np.unique([*range(min(EXAMPLES - 1, s.n_shown)), with_gaps[0] if len(with_gaps) else EXAMPLES - 1])
    rows = rows[rows < s.n_shown]
    notes = ""
    columns = s.originals.columns
    if any(c.kind == "binary" and not c.texts and not c.type.is_boolean for c in columns):
        notes += " Of two numbers the more probable one is shown, with its probability."
    if len(with_gaps):
        notes += " Missing cells are reconstructed from the known ones."
    return Panel(
        "Originals and reconstructions",
        f"A few rows: in each cell the original, and below it the reconstruction.{notes}",
        html=_side_by_side(
            [s.names[i] for i in rows], s.originals[rows], s.reconstructions[rows], "Originals and reconstructions"
        ),
    )


def _least_typical(s: ReportData) -> list[Panel]:
    """The rows with the lowest scores, and the cells that are less probable than those of their columns usually are."""
    if s.n_shown <= LEAST_TYPICAL:
        return []
    scores, log_prob = s.scores, s.cell_scores
    known = np.isfinite(log_prob).sum(axis=0)
    usual = np.nansum(log_prob, axis=0) / np.maximum(known, 1)
    surprise = np.nan_to_num(usual - log_prob)
    lines = []
    for row in s.lowest(scores, LEAST_TYPICAL).tolist():
        reasons = [
            cell_markup(
                f"{s.originals.columns[i].name}: {s.originals.text(row, i)}, expected {s.reconstructions.text(row, i)}"
            )
            for i in np.argsort(-surprise[row], kind="stable")[:REASONS].tolist()
            if surprise[row, i] >= MIN_SURPRISE
        ]
        if not reasons or (scores.mean() - scores[row]) - surprise[row].sum() > max(surprise[row].sum(), MIN_SURPRISE):
            reasons.append(cell_markup("a code far from those of other rows"))
        lines.append((s.names[row], [f"{scores[row]:.1f}", "".join(reasons)]))
    return [
        Panel(
            "Least typical rows",
            f"The lowest scores (log-probabilities in nats; the mean is {scores.mean():.1f}) among {s.n_shown:,} rows, "
            "and the cells that are much less probable than is usual in their column, with their reconstructions. "
            "Errors in the data and real rarities tend to be here.",
            html=table_markup(["row", "score", "what is unusual"], lines, "Least typical rows", "reasons"),
        )
    ]


def colouring(s: ReportData, latent: LatentMap) -> tuple[str, Groups] | None:
    """The column that varies most smoothly over the map, as its colours."""
    explained = [
        _explained_by_place(latent.points, s.originals.values[latent.rows, i], column)
        for i, column in enumerate(s.originals.columns)
    ]
    best = int(np.argmax(explained))
    if not explained[best] > 0:
        return None
    column = s.originals.columns[best]
    sentence = f"Coloured by {column.name}, the column that the map separates best."
    return sentence, groups_of(column, s.originals.values[:, best])


def groups_of(column: Column, values: np.ndarray) -> Groups:
    """Raw values (N,) of a column as what colours a map: classes, or numbers."""
    if not column.is_categorical and column.kind != "binary":
        return Groups(numbers=values, text=column.text if column.is_time else None)
    known = np.isfinite(values)
    levels = np.unique(values[known])
    codes = np.where(known, np.searchsorted(levels, np.where(known, values, 0.0)), -1)
    return Groups(tuple(column.text(level) for level in levels.tolist()), codes.astype(int))


def _explained_by_place(points: np.ndarray, values: np.ndarray, column: Column) -> float:
    """1 - the variance of values (N,) about the mean of their neighbours on a map (N, 2), relative to all of it.

    Numbers go by their ranks, so that a few far out do not matter; categories by the indicators of their levels.
    """
    from scipy.stats import rankdata
    from sklearn.neighbors import NearestNeighbors

    known = np.flatnonzero(np.isfinite(values))
    known = np.random.default_rng(0).permutation(known)[:MAX_MAPPED]
    if len(known) < 2 * NEIGHBOURS or column.constant:
        return 0.0
    if column.is_categorical:
        targets = (values[known, None] == np.unique(values[known])).astype(float)
    else:
        targets = rankdata(values[known])[:, None]
    total = np.square(targets - targets.mean(axis=0)).sum()
    neighbours = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(points[known]).kneighbors(return_distance=False)
    off = np.square(targets - targets[neighbours].mean(axis=1)).sum()
    return float(1 - off / total) if total > 0 else 0.0


def on_map(s: ReportData, latent: LatentMap) -> list[Panel]:
    return []


def plane(s: ReportData) -> list[Panel]:
    caption = (
        "How each column changes over the two latent dimensions: lines connect places of equal value and are labelled "
        "with it; areas are labelled with their category."
    )
    alt_text = "Contour maps of the columns that change most over the two latent dimensions."
    return [plane_panel(s, plots.manifold, SIDE, caption, alt_text)]


def traversals(s: ReportData) -> list[Panel]:
    shown = shown_traversals(s, TRAVERSALS)
    first = (
        "The columns that change most while this dimension goes from its low end (values at the left) to its high one "
        "(at the right), the others held in the middle of the codes. Steeper lines change more, in standard deviations."
    )
    return [
        Panel(
            f"Along dimension {t.dimension}",
            f"{first if t is shown[0] else f'As for dimension {shown[0].dimension}.'}{s.of_condition}",
            lambda scheme, t=t: plots.traversals([t.examples], [t.name], scheme=scheme),  # type: ignore[misc]
            f"How the columns change along dimension {t.dimension} of the code.",
        )
        for t in shown
    ]


def samples(s: ReportData) -> list[Panel]:
    n = min(GENERATED, max(200, s.n_shown)) if s.condition is None else s.n_shown
    generated = s.view(s.estimator.sample(n, condition=s.condition, random_state=0))
    varying = sum(not column.constant for column in s.originals.columns)
    first = f" The first {plots.MAX_PANELS} of {varying} columns." if varying > plots.MAX_PANELS else ""
    rows = np.arange(min(GENERATED_EXAMPLES, n))
    return [
        Panel(
            "Generated and real rows",
            "How real rows (filled) and generated rows (dashed, squares) are distributed, column by column; the "
            f"closer, the better the model imitates the data.{first}",
            lambda scheme: plots.samples(s.originals, generated, scheme=scheme),
            f"Distributions of {min(varying, plots.MAX_PANELS)} columns: {s.n_shown:,} real rows, {n:,} generated.",
        ),
        Panel(
            "Samples",
            "New rows, decoded from codes drawn from a density fitted to the codes of the data.",
            html=_side_by_side([f"new {i + 1}" for i in rows], generated[rows], None, "Samples"),
        ),
        *_synthesis(s, generated),
    ]


def _synthesis(s: ReportData, generated: Cells) -> list[Panel]:
    """Figures of generated rows and of as many real ones, where there are enough rows for a forest."""
    if s.n_shown < MIN_COMPARED or s.originals.values.shape[1] < 2:
        return []
    order = np.random.default_rng(0).permutation(s.n_shown)
    one, other = (s.originals.values[half] for half in np.array_split(order, 2))
    columns, drawn = s.originals, generated.values[: len(one)]
    found, floor = (measure_synthesis(one, rows, other, columns.named, columns.names) for rows in (drawn, other))
    if np.isnan(found.detection):
        return []
    figures, of_real = found.figures(), floor.figures() | {"from_drawn": found.from_real}
    target = f" The target is {found.target}." if found.target else ""
    worst = sorted(((e, f"{a} and {b}") for (a, b), e in found.pairs.items() if e == e), reverse=True)[:3]
    pairs = "; ".join(f"{pair} {error:.2f}" for error, pair in worst)
    return [
        Panel(
            "Generated rows compared with real ones",
            "Generated rows, and for scale the second half of the rows shown, are compared with their first half."
            f"{target}" + (f" Pairs of columns with the largest errors: {pairs}." if pairs else ""),
            html=table_markup(
                ["figure", "generated", "real", "what it is"],
                [
                    (label, [f"{figures[name]:.3f}", f"{of_real[name]:.3f}", escape(MEANINGS[name])])
                    for name, label in SYNTHESIS.items()
                    if not np.isnan(figures[name])
                ],
                "Figures of generated rows",
                "reasons",
            ),
        )
    ]
