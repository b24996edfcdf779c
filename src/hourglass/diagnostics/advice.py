"""What the figures of a fit mean, in plain words, with a remedy where there is one.

The sentences are for Python and the shell alike: an option is named as both call it, "max_epochs (--max-epochs)".
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


def advise(summary: Summary) -> list[str]:
    """Sentences for a person, the most important first."""
    s = summary
    if is_undertrained(s):
        return [_headline(s), _too_short(s), *_bottleneck(s), *_data(s)]
    figures = [*_use_of_code(s), *_without_code(s), *_beside_pca(s), *_overfitting(s)]
    return [_headline(s), *figures, *_bottleneck(s), *_ending(s), *_data(s)]


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
    does = " and ".join(" ".join(share) for share in kept(s)) or "could not be measured: no cell varies"
    examples = _many(s.n_rows, "held-out example" if s.held_out else "training example")
    code = "given the code" if math.isnan(s.kl) else f"the code's own {s.kl:.1f} included"
    return (
        f"With {_many(s.n_latent, 'latent dimension')}{condition}, the model {does} "
        f"({examples}{'' if s.held_out else ', none were held out'}; {s.objective:.1f} nats per example, {code}; "
        f"{s.baseline:.1f} without a code; lower is better)."
    )


def _too_short(s: Summary) -> str:
    stopped = "was interrupted" if s.ended == "interrupted" else "ended"
    epochs = f"{s.epochs} of {s.max_epochs} epochs" if s.epochs < s.max_epochs else _many(s.epochs, "epoch")
    return (
        f"The model is undertrained: it was still improving when training {stopped} after {epochs}. Train for longer "
        "(max_epochs, --max-epochs) before reading anything into these figures."
    )


def _bottleneck(s: Summary) -> list[str]:
    if s.n_latent < s.n_values:
        return []
    return [
        f"A code of {_many(s.n_latent, 'number')} is not a bottleneck: an example has {s.n_values:,} free values. "
        "Only a smaller n_latent (--n-latent) makes the model find structure instead of copying."
    ]


def _use_of_code(s: Summary) -> list[str]:
    """Which dimensions of the code carry something."""
    if s.active_units < 0:
        if s.code_size > s.n_latent:  # on a grid no dimension can be left out for itself
            return []
        still = sum(scale < STILL * max(s.code_scale) for scale in s.code_scale)
        if still:
            varying = f"{s.n_latent - still} would do (n_latent, --n-latent)"
            return [f"{still} of {s.n_latent} latent dimensions hardly vary: {varying}."]
        return []
    weight = 'lower the weight of the KL (recipe "vae kl=0.1")'
    if s.kl < NOTHING:
        same = "what the model keeps comes from the condition" if s.conditional else "all reconstructions are alike"
        return [
            f"The posterior has collapsed onto the prior: the code carries {s.kl:.2f} nats per example, so {same}. "
            f"{weight[0].upper()}{weight[1:]}, or, if the variance was fixed, let it be fitted."
        ]
    if s.active_units == 0:
        return [
            f"No latent dimension is active by itself, though all {s.n_latent:,} together carry {s.kl:.1f} nats per "
            f"example: {'take a smaller n_latent (--n-latent), or ' if s.n_latent > 2 else ''}{weight}."
        ]
    used = f"{s.active_units} of {_many(s.code_size, 'latent dimension')} are active; the code carries {s.kl:.1f} nats"
    if s.active_units == s.code_size or s.code_size > s.n_latent:
        return [f"{used} per example."]
    return [
        f"{used} per example. The others have collapsed onto the prior and carry nothing, which is harmless: "
        f"{s.active_units} would do (n_latent, --n-latent). For more active dimensions, {weight}."
    ]


def _without_code(s: Summary) -> list[str]:
    """Where nats and errors tell different stories."""
    categories = s.categorical_baseline - s.categorical_reconstruction
    if s.unexplained_categories > 1 - SAME and categories > LATE * s.categorical_baseline:
        return [
            "The most probable value is nearly always the most frequent one, yet the probabilities are better than its "
            f"frequency: the categories cost {s.categorical_reconstruction:.1f} nats per example, "
            f"{s.categorical_baseline:.1f} without a code. Judge this model by nats."
        ]
    if not s.gain <= 0 or s.kl < NOTHING:
        return []
    if math.isnan(s.kl):
        return [
            "In nats the reconstructions are no better than predicting without a code, each "
            f"{s.cells} by itself: the model is sure where it is wrong, or there is nothing to learn."
        ]
    return [
        f"Code and reconstruction together cost {s.objective:.1f} nats per example, and predicting without a code "
        f"{s.baseline:.1f}: as a density of the data (score_samples, sample with prior=True) the model is no use."
    ]


def _beside_pca(s: Summary) -> list[str]:
    if math.isnan(s.pca_unexplained_variance) or s.pca_unexplained_variance <= 0:
        return []
    pca = f"PCA with {_many(s.n_latent, 'component')} keeps {1 - s.pca_unexplained_variance:.1%}"
    if s.n_categorical:
        return [
            f"For comparison, {pca} of the variance of the numeric {s.cells}s, and nothing of the categorical ones."
        ]
    ratio = s.unexplained_variance / s.pca_unexplained_variance
    if s.conditional:
        pca += " without the condition"
    if ratio < 1 - SAME:
        return [f"{pca}; this model leaves {ratio:.2f} times as much unexplained."]
    if ratio > 1 + SAME:
        remedy = "A wider network (hidden, --hidden) may do better, or simply use PCA"
        if s.active_units >= 0:
            remedy = (
                'If only the reconstruction counts, use recipe "ae": a variational code gives up detail for its prior'
            )
        elif not s.held_out:
            remedy = "Longer training (max_epochs, --max-epochs) or a wider network (hidden, --hidden) may do better"
        times = f"{ratio:.2f} times" if ratio < 100 else "over 100 times"
        return [f"{pca}: better than this model, which leaves {times} as much unexplained. {remedy}."]
    enough = "; a linear code of this size does as well here" if s.held_out and s.ended != "interrupted" else ""
    return [f"{pca}, as much as this model{enough}."]


def _overfitting(s: Summary) -> list[str]:
    gain = s.baseline - s.reconstruction
    if not s.held_out or s.n_rows < ROWS_TO_COMPARE or s.training_gain < NOTHING:
        return []
    if gain > OVERFITTED * s.training_gain or s.training_gain - gain < 3 * s.gain_standard_error:
        return []
    held_out = f"only {gain:.1f} less" if gain > 0 else f"{-gain:.1f} more"
    return [
        f"The model overfits: with the code, training examples need {s.training_gain:.1f} nats less than without, and "
        f"held-out ones {held_out}. More data, a smaller network (hidden, --hidden), a smaller code (n_latent, "
        "--n-latent) or a variational recipe help."
    ]


def _ending(s: Summary) -> list[str]:
    ran = f"after {s.epochs} of {s.max_epochs} epochs"
    weights = f"the weights of epoch {s.best_epoch}, the best on held-out rows, were kept"
    if s.ended == "early_stopping":
        return [f"Early stopping ended training {ran}: {weights}."]
    if s.ended == "interrupted":
        if not s.held_out or s.best_epoch == 0:
            return [f"Training was interrupted {ran}."]
        return [f"Training was interrupted {ran}: {weights}; more epochs would hardly help."]
    if not s.held_out:
        return [f"Training ran its {_many(s.epochs, 'epoch')}; without held-out rows nothing tells whether more help."]
    more = (
        " The last epochs still improved it: more may help (max_epochs, --max-epochs)."
        if s.best_epoch >= NEARLY_LAST * s.epochs
        else ""
    )
    return [f"Training ran its {_many(s.epochs, 'epoch')}; {weights}.{more}"]


def _data(s: Summary) -> list[str]:
    """What is noteworthy of the rows themselves."""
    sentences = []
    if s.share_missing and "Masking" not in s.recipe:
        share = f"{s.share_missing:.1%}" if s.share_missing >= 0.001 else "Some"
        sentences.append(
            f'{share} of the cells are missing. To fill them in (impute), recipe "ae Masking=0.2" does better.'
        )
    if n := len(s.constant_columns):
        names = ", ".join(map(str, s.constant_columns[:8])) + (", ..." if n > 8 else "")
        carry = "carries no information; it is" if n == 1 else "carry no information; they are"
        sentences.append(f"{_many(n, 'constant column')} ({names}) {carry} kept in the output.")
    return sentences
