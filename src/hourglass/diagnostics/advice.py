"""What the figures of a fit mean, in plain words, with a remedy where there is one."""

from __future__ import annotations

import math

from hourglass.diagnostics.summary import Summary

COLLAPSED = 0.01  # nats: a dimension below says nothing
RELATIVE_NOISE = 0.02


def advise(summary: Summary) -> list[str]:
    """Sentences for a person, the most important first."""
    s = summary
    rows = f"{s.n_rows:,} rows {'held out of training' if s.held_out else 'of the training data (none were held out)'}"
    share = f"{1 - s.relative_error:.1%}" if s.relative_error < 1 else "nothing"
    kept = "of the variance of" if s.of_numbers else "of what the commonest values do not tell of the cells of"
    keeping = "The code and the condition together keep" if s.conditional else "The code keeps"
    sentences = [
        f"{keeping} {share} {kept} {rows} in {_many(s.n_latent, 'number')} "
        f"per example (relative error {s.relative_error:.3g}, {s.reconstruction:.1f} nats per example)."
    ]
    sentences += _collapse(s)
    sentences += _beside_pca(s)
    sentences += _ending(s)
    if s.constant_columns:
        names = ", ".join(map(str, s.constant_columns[:8])) + (", ..." if len(s.constant_columns) > 8 else "")
        sentences.append(
            f"Never changing: {_many(len(s.constant_columns), 'column')} ({names}), kept, though nothing is in them."
        )
    return sentences


def _many(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _collapse(s: Summary) -> list[str]:
    if s.active_units < 0:
        dead = sum(scale < 1e-3 * max(s.code_scale) for scale in s.code_scale) if s.code_scale else 0
        if dead:
            return [f"{dead} of {s.n_latent} dimensions of the code hardly move: a smaller n_latent would do as well."]
        return []
    used = (
        f"Active: {s.active_units} of {_many(s.n_latent, 'dimension')}; the code carries {s.kl:.1f} nats per example."
    )
    if s.active_units == 0 or s.kl < COLLAPSED * s.n_latent:
        improving = s.held_out and s.ended == "max_epochs" and s.best_epoch == s.epochs
        return [
            f"The posterior has collapsed: the code carries {s.kl:.2f} nats and every example is reconstructed as the "
            f"mean. {'Train for longer first: the last epoch was the best. ' if improving else ''}Lower the weight of "
            "the KL, let it warm up for longer, or leave a fixed variance to be fitted (variance='shared')."
        ]
    silent = s.n_latent - s.active_units
    if silent:
        return [
            f"{used} {silent} collapsed onto the prior and say nothing: harmless, and a sign that "
            f"n_latent={s.active_units} would do. For more active dimensions lower the weight of the KL."
        ]
    return [used]


def _beside_pca(s: Summary) -> list[str]:
    if math.isnan(s.pca_error) or s.pca_error <= 0:
        return []
    ratio = s.relative_error / s.pca_error
    untold = ", without the condition," if s.conditional else ""
    beside = f"PCA with {_many(s.n_latent, 'component')}{untold} has a relative error of {s.pca_error:.3g}"
    if ratio > 1 + RELATIVE_NOISE:
        why = (
            "A variational code pays for its smoothness; if only the error counts, take recipe='ae'"
            if s.active_units >= 0
            else "Train for longer (max_epochs), widen the network (hidden), or simply use PCA"
        )
        times = f"{ratio:.2f} times that" if ratio < 100 else f"{s.relative_error:.3g}"
        return [f"This model loses to PCA: {beside}, this model {times}. {why}."]
    if ratio > 1 - RELATIVE_NOISE:
        return [f"{beside}: no better and no worse than this model, so the data may well be linear."]
    return [f"{beside}; this model has {ratio:.2f} times that."]


def _ending(s: Summary) -> list[str]:
    if s.ended == "early_stopping":
        return [
            f"Early stopping ended training after {s.epochs} of {s.max_epochs} epochs; the weights of epoch "
            f"{s.best_epoch}, the best on held-out rows, were kept."
        ]
    if s.ended == "interrupted":
        return [
            f"Training was interrupted after {s.epochs} of {s.max_epochs} epochs; the weights of epoch {s.best_epoch} "
            "were kept. More epochs may well help."
        ]
    still = s.held_out and s.best_epoch == s.epochs and s.epochs > 0
    more = " The last epoch was the best, so a larger max_epochs may help a little." if still else ""
    return [f"Training ran its {s.epochs} epochs; the best weights are those of epoch {s.best_epoch}.{more}"]
