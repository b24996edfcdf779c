"""What the figures of a fit mean, in plain words, with a remedy where there is one.

One fact a sentence, and every comparison says with what. The sentences are in Python's words: the command line, and the
report of a model that it made, say them in options (`shell_words.in_shell_words`).
"""

from __future__ import annotations

import math

from hourglass.diagnostics.codes import STILL
from hourglass.diagnostics.summary import Summary

NOTHING = 0.1  # nats: a code that carries less says nothing, and epochs that bring less are in vain
SAME = 0.02  # relative difference of two errors that is noise
LATE = 0.03  # of all that was gained: if the last quarter of the epochs brought more, training ended too early
NEARLY_LAST = 0.95  # of the epochs
OVERFITTED = 0.75  # of what is gained on training rows: held-out rows gain less
ROWS_TO_COMPARE = 50  # fewer held-out rows say little about overfitting
LONGER = 4  # times the epochs that a run had, to be tried next


def advise(summary: Summary) -> list[str]:
    """Sentences for a person, the most important first; into the figures of an undertrained model nothing is read."""
    s = summary
    if is_undertrained(s):
        return [*_too_short(s), *_kept_so_far(s), *_bottleneck(s), *_data(s)]
    figures = [*_use_of_code(s), *_without_code(s), *_beside_pca(s), *_overfitting(s)]
    return [_headline(s), _nats(s), *figures, *_bottleneck(s), *_ending(s), *_data(s)]


def is_undertrained(summary: Summary) -> bool:
    """Whether the best epoch was (nearly) the last, and the last quarter of the epochs was still worth much."""
    s = summary
    if not s.held_out or s.ended == "early_stopping" or s.best_epoch < NEARLY_LAST * s.epochs:
        return False
    return math.isnan(s.late_gain) or s.late_gain > max(LATE * s.gain, NOTHING)


def kept(summary: Summary) -> list[tuple[str, str, str]]:
    """(verb, figure, of what): what the model keeps of numeric cells, and what of categorical ones."""
    s = summary
    both = bool(s.n_numeric and s.n_categorical)
    shares = []
    if not math.isnan(s.unexplained_variance):
        cells = f" of {_the(s.n_numeric, f'numeric {s.cells}')}" if both else ""
        figure = f"{1 - s.unexplained_variance:.1%}" if s.unexplained_variance < 0.9995 else "nothing"
        figure = "over 99.9%" if figure == "100.0%" and s.unexplained_variance > 0 else figure
        shares.append(("keeps", figure, f"of the variance{cells}"))
    if not math.isnan(s.unexplained_categories):
        cells = f" in {_the(s.n_categorical, f'categorical {s.cells}')}" if both else ""
        fewer = f"{1 - s.unexplained_categories:.0%}"
        figure = "no" if s.unexplained_categories >= 1 or fewer == "0%" else fewer
        shares.append(("makes", figure, f"fewer errors{cells} than always predicting the most frequent value"))
    return shares


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _the(n: int, what: str) -> str:
    return f"the {what}" if n == 1 else f"the {_many(n, what)}"


def _headline(s: Summary) -> str:
    condition = " and the condition" if s.conditional else ""
    code = f"With {_many(s.n_latent, 'latent dimension')}{condition}, the model"
    if not (does := " and ".join(" ".join(share) for share in kept(s))):
        return f"{code} could not be measured: no {s.cells} varies in {_measured_on(s)}."
    return f"{code} {does}, measured on {_measured_on(s)}."


def _measured_on(s: Summary) -> str:
    if s.held_out:
        independent = f", {s.n_independent:,} of which share no cell" if s.n_independent else ""
        return _many(s.n_rows, "held-out example") + independent + (f" of {s.folds} folds" if s.folds else "")
    return f"{_many(s.n_rows, 'training example')} (none were held out)"


