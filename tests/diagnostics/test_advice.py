"""The advice claims what was measured and nothing else, and a remedy fits its cause."""

import math
from dataclasses import dataclass

import numpy as np
import pandas
import pytest

from hourglass import Embedder
from hourglass.diagnostics.advice import advise, is_undertrained, kept
from hourglass.diagnostics.summary import Summary
from hourglass.modalities import Tables
from hourglass.shell_words import in_shell_words

# a converged, unremarkable autoencoder of a table of numbers
PLAIN = {
    "n_rows": 200, "n_latent": 2, "n_numeric": 8, "n_categorical": 0, "n_values": 8, "cells": "column",
    "unexplained_variance": 0.1, "unexplained_categories": math.nan, "pca_unexplained_variance": 0.2,
    "unexplained_standard_error": 0.01, "reconstruction": 3.0, "categorical_reconstruction": math.nan,
    "baseline": 11.0, "categorical_baseline": math.nan, "kl": math.nan, "negative_elbo": math.nan,
    "gain_standard_error": 0.1, "training_gain": 8.2, "code_scale": [1.0, 0.8],
    "held_out": True, "ended": "early_stopping", "epochs": 60, "max_epochs": 100, "best_epoch": 40,
    "late_gain": 0.01, "recipe": "Recipe(Deterministic; reconstruction)",
}  # fmt: skip
VARIATIONAL = PLAIN | {
    "kl": 4.0, "negative_elbo": 7.5, "kl_per_dimension": [2.0, 2.0], "active_units": 2, "recipe": "Recipe(Sampled; ...)"
}  # fmt: skip
MIXED = PLAIN | {
    "n_numeric": 5, "n_categorical": 6, "n_values": 40, "unexplained_variance": 0.003, "unexplained_categories": 0.59,
    "categorical_reconstruction": 4.0, "categorical_baseline": 7.0,
}  # fmt: skip


def advice(base=PLAIN, **changes):
    return advise(Summary(**base | changes))


def said(base=PLAIN, **changes):
    return " ".join(advice(base, **changes))


def test_a_good_fit_needs_few_words():
    assert advice() == [
        "With 2 latent dimensions, the model keeps 90.0% of the variance, measured on 200 held-out examples.",
        "Given the code, an example takes 3.0 nats, the code itself not counted; the same likelihood without a code "
        "needs 11.0; lower is better.",
        "PCA with 2 components keeps 80.0% of the variance: the model leaves 0.50 times as much unexplained as PCA.",
        "Early stopping ended training after 60 of 100 epochs: the weights of epoch 40, the best on held-out examples, "
        "were kept.",
    ]


def test_the_headline_says_which_columns_it_counts():
    headline = advice(MIXED)[0]
    assert "keeps 99.7% of the variance of the 5 numeric columns and makes 41% fewer errors in the 6 cat" in headline
    assert "egorical columns than always predicting the most frequent value" in headline
    only = advice(MIXED, n_numeric=0, unexplained_variance=math.nan)[0]
    assert "the model makes 41% fewer errors than always" in only and "variance" not in only
    assert "numeric" not in advice()[0]


@pytest.mark.parametrize(
    ("changes", "figures"),
    [
        ({}, [("keeps", "99.7%"), ("makes", "41%")]),
        ({"unexplained_variance": 1.3, "unexplained_categories": 1.2}, [("keeps", "nothing"), ("makes", "no")]),
        ({"unexplained_variance": 0.9998}, [("keeps", "nothing"), ("makes", "41%")]),
        ({"unexplained_variance": 1e-5, "unexplained_categories": 0.0}, [("keeps", "over 99.9%"), ("makes", "100%")]),
        ({"unexplained_variance": 0.0, "unexplained_categories": 0.999}, [("keeps", "100.0%"), ("makes", "no")]),
        ({"unexplained_variance": math.nan, "unexplained_categories": math.nan}, []),
    ],
)
def test_what_is_kept(changes, figures):
    assert [share[:2] for share in kept(Summary(**MIXED | changes))] == figures


def test_training_rows_are_not_called_held_out():
    headline = advice(held_out=False)[0]
    assert "200 training examples (none were held out)" in headline


