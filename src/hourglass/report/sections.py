"""The sections of a page, and the panels that are the same for all data. An estimator says which sections it has."""

from __future__ import annotations

import platform
from collections.abc import Callable
from html import escape
from types import ModuleType
from typing import Any

import numpy as np

from hourglass import views
from hourglass.diagnostics.advice import is_undertrained, kept
from hourglass.exploration import LatentMap, dimension_use
from hourglass.exploration.maps import MIN_TSNE_ROWS, map_of_codes
from hourglass.plots import Groups, dimension_bars, latent_scatter, loss_curves
from hourglass.plots.labels import MAX_COLOURS
from hourglass.report import cells, lines, pictures, texts, tiles, words
from hourglass.report.detection import detection
from hourglass.report.panels import Panel, Section
from hourglass.report.report_data import ReportData

# panels of the forms that examples may have; a kind of data without a view has those alone that all share
FORMS: dict[type, ModuleType] = {
    views.Pictures: pictures,
    views.Tiles: tiles,
    views.Cells: cells,
    views.Lines: lines,
    views.Texts: texts,
}


def _form(s: ReportData) -> Any:
    """The panels that suit the form of the examples; None where they have none."""
    return None if s.view is None else FORMS[type(s.originals)]


def reconstructions(s: ReportData) -> Section:
    form = _form(s)
    return Section("reconstructions", "Reconstructions", form.reconstructions(s) if form else [])


def latent_space(s: ReportData) -> Section:
    """The codes themselves where they have one or two dimensions, else PCA and t-SNE of them."""
    form = _form(s)
    methods = ["code"] if s.codes.shape[1] <= 2 else ["pca"] + ["tsne"] * (len(s.codes) >= MIN_TSNE_ROWS)
    latents = [map_of_codes(s.codes, method) for method in methods]
    groups, of_groups = s.labels, _of_labels(s)
    if groups is None and form and (found := form.colouring(s, latents[0])):
        of_groups, groups = found
    panels = [_map(latent, groups, of_groups) for latent in latents]
    if form:
        panels += form.on_map(s, latents[-1])
        panels += form.plane(s) if s.codes.shape[1] == 2 and not s.grid and not s.is_bypassed else []
    return Section("map", "Latent space", panels)


def _map(latent: LatentMap, groups: Groups | None, of_groups: str) -> Panel:
    title, reading = {
        "code": (
            "Latent map",
            "Each point is one example, placed at its code; neighbours have similar codes.",
        ),
        "pca": (
            "Latent map by PCA",
            "The codes along their two widest directions: what is apart here is apart; what overlaps may be apart in "
            "the other directions.",
        ),
        "tsne": (
            "Latent map by t-SNE",
            "Codes that are neighbours are drawn as neighbours; sizes of clusters and the distances between them "
            "mean nothing.",
        ),
    }[latent.method]
    return Panel(
        title,
        f"{reading} {of_groups}".strip(),
        lambda scheme: latent_scatter(latent, groups, scheme),
        f"Scatter plot of {len(latent.points):,} codes. {of_groups}".strip(),
    )


def _of_labels(s: ReportData) -> str:
    if s.labels is None:
        return ""
    unseen = "" if s.labels_in_model else " The model never saw the labels."
    if s.labels.numbers is not None:
        return f"Lighter points have the larger label.{unseen}"
    if len(s.labels.names) > MAX_COLOURS:
        named = f"Of the {len(s.labels.names)} classes as many are named as find room, each where it is densest."
        return f"{named}{unseen}"
    line = " Each class has its row." if s.codes.shape[1] == 1 else ""
    return f"Colours, shapes and names are the {len(s.labels.names)} classes.{line}{unseen}"


def dimensions(s: ReportData) -> Section:
    form = _form(s)
    panels = [_use(s)]
    if s.grid or s.is_bypassed:
        panels.append(Panel("Latent traversals", f"Left out: {_why_not(s)}"))
    elif form:
        panels += form.traversals(s)
    return Section("dimensions", "Latent dimensions", panels)


def _why_not(s: ReportData) -> str:
    """Why single dimensions of the code are not varied."""
    if s.is_bypassed:
        return "features of the example go past the code, so that a code alone cannot be decoded."
    size = " × ".join(map(str, s.grid))
    return f"the codes of this model lie on a grid ({size}), so that no dimension of it stands for the whole example."


def _use(s: ReportData) -> Panel:
    use = dimension_use(s.estimator)
    best, most = int(use.order[0]), float(use.values.max())
    listed = ", ".join(f"{d}: {use.values[d]:.3g}" for d in use.order[:8])
    if use.unit == "nats":
        return Panel(
            "KL of each dimension",
            "How many nats each dimension tells about an example. Near zero, it has collapsed onto the prior and tells "
            "nothing.",
            lambda scheme: dimension_bars(use, scheme),
            f"Bar chart: KL per dimension in nats, the largest {most:.3g} for dimension {best}. {listed}.",
        )
    return Panel(
        "Spread of each dimension",
        "The standard deviation of the codes along each dimension. One without spread carries nothing; the scale of a "
        "plain autoencoder's code is arbitrary.",
        lambda scheme: dimension_bars(use, scheme),
        f"Bar chart: standard deviation of each dimension, the largest {most:.3g} for dimension {best}. {listed}.",
    )


def samples(s: ReportData) -> Section:
    form = _form(s)
    panels = form.samples(s) if form and not s.is_bypassed else []
    if s.is_bypassed:
        panels = [Panel("Samples", f"Left out: {_why_not(s)}")]
    return Section("samples", f"Generated {s.noun}s", panels)


def training(s: ReportData) -> Section:
    return Section("training", "Training", [_losses(s), _settings(s), _again(s)])