def _nats(s: Summary) -> str:
    without = f"the same likelihood without a code needs {s.baseline:.1f}; lower is better."
    if math.isnan(s.kl):
        return f"Given the code, an example takes {s.reconstruction:.1f} nats, the code itself not counted; {without}"
    return f"An example takes {s.objective:.1f} nats, {s.kl:.1f} of them for the code itself (KL); {without}"


def _too_short(s: Summary) -> list[str]:
    stopped = "was interrupted" if s.ended == "interrupted" else "ended"
    epochs = f"{s.epochs} of {s.max_epochs} epochs" if s.epochs < s.max_epochs else _many(s.epochs, "epoch")
    longer = f"Train for longer: max_epochs={LONGER * s.epochs}"
    if s.epochs < s.max_epochs:
        longer = "Let it train to the end"
    return [
        f"The model is undertrained: it was still improving when training {stopped} after {epochs}.",
        f"{longer}. Until then its figures mean little.",
    ]


def _kept_so_far(s: Summary) -> list[str]:
    does = " and ".join(" ".join(share) for share in kept(s))
    return [f"So far the model {does}, measured on {_measured_on(s)}."] if does else []


def _bottleneck(s: Summary) -> list[str]:
    if s.n_latent < s.n_values:
        return []
    return [
        f"A code of {_many(s.n_latent, 'number')} is not a bottleneck: an example has {s.n_values:,} free values. "
        "With a smaller n_latent the model has to find structure instead of copying."
    ]


def _use_of_code(s: Summary) -> list[str]:
    """Which dimensions of the code carry something."""
    if s.active_units < 0:
        if s.code_size > s.n_latent:  # on a grid no dimension can be left out for itself
            return []
        still = sum(scale < STILL * max(s.code_scale) for scale in s.code_scale)
        if still:
            return [f"{still} of {s.n_latent} latent dimensions hardly vary: n_latent={s.n_latent - still} would do."]
        return []
    weight = 'give the KL a smaller weight, as recipe="vae kl=0.1" does'
    if s.kl < NOTHING:
        same = "what the model keeps comes from the condition" if s.conditional else "all reconstructions are alike"
        return [
            f"The posterior has collapsed onto the prior: the code carries {s.kl:.2f} nats per example, so {same}.",
            f"{weight[0].upper()}{weight[1:]}; if you fixed the variance, let it be fitted.",
        ]
    if s.active_units == 0:
        return [
            f"No latent dimension is active by itself, though all {s.n_latent:,} together carry {s.kl:.1f} nats per "
            f"example: {'take a smaller n_latent, or ' if s.n_latent > 2 else ''}{weight}."
        ]
    used = f"{s.active_units} of {_many(s.code_size, 'latent dimension')} are active; the code carries {s.kl:.1f} nats"
    if s.active_units == s.code_size or s.code_size > s.n_latent:
        return [f"{used} per example."]
    return [
        f"{used} per example.",
        f"The others carry nothing (collapsed onto the prior), which is harmless: n_latent={s.active_units} would do. "
        f"For more active dimensions, {weight}.",
    ]


def _without_code(s: Summary) -> list[str]:
    """Where nats and errors tell different stories."""
    categories = s.categorical_baseline - s.categorical_reconstruction
    if s.unexplained_categories > 1 - SAME and categories > LATE * s.categorical_baseline:
        return [
            "The most probable category is nearly always the most frequent one, yet its probability is better than "
            f"that frequency: the categories take {s.categorical_reconstruction:.1f} nats per example given the code, "
            f"and {s.categorical_baseline:.1f} without one.",
            "Judge this model by nats, not by errors.",
        ]
    if not s.gain <= 0 or s.kl < NOTHING:
        return []
    if math.isnan(s.kl):
        return [
            f"In nats the model is no better than predicting each {s.cells} by itself, without a code: it is sure "
            "where it is wrong, or there is nothing to learn."
        ]
    return [
        f"With the code counted the model is no better than predicting each {s.cells} by itself, without a code: do "
        "not rely on its scores, or on samples from its prior."
    ]