@pytest.mark.parametrize(
    ("changes", "undertrained"),
    [
        ({"ended": "max_epochs", "epochs": 2, "max_epochs": 2, "best_epoch": 2, "late_gain": 4.0}, True),
        ({"ended": "max_epochs", "epochs": 1, "max_epochs": 1, "best_epoch": 1, "late_gain": math.nan}, True),
        ({"ended": "interrupted", "epochs": 5, "max_epochs": 300, "best_epoch": 5, "late_gain": 3.0}, True),
        ({"ended": "interrupted", "epochs": 36, "max_epochs": 300, "best_epoch": 8, "late_gain": 0.0}, False),
        ({"ended": "max_epochs", "epochs": 100, "best_epoch": 99, "late_gain": 0.05}, False),  # the cosine's last bit
        ({"ended": "max_epochs", "baseline": 3.0, "epochs": 20, "best_epoch": 20, "late_gain": 0.04}, False),  # no gain
        ({"ended": "early_stopping"}, False),
        ({"ended": "max_epochs", "epochs": 2, "best_epoch": 2, "late_gain": 4.0, "held_out": False}, False),
    ],
)
def test_too_few_epochs_are_the_only_remedy_where_they_are_the_cause(changes, undertrained):
    changes = {"unexplained_variance": 0.9, "pca_unexplained_variance": 0.3, **changes}
    for base in (PLAIN, VARIATIONAL):
        assert is_undertrained(Summary(**base | changes)) is undertrained
        lines = advice(base, **changes)
        assert ("undertrained" in lines[0]) is undertrained
        assert any("as PCA" in line for line in lines) is not undertrained
        if undertrained:
            assert len(lines) == 3 and lines[1].startswith(("Train for longer", "Let it train"))
            assert lines[2] == "So far the model keeps 10.0% of the variance, measured on 200 held-out examples."


def test_epochs_are_counted_once():
    ended = {"ended": "max_epochs", "late_gain": 4.0}
    assert "ended after 20 epochs." in said(**ended, epochs=20, max_epochs=20, best_epoch=20)
    ended["ended"] = "interrupted"
    assert "was interrupted after 5 of 300 epochs." in said(**ended, epochs=5, max_epochs=300, best_epoch=5)


def test_the_code_is_part_of_the_nats_of_a_variational_model():
    assert "takes 7.5 nats, 4.0 of them for the code itself (KL); the same likelihood" in advice(VARIATIONAL)[1]


def test_an_interrupted_run_past_its_best_is_not_sent_on():
    text = said(ended="interrupted", epochs=36, max_epochs=300, best_epoch=8)
    assert "the weights of epoch 8" in text and "more epochs would hardly help" in text


def test_losing_to_pca_has_a_cause_that_fits_the_recipe():
    worse = {"unexplained_variance": 0.5}
    assert 'use recipe="ae"' in said(VARIATIONAL, **worse)
    assert "wider network" in said(**worse) and "recipe" not in said(**worse)
    assert "Longer training" in said(held_out=False, ended="max_epochs", **worse)


def test_a_linear_code_is_claimed_to_be_enough_only_after_convergence_on_held_out_rows():
    same = {"unexplained_variance": 0.2}
    assert "linear" in said(**same)
    for changes in ({"held_out": False}, {"ended": "interrupted"}):
        assert "linear" not in said(**same, **changes)


def test_pca_of_the_numeric_columns_is_not_set_against_a_code_that_holds_the_others_too():
    text = said(MIXED, unexplained_variance=0.5)
    assert "PCA with 2 components, of the numeric columns alone, keeps 80.0% of the variance of these." in text
    assert "That does not compare with the model" in text and "as PCA" not in text


def test_collapse_agrees_with_what_is_kept():
    nothing = {"kl": 0.02, "active_units": 0, "unexplained_variance": 1.0}
    text = said(VARIATIONAL, **nothing)
    assert "keeps nothing of the variance" in text and "all reconstructions are alike" in text
    told = nothing | {"conditional": True, "unexplained_variance": 0.4}
    assert "comes from the condition" in said(VARIATIONAL, **told)
    spread = said(VARIATIONAL, n_latent=1024, n_values=64, kl=4.0, active_units=0, unexplained_variance=0.72)
    assert "collapsed" not in spread and "alike" not in spread and "smaller n_latent" in spread


def test_unused_and_dead_dimensions():
    assert "n_latent=5 would do" in said(VARIATIONAL, n_latent=8, n_values=20, active_units=5)
    assert "n_latent=3 would do" in said(n_latent=4, n_values=20, code_scale=[1.0, 2.0, 1e-5, 0.5])
    assert "would do" not in said(VARIATIONAL)