def _losses(s: ReportData) -> Panel:
    history, summary = s.estimator.history_, s.estimator.summary_
    last = history[-1]
    shown = last["held_out"] or last["train"]
    ends = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in shown.items())
    rows = f"training (solid, dots) and held-out {s.noun}s (dashed, squares)" if last["held_out"] else "training data"
    return Panel(
        "Loss, term by term",
        f"Each term, unweighted, for {rows}. A dashed line that rises while the solid one falls means overfitting.",
        lambda scheme: loss_curves(history, summary.best_epoch or None, scheme),
        f"Line chart of {len(shown)} loss terms over {len(history)} epochs; at the end: {ends} nats per example.",
    )


def _settings(s: ReportData) -> Panel:
    e = s.estimator
    settings, architecture, summary = e.settings_, e.architecture_, e.summary_
    parameters = sum(p.numel() for p in e.model_.parameters())
    hidden = ""
    if architecture.hidden is not None:
        hidden = f", hidden layers {' '.join(map(str, architecture.hidden)) or 'none (linear)'}"
    threads = f"{settings.n_threads} thread{'s' * (settings.n_threads != 1)}"
    apart = f", of which {words.number(summary.n_independent)} share no cell" if summary.n_independent else ""
    held = f"{s.noun}s held out of training" if summary.held_out else f"of the training {s.noun}s (none were held out)"
    facts = {
        "Recipe": words.capitalised(words.recipe_in_words(e)),
        "Loss": words.loss_in_words(e.recipe_),
        "Data": f"{words.capitalised(e.modality_.describe())}; fingerprint {e.fingerprint_}",
    }
    if e.condition_ is not None:
        facts["Condition"] = ", ".join(f"{column.name} ({column.kind})" for column in e.condition_.table.columns)
    facts |= {
        "Measured on": f"{words.number(summary.n_rows)} {held}" + apart,
        "PCA": _beside_pca(summary),
        "Likelihood": words.capitalised(words.likelihood_in_words(e.model_.decode.likelihood, "column")),
        "Model": f"{words.number(parameters)} parameters, {words.many(e.n_latent_, 'latent dimension')}{hidden}",
        "Training": f"{summary.epochs} of at most {settings.max_epochs} epochs, batches of {settings.batch_size}, "
        f"learning rate {settings.learning_rate:.2g}, {settings.precision}, {threads} on {settings.device}, "
        f"{words.duration(summary.seconds)}",
        "Random seed": str(settings.seed if e.random_state is None else e.random_state),
        "Versions": ", ".join(f"{name} {version}" for name, version in _versions().items()) + " (of this report)",
    }
    return Panel(
        "Settings", "How the model was trained.", html=f"<dl class=facts>{described(list(facts.items()))}</dl>"
    )


def _beside_pca(summary: Any) -> str:
    """PCA's share, or why there is none."""
    components = words.many(summary.n_latent, "component")
    if not np.isnan(summary.pca_unexplained_variance):
        of = f" of the numeric {summary.cells}s" if summary.n_categorical else ""
        share = 1 - summary.pca_unexplained_variance
        return f"PCA with {components} keeps {share:.1%} of the variance{of}" + (" alone" if of else "")
    if not summary.n_numeric:
        return f"Not compared: PCA is for numbers, and no {summary.cells} is numeric"
    numeric = words.many(summary.n_numeric, f"numeric {summary.cells}")
    return f"Not compared: {components} for {numeric} would be exact, or there are too few rows"


def _again(s: ReportData) -> Panel:
    e = s.estimator
    arguments = None if e.origin_ is None else e.origin_.arguments
    if arguments and "data" in arguments:
        caption, text = (
            "The command that trained it; the same versions and threads give the same weights.",
            (words.command_line(arguments)),
        )
    else:
        caption, text = "The call that trained it; X, and what is not shown here, are yours.", words.python_call(e)
    return Panel("How to make this model again", caption, html=f"<pre><code>{escape(text)}</code></pre>")


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


def headline(s: ReportData) -> list[tuple[str, str]]:
    """(what it is, figure) for the head of the page."""
    summary, estimator = s.estimator.summary_, s.estimator
    measured = f"held-out {s.noun}s" if summary.held_out else f"training {s.noun}s"
    facts = []
    for verb, figure, of in kept(summary):
        word = " kept" if verb == "keeps" else ""
        facts.append((f"{of}{word}, on {words.number(summary.n_rows)} {measured}", figure))
    cells = int(np.prod(estimator.modality_.shape))
    facts.append(("input values → latent dimensions", f"{cells:,} → {summary.n_latent}"))
    if summary.pca_unexplained_variance > 0 and not summary.n_categorical and not is_undertrained(summary):
        ratio = summary.unexplained_variance / summary.pca_unexplained_variance
        figure = f"{ratio:.2f} ×" if ratio < 1000 else "> 1000 ×"
        without = ", without the condition" if summary.conditional else ""
        components = words.many(summary.n_latent, "component")
        facts.append((f"the unexplained variance of PCA with {components}{without} (below 1 is better)", figure))
    if summary.active_units >= 0:
        used = f"{summary.active_units} of {summary.code_size}"
        facts.append((f"latent dimensions active; the code carries {summary.kl:.1f} nats", used))
    facts.append((f"of training, {summary.epochs} epochs", words.duration(summary.seconds)))
    return facts


def described(facts: list[tuple[str, str]]) -> str:
    """(name, value) pairs as the rows of a <dl>."""
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)


# by the names in `sections` of an estimator
SECTIONS: dict[str, Callable[[ReportData], Section]] = {
    "detection": detection,
    "reconstructions": reconstructions,
    "map": latent_space,
    "dimensions": dimensions,
    "samples": samples,
    "training": training,
}
