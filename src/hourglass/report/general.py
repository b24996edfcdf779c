"""Panels that are the same for all data: headline figures, losses, the latent map, the dimensions, how it was made."""

from __future__ import annotations

import inspect
import platform
from typing import Any

import numpy as np

from hourglass.diagnostics.advice import kept
from hourglass.exploration import dimension_use
from hourglass.exploration.maps import MIN_TSNE_ROWS, map_of_codes
from hourglass.plots import dimension_bars, latent_scatter, loss_curves
from hourglass.plots.labels import MAX_COLOURS
from hourglass.report.panels import Panel
from hourglass.report.report_data import ReportData
from hourglass.variants import RECIPES

IN_WORDS = {
    "ae": "autoencoder",
    "denoising": "denoising autoencoder",
    "sparse": "sparse autoencoder (L1)",
    "sparse_kl": "sparse autoencoder (target activation)",
    "contractive": "contractive autoencoder",
    "vae": "variational autoencoder",
    "beta_vae": "beta-variational autoencoder",
}


def recipe_in_words(estimator: Any) -> str:
    """The recipe's name in the zoo, in words, and what was changed; its own notation for one that is not there."""
    same = [name for name, recipe in RECIPES.items() if repr(recipe) == repr(estimator.recipe_)]
    given = estimator.recipe.split() if isinstance(estimator.recipe, str) else same[:1]
    if not given:
        words = repr(estimator.recipe_)
    else:
        name, *changes = given
        words = IN_WORDS.get(name.lower(), name.replace("_", " ")) + "".join(f", {change}" for change in changes)
    return words if estimator.condition_ is None else f"conditional {words}"


def count(n: float) -> str:
    return f"{int(n):,}"


def headline(s: ReportData) -> list[tuple[str, str]]:
    """(figure, what it is) for the head of the page."""
    summary, estimator = s.estimator.summary_, s.estimator
    judged = "held-out rows" if summary.held_out else "training rows"
    cells = int(np.prod(estimator.modality_.shape))
    facts = []
    for verb, figure, of in kept(summary):
        word = " kept" if verb == "keeps" else ""
        facts.append((figure, f"{of}{word}, on {count(summary.n_rows)} {judged}"))
    facts.append((f"{cells:,} → {summary.n_latent}", "numbers of an example → numbers of its code"))
    if summary.pca_unexplained_variance > 0 and not summary.n_categorical:
        ratio = summary.unexplained_variance / summary.pca_unexplained_variance
        told = f"{ratio:.2f} ×" if ratio < 1000 else "> 1000 ×"
        untold = ", without the condition" if summary.conditional else ""
        facts.append((told, f"the error of PCA with {summary.n_latent} components{untold} (below 1 is better)"))
    if summary.active_units >= 0:
        used = f"{summary.active_units} of {summary.n_latent}"
        facts.append((used, f"dimensions active; the code carries {summary.kl:.1f} nats"))
    facts.append((duration(summary.seconds), f"of training, {summary.epochs} epochs"))
    return facts


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def losses(s: ReportData) -> Panel:
    history, summary = s.estimator.history_, s.estimator.summary_
    last = history[-1]
    shown = last["held_out"] or last["train"]
    ends = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in shown.items())
    rows = "training (solid, dots) and held-out rows (dashed, squares)" if last["held_out"] else "training rows"
    return Panel(
        "Loss, term by term",
        f"Each term before it is weighted, for {rows}. A dashed line that turns upwards while the solid one falls "
        "means the model learns its rows by heart.",
        lambda scheme: loss_curves(history, summary.best_epoch or None, scheme),
        f"Line chart of {len(shown)} loss terms over {len(history)} epochs; at the end: {ends} nats per example.",
    )


def maps(s: ReportData) -> list[Panel]:
    """The code itself where it has one or two dimensions, else PCA and t-SNE of it."""
    few = s.codes.shape[1] <= 2
    methods = ["code"] if few else ["pca"] + ["tsne"] * (len(s.codes) >= MIN_TSNE_ROWS)
    titles = {"code": "Latent map", "pca": "Latent map by PCA", "tsne": "Latent map by t-SNE"}
    readings = {
        "code": "Each point is one example at the place of its code; neighbours have similar codes.",
        "pca": "The codes seen along their two widest directions; what lies apart here is apart, what overlaps may not "
        "overlap in the other directions.",
        "tsne": "Codes that are neighbours are drawn as neighbours; sizes of clusters and the distances between them "
        "mean nothing.",
    }
    panels = []
    for method in methods:
        latent = map_of_codes(s.codes, method)
        panels.append(
            Panel(
                titles[method],
                f"{readings[method]} {_of_labels(s)}".strip(),
                lambda scheme, latent=latent: latent_scatter(latent, s.labels, scheme),  # type: ignore[misc]
                f"Scatter plot of {len(latent.points)} codes. {_of_labels(s)}".strip(),
            )
        )
    return panels