def test_a_code_as_large_as_the_example_is_no_bottleneck():
    text = said(n_latent=1024, n_values=64)
    assert "A code of 1,024 numbers is not a bottleneck: an example has 64 free values" in text
    assert "bottleneck" not in said(n_latent=7, n_values=8)


def test_overfitting_is_named():
    text = said(reconstruction=9.0)
    assert (
        "The model overfits" in text and "saves 8.2 nats per training example and only 2.0 per held-out example" in text
    )
    assert "and nothing per held-out example" in said(reconstruction=15.0)
    assert "overfits" not in said(reconstruction=9.0, n_rows=10)
    assert "overfits" not in said(reconstruction=11.2, training_gain=-0.1)  # has learnt nothing
    assert "overfits" not in said(reconstruction=9.0, gain_standard_error=3.0)
    assert "overfits" not in said(reconstruction=9.0, held_out=False)


def test_no_gain_in_nats_is_said_of_the_whole_code():
    assert "do not rely on its scores, or on samples from its prior" in said(VARIATIONAL, negative_elbo=11.5)
    assert "no better than predicting each column by itself, without a code" in said(reconstruction=12.0, n_rows=10)
    assert "no better" not in said()


def test_rare_categories_are_judged_by_nats():
    rare = {"unexplained_categories": 0.99, "categorical_reconstruction": 4.0, "categorical_baseline": 5.5}
    assert "Judge this model by nats" in said(MIXED, **rare)
    assert "Judge" not in said(MIXED, **rare | {"categorical_reconstruction": 5.49})


def test_missing_cells_and_constant_columns():
    text = said(share_missing=0.031, constant_columns=["a", "b"], active_units=-1)
    assert '3.1% of the cells are missing. To fill them in, use recipe="vae", which errs least.' in text
    assert "2 constant columns ('a', 'b') carry no information; they are kept in the output." in text
    assert "fill them in" not in said(share_missing=0.031, active_units=2)  # a variational recipe
    assert "1 constant column ('a') carries no information; it is kept in the output." in said(constant_columns=["a"])


@dataclass(frozen=True)
class PaddedTables(Tables):
    has_missing = False


@pytest.mark.parametrize(("modality", "share"), [(Tables(), 1 / 12), (PaddedTables(), 0.0)])
def test_padding_is_not_called_missing(modality, share):
    X = np.random.default_rng(0).normal(size=(120, 4))
    X[::3, 1] = np.nan
    fitted = Embedder(1, recipe="ae", modality=modality, max_epochs=1, hidden=(4,), random_state=0, n_threads=1).fit(X)
    assert fitted.summary_.share_missing == pytest.approx(share, abs=0.02)
    assert any("are missing" in sentence for sentence in fitted.advice_) == (share > 0)


def test_the_first_example_of_a_table_with_holes():
    rng = np.random.default_rng(0)
    table = pandas.DataFrame({"x": rng.normal(size=100), "y": rng.normal(size=100), "c": list("ab") * 50, "k": 1.0})
    table.loc[::5, "x"] = np.nan
    fitted = Embedder(1, recipe="ae", max_epochs=2, hidden=(8,), random_state=0, n_threads=1).fit(table)
    assert any("of the 2 numeric columns" in line and "in the categorical column" in line for line in fitted.advice_)
    assert "% of the cells are missing" in fitted.advice_[-2]
    assert fitted.advice_[-1].startswith("1 constant column ('k')")


@pytest.mark.parametrize(
    ("python", "shell", "changes"),
    [
        ("max_epochs=8", "--max-epochs 8", {"ended": "max_epochs", "epochs": 2, "max_epochs": 2, "best_epoch": 2}),
        ("n_latent=5", "--n-latent 5", {"n_latent": 8, "n_values": 20, "active_units": 5, "kl": 4.0}),
        ("smaller n_latent", "smaller --n-latent", {"reconstruction": 9.0}),
        ('recipe="vae kl=0.1"', '--recipe "vae kl=0.1"', {"kl": 0.02, "active_units": 0}),
        ("hidden=(512, 512)", "--hidden 512 512", {"unexplained_variance": 0.5}),
        ('recipe="vae"', "--recipe vae", {"share_missing": 0.1, "active_units": -1}),
    ],
)  # fmt: skip
def test_python_is_told_arguments_and_the_shell_options(python, shell, changes):
    text = said(**changes)
    assert python in text and "--" not in text
    assert shell in in_shell_words(text) and python not in in_shell_words(text)