def _beside_pca(s: Summary) -> list[str]:
    if math.isnan(s.pca_unexplained_variance) or s.pca_unexplained_variance <= 0:
        return []
    pca = f"PCA with {_many(s.n_latent, 'component')}"
    keeps = f"{1 - s.pca_unexplained_variance:.1%} of the variance"
    if s.n_categorical:
        return [
            f"{pca}, of the numeric {s.cells}s alone, keeps {keeps} of these. That does not compare with the model, "
            f"whose code holds the categorical {s.cells}s as well."
        ]
    ratio = s.unexplained_variance / s.pca_unexplained_variance
    if s.conditional:
        pca += ", which does not know the condition,"
    if ratio < 1 - SAME:
        return [f"{pca} keeps {keeps}: the model leaves {ratio:.2f} times as much unexplained as PCA."]
    if ratio > 1 + SAME:
        remedy = "A wider network may do better, such as hidden=(512, 512); or simply use PCA"
        if s.active_units >= 0:
            remedy = 'If only the reconstruction counts, use recipe="ae": a variational code gives up detail for its KL'
        elif not s.held_out:
            remedy = f"Longer training (max_epochs={LONGER * s.epochs}) or a wider network may do better"
        times = f"{ratio:.2f} times" if ratio < 100 else "over 100 times"
        return [f"{pca} keeps {keeps}: the model leaves {times} as much unexplained as PCA.", f"{remedy}."]
    enough = "; a linear code of this size does as well here" if s.held_out and s.ended != "interrupted" else ""
    return [f"{pca} keeps {keeps}, as much as the model{enough}."]


def _overfitting(s: Summary) -> list[str]:
    gain = s.baseline - s.reconstruction
    if not s.held_out or s.n_rows < ROWS_TO_COMPARE or s.training_gain < NOTHING:
        return []
    if gain > OVERFITTED * s.training_gain or s.training_gain - gain < 3 * s.gain_standard_error:
        return []
    held_out = f"only {gain:.1f}" if gain > 0 else "nothing"
    return [
        f"The model overfits: compared with no code, the code saves {s.training_gain:.1f} nats per training example "
        f"and {held_out} per held-out example.",
        "More data, a smaller network, a smaller n_latent or a variational recipe help.",
    ]


def _ending(s: Summary) -> list[str]:
    ran = f"after {s.epochs} of {s.max_epochs} epochs"
    weights = f"the weights of epoch {s.best_epoch}, the best on held-out examples, were kept"
    if s.ended == "early_stopping":
        return [f"Early stopping ended training {ran}: {weights}."]
    if s.ended == "interrupted":
        if not s.held_out or s.best_epoch == 0:
            return [f"Training was interrupted {ran}."]
        return [f"Training was interrupted {ran}: {weights}; more epochs would hardly help."]
    if not s.held_out:
        return [f"Training ran its {_many(s.epochs, 'epoch')}; without held-out examples nothing tells if more help."]
    more = (
        f" The last epochs still improved it: more may help (max_epochs={LONGER * s.epochs})."
        if s.best_epoch >= NEARLY_LAST * s.epochs
        else ""
    )
    return [f"Training ran its {_many(s.epochs, 'epoch')}; {weights}.{more}"]


def _data(s: Summary) -> list[str]:
    """What is noteworthy of the rows themselves."""
    sentences = []
    if s.share_missing and s.active_units < 0:
        share = f"{s.share_missing:.1%}" if s.share_missing >= 0.001 else "Some"
        sentences.append(f'{share} of the cells are missing. To fill them in, use recipe="vae", which errs least.')
    if n := len(s.constant_columns):
        names = ", ".join(map(repr, s.constant_columns[:8])) + (", ..." if n > 8 else "")
        carry = "carries no information; it is" if n == 1 else "carry no information; they are"
        sentences.append(f"{_many(n, 'constant column')} ({names}) {carry} kept in the output.")
    return sentences
