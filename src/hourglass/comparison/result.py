"""The result of a comparison: rows, a table, a recommendation, a figure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matplotlib.figure import Figure

from hourglass.comparison.recommendation import SizeResult, smallest_by_detection, smallest_sufficient
from hourglass.comparison.tasks import SYNTHESISE
from hourglass.diagnostics.synthesis import MEANINGS
from hourglass.plots import LIGHT, Scheme, rate_distortion

FIGURES = (
    "unexplained_variance", "unexplained_categories", "unexplained", "nats", "standard_error", "reconstruction", "rate",
    "active_units", "epochs", "seconds", *MEANINGS,
)  # fmt: skip
# heading of a table, the figure under it, its format, and what it means
COLUMNS = (
    (
        "variance", "unexplained_variance", ".4f",
        "unexplained variance of the numeric cells, 1 - R^2: 0 is exact, 1 as good as the mean; PCA is of them alone",
    ),
    (
        "categories", "unexplained_categories", ".4f",
        "wrong categorical cells, relative to always predicting the most frequent value",
    ),
    (
        "nats", "nats", ".2f",
        "per example, lower is better: -log p(x | code), plus the KL for recipes with a rate; those with and those "
        "without a rate do not compare; baseline is the same likelihood without a code",
    ),
    ("±", "uncertainty", ".2f", "standard error of the nats saved against the baseline"),
    ("rate", "rate", ".1f", "KL of the code from its prior, in nats per example"),
    ("active", "active_units", ".3g", "latent dimensions in use"),
    ("epochs", "epochs", ".0f", "passes through the training data"),
    ("seconds", "seconds", ".1f", "of training"),
)  # fmt: skip
SYNTHESIS_COLUMNS = (
    *((heading, name, ".3f", MEANINGS[name]) for heading, name in (
        ("AUC", "detection"), ("columns", "column_error"), ("pairs", "pair_error"), ("from drawn", "from_drawn"),
        ("from real", "from_real"), ("distance", "distance"), ("copies", "copies"),
        ("held-out copies", "copies_held_out"),
    )),
    *COLUMNS[-2:],
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Fits side by side, evaluated on the same held-out data.

    Which size: for every recipe the smallest whose nats are as few as those of the best (see `smallest_sufficient`).
    Nats count all columns, and for a variational recipe the code itself (the negative ELBO), so that dimensions that do
    not pay for themselves are not recommended.

    Which recipe: the one that leaves the least `unexplained` at any size: the share of all cells, numeric and
    categorical, each counting alike. Nats cannot tell, because a deterministic code has no KL to pay, and neither could
    the variance of the numeric columns alone.

    Where the task is to synthesise, both go by the AUC of a random forest between generated and real rows.

    Attributes
    ----------
    rows : tuple of dict
        One per fit, one for the baseline and one for PCA of each size: recipe, n_latent, seed; unexplained_variance,
        unexplained_categories and unexplained (of all cells); nats and their standard_error against the baseline;
        reconstruction (-log p(x | code), nats) and rate (KL, nats; None for deterministic codes); active_units, epochs,
        ended, seconds; of the task "synthesise" those of `hourglass.diagnostics.synthesis.MEANINGS`, for the baseline
        of independent columns.
    n_test : how many examples all were evaluated on.
    fingerprint : of data, recipes and options.
    task : what is recommended by, "reconstruct" or "synthesise".
    """

    rows: tuple[dict[str, Any], ...]
    n_test: int
    fingerprint: str = ""
    task: str = "reconstruct"

    def curve(self, recipe: str) -> list[dict[str, Any]]:
        """One recipe's sizes in ascending order: means over seeds, and the `uncertainty` of the nats."""
        sizes = sorted({row["n_latent"] for row in self.rows if row["recipe"] == recipe})
        return [_mean([r for r in self.rows if (r["recipe"], r["n_latent"]) == (recipe, size)]) for size in sizes]

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of the rows: the baseline, PCA where it has a meaning, the recipes."""
        return tuple(dict.fromkeys(row["recipe"] for row in self.rows))

    @property
    def recipes(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in ("baseline", "pca"))

    @property
    def baseline(self) -> float:
        """Nats per example without a code."""
        return float(next(row["nats"] for row in self.rows if row["recipe"] == "baseline"))

    @cached_property
    def sufficient(self) -> dict[str, tuple[int, str]]:
        """The smallest sufficient size of every recipe, with its reason."""
        if self.task == SYNTHESISE:
            return {name: smallest_by_detection(self._detection(name)) for name in self.recipes}
        return {
            name: smallest_sufficient(
                [
                    SizeResult(p["n_latent"], p["nats"], p["uncertainty"] or 0.0, p["active_units"])
                    for p in self.curve(name)
                    if p["unexplained"] is not None
                ],
                self.baseline,
            )
            for name in self.recipes
        }

    @property
    def recipe(self) -> str:
        """The recipe that leaves the least unexplained at any size, or whose generated rows are most like real ones."""
        if self.task == SYNTHESISE:
            return min(self.sufficient, key=lambda name: min(auc for _, auc in self._detection(name)))
        return min(self.sufficient, key=self._least_unexplained)

    def _detection(self, name: str) -> list[tuple[int, float]]:
        """(size, two-sample AUC); below 0.5, where generated rows share values with training rows, counts as chance."""
        return [(p["n_latent"], max(p["detection"], 0.5)) for p in self.curve(name) if p["detection"] is not None]

    def _least_unexplained(self, name: str) -> float:
        return min(p["unexplained"] for p in self.curve(name) if p["unexplained"] is not None)

    @property
    def recommended(self) -> int:
        """The size of the code."""
        return self.sufficient[self.recipe][0]

    @property
    def reason(self) -> str:
        """Why that recipe and that size, and what the other recipes would say."""
        if self.task == SYNTHESISE:
            return self._reason_to_synthesise()
        share = f"{self._least_unexplained(self.recipe):.1%} of all cells, at its best size"
        words = [
            f"Of the recipes, {self.recipe} leaves the least unexplained: {share}." if len(self.recipes) > 1 else ""
        ]
        words.append(f"Size {self.recommended} of {self.recipe}: {self.sufficient[self.recipe][1]}")
        if others := [f"{size} for {name}" for name, (size, _) in self.sufficient.items() if name != self.recipe]:
            words.append(f"By the same rule the size is {', '.join(others)}.")
        return " ".join([*filter(None, words), *self._beside_pca()])

    def _reason_to_synthesise(self) -> str:
        words = [f"Size {self.recommended} of {self.recipe}: {self.sufficient[self.recipe][1]}"]
        independent = self.curve("baseline")[0]["detection"]
        if independent is not None:
            words.append(f"Independent columns have {independent:.3f}.")
        point = next(p for p in self.curve(self.recipe) if p["n_latent"] == self.recommended)
        if point["copies"]:
            held_out = f"{point['copies_held_out']:.1%} of held-out rows"
            words.append(f"{point['copies']:.1%} of its rows equal a training row, and {held_out} do.")
        return " ".join(words)

    def _beside_pca(self) -> list[str]:
        point = next(p for p in self.curve(self.recipe) if p["n_latent"] == self.recommended)
        pca = next((p for p in self.curve("pca") if p["n_latent"] == self.recommended), None)
        if pca is None or not pca["unexplained_variance"]:
            return []
        ratio = point["unexplained_variance"] / pca["unexplained_variance"]
        alone = "" if pca["unexplained"] is not None else ", which sees the numeric columns alone,"
        if ratio > 0.98:
            shares = f"{pca['unexplained_variance']:.3g}, against {point['unexplained_variance']:.3g} of {self.recipe}"
            return [f"PCA of that size{alone} leaves as little variance unexplained, or less: {shares}."]
        return [f"It leaves {ratio:.2f} times as much variance unexplained as PCA of that size{alone}."]

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and lines of text, means over the seeds; without the columns that are empty."""
        points = [(name, p) for name in self.names for p in self.curve(name)]
        shown = [c for c in self._columns if any(p[c[1]] is not None for _, p in points)]
        points = [(name, p) for name, p in points if any(p[key] is not None for _, key, _, _ in shown)]
        lines = [
            [
                name,
                str(p["n_latent"] or ""),
                *("" if p[key] is None else format(p[key], form) for _, key, form, _ in shown),
            ]
            for name, p in points
        ]
        return ["recipe", "size", *(heading for heading, *_ in shown)], lines

    @property
    def _columns(self) -> tuple[tuple[str, str, str, str], ...]:
        return SYNTHESIS_COLUMNS if self.task == SYNTHESISE else COLUMNS

    def legend(self) -> list[str]:
        """What the columns of the table mean, a line each."""
        headings = self.table()[0]
        return [f"{heading}: {meaning}" for heading, _, _, meaning in self._columns if meaning and heading in headings]

    def to_json(self) -> dict[str, Any]:
        return {
            "fingerprint": self.fingerprint,
            "n_test": self.n_test,
            "task": self.task,
            "rows": list(self.rows),
            "recipe": self.recipe,
            "recommended": self.recommended,
            "reason": self.reason,
            "sufficient": {name: size for name, (size, _) in self.sufficient.items()},
        }

    def plot(self, scheme: Scheme = LIGHT) -> Figure:
        """Errors and nats against the size of the code, and nats against the rate of variational recipes."""
        curves = {name: self.curve(name) for name in self.names if name != "baseline"}
        return rate_distortion(curves, self.baseline, self.recommended, scheme)


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of the figures over seeds, None where there are none.

    `uncertainty` of the nats is the larger of the standard error over examples and that over seeds.
    """
    merged: dict[str, Any] = {"n_latent": rows[0]["n_latent"], "n_seeds": len(rows)}
    for name in FIGURES:
        values = [row[name] for row in rows if row[name] is not None]
        merged[name] = sum(values) / len(values) if values else None
    merged["uncertainty"] = merged["standard_error"]
    nats = [row["nats"] for row in rows if row["nats"] is not None]
    if len(nats) > 1:
        spread = math.sqrt(sum((v - merged["nats"]) ** 2 for v in nats) / (len(nats) - 1))
        merged["uncertainty"] = max(merged["standard_error"] or 0.0, spread / math.sqrt(len(nats)))
    return merged
