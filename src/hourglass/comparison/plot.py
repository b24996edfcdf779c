"""The rate-distortion plot of a comparison; shapes and names tell the lines apart, colour only helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from hourglass.comparison.result import Comparison

# Okabe and Ito's palette, told apart by every common kind of colour vision
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = "os^DvPX*"
DASHES = ("-", "--", "-.", ":")


def rate_distortion(found: Comparison) -> Figure:
    """Held-out relative error against the size of the code, and against the KL where there is one."""
    names = [name for name in found.recipes if name != "pca"]
    variational = [name for name in names if any(p["rate"] is not None for p in found.curve(name))]
    figure = Figure(figsize=(11 if variational else 6, 4.4), layout="constrained")
    panels = figure.subplots(1, 2 if variational else 1, squeeze=False)[0]
    by_size = panels[0]
    styles = {
        name: {"marker": MARKERS[k % 8], "linestyle": DASHES[k % 4], "color": COLOURS[k % 7]}
        for k, name in enumerate(names)
    }
    styles["pca"] = {"marker": "x", "linestyle": ":", "color": "#555555"}
    for name in found.recipes:
        curve = [p for p in found.curve(name) if p["distortion"] is not None]
        x, y = [p["n_latent"] for p in curve], [p["distortion"] for p in curve]
        by_size.plot(x, y, label="PCA" if name == "pca" else name, linewidth=1.6, markersize=6, **styles[name])
        spread = [(p["spread"] or 0.0) if name != "pca" else 0.0 for p in curve]
        if any(spread):
            by_size.errorbar(x, y, yerr=spread, fmt="none", ecolor=styles[name]["color"], capsize=3, linewidth=1)
    by_size.axvline(found.recommended, color="#999999", linewidth=6, alpha=0.35, zorder=0)
    by_size.set_xscale("log", base=2)
    sizes = sorted({row["n_latent"] for row in found.rows})
    by_size.set_xticks(sizes, [str(size) for size in sizes])
    top = 1.08 * max(row["distortion"] for row in found.rows if row["distortion"] is not None)
    by_size.set(xlabel="numbers in the code", ylabel="relative error of held-out rows", ylim=(0, top))
    by_size.set_title(f"Size of the code (recommended: {found.recommended})", fontsize=11, loc="left")
    by_size.legend(frameon=False, loc="upper right")
    if variational:
        by_rate = panels[1]
        for name in variational:
            curve = [p for p in found.curve(name) if p["rate"] is not None]
            x, y = [p["rate"] for p in curve], [p["distortion"] for p in curve]
            by_rate.plot(x, y, label=name, linewidth=1.6, markersize=6, **styles[name])
            for p, px, py in zip(curve, x, y, strict=True):
                by_rate.annotate(str(p["n_latent"]), (px, py), xytext=(5, 5), textcoords="offset points", fontsize=8)
        by_rate.set(xlabel="rate: KL to the prior, nats an example", ylim=(0, top))
        by_rate.set_title("Rate and distortion (numbers: size of the code)", fontsize=11, loc="left")
        by_rate.legend(frameon=False, loc="upper right")
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    return figure