def _of_labels(s: ReportData) -> str:
    if s.labels is None:
        return ""
    unseen = " The model never saw the labels." if s.condition is None else ""
    if s.labels.numbers is not None:
        return f"Lighter points have the larger label.{unseen}"
    if len(s.labels.names) > MAX_COLOURS:
        names = f"Names stand at the thickest place of their classes, of {len(s.labels.names)} as many as find room."
        return f"{names}{unseen}"
    line = " Each class has its row." if s.codes.shape[1] == 1 else ""
    return f"Colours, shapes and names are the {len(s.labels.names)} classes.{line}{unseen}"


def dimensions(s: ReportData) -> Panel:
    use = dimension_use(s.estimator)
    best, most = int(use.order[0]), float(use.values.max())
    listed = ", ".join(f"{d}: {use.values[d]:.3g}" for d in use.order[:8])
    if use.unit == "nats":
        reading = (
            "How many nats (1 nat = 1.44 bits) each dimension tells about an example. Near zero, it has collapsed onto "
            "the prior and says nothing."
        )
        return Panel(
            "KL of each dimension", reading, lambda scheme: dimension_bars(use, scheme),
            f"Bar chart: KL per dimension in nats, the largest {most:.3g} for dimension {best}. {listed}.",
        )  # fmt: skip
    return Panel(
        "Spread of each dimension",
        "How far the codes spread along each dimension. One without spread carries nothing; a plain autoencoder is "
        "free to choose the scale.",
        lambda scheme: dimension_bars(use, scheme),
        f"Bar chart: standard deviation of each dimension, the largest {most:.3g} for dimension {best}. {listed}.",
    )


def facts(s: ReportData) -> list[tuple[str, str]]:
    """(name, value) of how the run was made, in the order of the page."""
    e = s.estimator
    settings, a = e.settings_, e.architecture_
    parameters = sum(p.numel() for p in e.model_.parameters())
    shown = "all" if s.n_shown == s.n_rows else f"{count(s.n_shown)} chosen at random"
    held = "held out of training" if e.summary_.held_out else "of the training rows (none were held out)"
    rows = [
        ("Recipe", f"{recipe_in_words(e)}: {e.recipe_!r}"),
        ("Data", f"{data_in_words(e)}; fingerprint {e.fingerprint_}"),
        ("Judged on", f"{count(e.summary_.n_rows)} rows {held}"),
        ("Shown here", f"{shown} of the {count(s.n_rows)} rows given to the report, rows of the training among them"),
        ("Likelihood", type(e.model_.decode.likelihood).__name__),
        ("Model", f"{count(parameters)} parameters, code of {e.n_latent_}" + (
            f", hidden {' '.join(map(str, a.hidden)) or 'none (linear)'}" if a.hidden is not None else "")),
        ("Training", f"{e.summary_.epochs} of at most {settings.max_epochs} epochs, batches of {settings.batch_size}, "
            f"learning rate {settings.learning_rate:.2g}, {settings.precision}, "
            f"{settings.n_threads} thread{'s' * (settings.n_threads != 1)} on {settings.device}, "
            f"{duration(e.summary_.seconds)}"),
        ("Seed", str(settings.seed)),
        ("Versions of this report", ", ".join(f"{name} {version}" for name, version in _versions().items())),
    ]  # fmt: skip
    if e.condition_ is not None:
        columns = e.condition_.table.columns
        plain = len(columns) == 1 and columns[0].name == "x0"
        names = ", ".join(f"{'one value' if plain else c.name} ({c.kind})" for c in columns)
        rows.insert(2, ("Condition", names))
    return rows


def data_in_words(estimator: Any) -> str:
    """What kind of data, and of what size."""
    shape, modality = estimator.modality_.shape, estimator.modality_
    columns = getattr(modality, "columns", None)
    if columns is None:
        if modality.name != "images":
            return f"{modality.name} of {' × '.join(map(str, shape))}"
        channels = {1: "grey", 3: "colour"}.get(shape[0], f"{shape[0]}-channel")
        return f"{channels} pictures of {' × '.join(map(str, shape[1:]))} pixels"
    kinds: dict[str, int] = {}
    for column in columns:
        kinds[column.kind] = kinds.get(column.kind, 0) + 1
    listed = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    missing = sum(c.missing for c in columns)
    return f"a table of {len(columns)} columns ({listed})" + (f", {missing} with missing cells" if missing else "")


def _versions() -> dict[str, str]:
    import matplotlib
    import sklearn
    import torch

    import hourglass

    return {
        "hourglass": hourglass.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "matplotlib": matplotlib.__version__,
        "Python": platform.python_version(),
    }


def call_of(estimator: Any) -> str:
    """The calls that make and fit such an estimator, with what is not a default."""
    defaults = {name: p.default for name, p in inspect.signature(type(estimator).__init__).parameters.items()}
    given = {}
    for name, value in estimator.get_params(deep=False).items():
        if value != defaults.get(name):
            given[name] = repr(value)
    made = f"{type(estimator).__name__}({', '.join(f'{name}={value}' for name, value in given.items())})"
    return f"{made}.fit(X{'' if estimator.condition_ is None else ', condition=condition'})"
