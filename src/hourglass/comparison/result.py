"""What a comparison found: rows, a table, a recommendation, a plot."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass import readers
from hourglass.comparison.recommendation import SizeResult, smallest_sufficient
from hourglass.whole_files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Comparison:
    """Fits side by side, judged on the same held-out rows.

    Attributes
    ----------
    rows : tuple of dict
        One a fit, and one for PCA of each size: recipe, n_latent, seed, distortion (relative error: 1 says nothing, 0
        is exact), standard_error of it, rate (KL, nats an example; None for deterministic codes), reconstruction (nats
        an example), active_units, epochs, ended, seconds.
    n_judged : rows that all were judged on.
    fingerprint : of data, recipes and options.
    recommended, recipe, reason : the smallest sufficient code size of the recipe with the least error, and why.
    """

    rows: tuple[dict[str, Any], ...]
    n_judged: int
    fingerprint: str = ""

    files = ("compare.csv", "compare.json", "compare.png", "compare.svg")

    def curve(self, recipe: str) -> list[dict[str, Any]]:
        """One recipe's sizes in ascending order, means over the seeds; `spread` is the deviation between seeds."""
        sizes = sorted({row["n_latent"] for row in self.rows if row["recipe"] == recipe})
        return [_mean([r for r in self.rows if (r["recipe"], r["n_latent"]) == (recipe, size)]) for size in sizes]

    @property
    def recipes(self) -> tuple[str, ...]:
        """In the order of the rows: PCA first, where it has a meaning."""
        return tuple(dict.fromkeys(row["recipe"] for row in self.rows))

    @cached_property
    def sufficient(self) -> dict[str, tuple[int, str]]:
        """The smallest sufficient size of every recipe, with its reason."""
        return {
            name: smallest_sufficient(
                [
                    SizeResult(p["n_latent"], p["distortion"], _uncertainty(p), p["active_units"])
                    for p in self.curve(name)
                    if p["distortion"] is not None
                ]
            )
            for name in self.recipes
            if name != "pca"
        }

    @property
    def recipe(self) -> str:
        """The recipe with the least held-out error at any size."""
        names = list(self.sufficient)
        return min(names, key=lambda name: min(p["distortion"] for p in self.curve(name)))

    @property
    def recommended(self) -> int:
        return self.sufficient[self.recipe][0]

    @property
    def reason(self) -> str:
        """Why that size, and what the other recipes would say."""
        others = [f"{name}: {size}" for name, (size, _) in self.sufficient.items() if name != self.recipe]
        beside = f" By the same rule, {'; '.join(others)}." if others else ""
        return f"For {self.recipe}, {self.sufficient[self.recipe][1]}{beside}{self._beside_pca()}"

    def _beside_pca(self) -> str:
        best = next(p for p in self.curve(self.recipe) if p["n_latent"] == self.recommended)
        pca = next((p for p in self.curve("pca") if p["n_latent"] == self.recommended), None)
        if pca is None or not pca["distortion"]:
            return ""
        ratio = best["distortion"] / pca["distortion"]
        verdict = "PCA does as well or better there" if ratio > 0.98 else f"{ratio:.2f} times that of PCA of this size"
        return f" Its error is {verdict}." if ratio <= 0.98 else f" {verdict}: {pca['distortion']:.3g}."

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and lines of text, means over the seeds."""
        headings = ["recipe", "size", "error", "±", "rate", "nats", "active", "epochs", "seconds"]
        lines = []
        for name in self.recipes:
            for p in self.curve(name):
                lines.append(
                    [
                        name, str(p["n_latent"]), _text(p["distortion"], ".4f"), _text(_uncertainty(p), ".4f"),
                        _text(p["rate"], ".1f"), _text(p["reconstruction"], ".1f"), _text(p["active_units"], ".3g"),
                        _text(p["epochs"], ".0f"), _text(p["seconds"], ".1f"),
                    ]
                )  # fmt: skip
        return headings, lines

    def to_json(self) -> dict[str, Any]:
        return {
            "fingerprint": self.fingerprint,
            "n_judged": self.n_judged,
            "rows": [{k: None if v != v else v for k, v in row.items()} for row in self.rows],  # JSON has no NaN
            "recipe": self.recipe,
            "recommended": self.recommended,
            "reason": self.reason,
            "sufficient": {name: size for name, (size, _) in self.sufficient.items()},
        }

    def plot(self) -> Figure:
        """Error against code size for all, and against the rate for variational recipes."""
        from hourglass.comparison.plot import rate_distortion

        return rate_distortion(self)

    def write(self, folder: Path) -> Comparison:
        """compare.csv, compare.json, compare.png and compare.svg, each whole or as it was."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "compare.json", json.dumps(self.to_json(), indent=1).encode())
        names = list(self.rows[0])
        readers.write(folder / "compare.csv", _columns(names, self.rows))
        figure = self.plot()
        for ending in ("png", "svg"):
            with readers.written_whole(folder / f"compare.{ending}") as temporary:
                figure.savefig(temporary, format=ending, dpi=150)
        return self


def _columns(names: list[str], rows: Iterable[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.table({name: [row[name] for row in rows] for name in names})


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of the numbers over seeds, None where there are none; `spread` of the distortion."""
    merged: dict[str, Any] = {"n_latent": rows[0]["n_latent"], "n_seeds": len(rows)}
    for name in ("distortion", "standard_error", "rate", "reconstruction", "active_units", "epochs", "seconds"):
        values = [row[name] for row in rows if row[name] is not None]
        merged[name] = sum(values) / len(values) if values else None
    errors = [row["distortion"] for row in rows]
    centre = merged["distortion"]
    merged["spread"] = math.sqrt(sum((e - centre) ** 2 for e in errors) / (len(errors) - 1)) if len(errors) > 1 else 0.0
    return merged


def _uncertainty(point: dict[str, Any]) -> float:
    """The larger of the standard error over rows and that over seeds."""
    over_rows = point["standard_error"]
    over_seeds = point["spread"] / math.sqrt(point["n_seeds"])
    return math.nan if over_rows is None else max(over_rows, over_seeds)


def _text(value: float | None, form: str) -> str:
    return "" if value is None or math.isnan(value) else format(value, form)
