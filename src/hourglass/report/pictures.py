"""Panels of pictures."""

from __future__ import annotations

import numpy as np

from hourglass.exploration import Traversal, interpolate, manifold
from hourglass.plots import pictures as plots
from hourglass.readers.containers import take
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData

COLUMNS = 8
PAIRS = 16
DRAWN = 64
SIDE = 15
FEW = 3  # dimensions whose middle is a place where codes lie
WALKS = 6
PATHS = 4
STEPS = 9


def _errors(s: ReportData) -> np.ndarray:
    """Mean squared error of every picture shown (M,)."""
    modality = s.estimator.modality_
    before, after = (modality.examples(X).rows().float().flatten(1) for X in (s.X, s.made))
    return (before - after).square().mean(1).numpy()


def _spread_over_classes(s: ReportData, n: int) -> np.ndarray:
    """n rows, the classes in turn where there are labels."""
    order = np.random.default_rng(0).permutation(s.n_shown)
    if s.labels is None or s.labels.codes is None:
        return order[:n]
    codes = s.labels.codes[order]
    turn = np.zeros(len(order), dtype=int)
    for code in np.unique(codes):
        turn[codes == code] = np.arange((codes == code).sum())
    return order[np.lexsort((codes, turn))][:n]


def reconstructions(s: ReportData) -> list[Panel]:
    modality, errors = s.estimator.modality_, _errors(s)
    typical = _spread_over_classes(s, PAIRS)
    worst = np.argsort(-errors, kind="stable")[:COLUMNS]

    def pairs(title: str, reading: str, rows: np.ndarray) -> Panel:
        return Panel(
            title,
            reading,
            lambda scheme: plots.reconstructions(
                modality, take(s.X, rows), take(s.made, rows), columns=COLUMNS, scheme=scheme
            ),
            f"{len(rows)} pictures in pairs of rows, the originals above, the reconstructions below.",
        )

    panels = [
        pairs(
            "Originals and reconstructions",
            "Pictures taken at random, and below each what its code brings back: what both share is what the code "
            "keeps.",
            typical,
        )
    ]
    if s.n_shown > PAIRS:
        panels.append(
            pairs(
                "The hardest pictures",
                f"The largest errors among the {s.n_shown:,} pictures looked at: rare forms, mislabelled or damaged "
                "pictures tend to stand here.",
                worst,
            )
        )
    return panels


def plane(s: ReportData, given: str) -> list[Panel]:
    side = SIDE if max(s.estimator.modality_.shape[1:]) <= 64 else 9
    grid = manifold(s.estimator, side, condition=s.one_condition)
    prior = s.estimator.recipe_.prior is not None
    steps = "equal steps of the prior's probability" if prior else "equal shares of the codes"
    return [
        Panel(
            "The plane of codes",
            f"What every place of the two-dimensional code decodes to, in {steps}. Smooth changes mean that "
            f"neighbouring codes look alike.{given}",
            lambda scheme: plots.manifold(s.estimator.modality_, grid, scheme=scheme),
            f"A sheet of {side} by {side} pictures decoded from a grid over the two dimensions of the code.",
        )
    ]


def start(s: ReportData) -> np.ndarray | None:
    """Where walks begin: the middle of few dimensions; the middle of many decodes to a blur, an example does not."""
    if s.estimator.n_latent_ <= FEW:
        return None
    rows = np.arange(s.n_shown) if s.default_condition is None else s.default_condition.rows
    errors = _errors(s)[rows]
    return s.codes[rows[np.argsort(errors, kind="stable")[len(rows) // 2]]]


def walks(s: ReportData, found: list[Traversal], names: list[str], given: str) -> list[Panel]:
    held = "at the middle" if start(s) is None else "as they are for one example"
    return [
        Panel(
            "Along the most informative dimensions",
            "Each row changes one dimension of the code from its low end to its high one and holds the others "
            f"{held}; what changes in the row is what that dimension stands for.{given}",
            lambda scheme: plots.traversals(s.estimator.modality_, found, names, scheme=scheme),
            f"{len(found)} rows of pictures, one a dimension: {'; '.join(names)}.",
        )
    ]


def samples(s: ReportData) -> list[Panel]:
    modality, seed = s.estimator.modality_, 0
    reading = "New pictures, decoded from codes drawn from a density that was fitted to the codes of the data."
    if not s.given:
        drawn, names = [s.estimator.sample(DRAWN, random_state=seed)], [""]
    else:
        drawn = [
            s.estimator.sample(COLUMNS, condition=s.condition_of(g, COLUMNS), random_state=seed + i)
            for i, g in enumerate(s.given)
        ]
        names = [g.name if len(g.name) <= 10 else g.name[:9] + "…" for g in s.given]
        reading += " Each row was asked for the condition at its left."
    n = sum(map(len, drawn))
    return [
        Panel(
            "Samples",
            reading,
            lambda scheme: plots.samples(modality, drawn, names, columns=COLUMNS, scheme=scheme),
            f"{n} generated pictures" + (f", rows for {', '.join(g.name for g in s.given)}." if s.given else "."),
        ),
        *_paths(s),
    ]


def _paths(s: ReportData) -> list[Panel]:
    """Straight lines between the codes of examples; of one condition, where there is one."""
    rows = _spread_over_classes(s, 2 * PATHS) if s.default_condition is None else s.default_condition.rows[: 2 * PATHS]
    if len(rows) < 2 * PATHS:
        return []
    starts, ends = rows[:PATHS], rows[PATHS:]
    drawn = [
        interpolate(s.estimator, s.codes[a], s.codes[b], STEPS, condition=s.one_condition)
        for a, b in zip(starts, ends, strict=True)
    ]
    given = f" Condition: {s.default_condition.name}." if s.default_condition else ""
    return [
        Panel(
            "From one picture to another",
            "Each row goes in a straight line from the code of one example (left) to that of another (right). Where "
            f"the code is smooth, what lies between looks like a picture too.{given}",
            lambda scheme: plots.samples(s.estimator.modality_, drawn, [""] * PATHS, columns=STEPS, scheme=scheme),
            f"{PATHS} rows of {STEPS} pictures, each from one example to another.",
        )
    ]
