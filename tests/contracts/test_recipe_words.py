"""Recipes as values and in words: terms by their names, corruptions one after the other."""

import dataclasses

import pytest

from hourglass import variants
from hourglass.estimators.names import named_recipe
from hourglass.recipe import Term
from hourglass.storage import recipe_to_json
from hourglass.variants import (
    AE,
    BETA_VAE,
    RECIPES,
    VAE,
    GaussianNoise,
    Masking,
    RandomAffine,
    contraction,
)


@pytest.mark.parametrize(
    ("words", "recipe"),
    [
        ("vae", VAE),
        ("vae kl=1", VAE),
        ("VAE  kl=4", BETA_VAE),
        ("vae contraction=0.1", VAE.with_term(contraction, weight=0.1)),
        ("ae randomaffine GaussianNoise=1", AE.with_corruption(RandomAffine(), GaussianNoise(1.0))),
        ("denoising GaussianNoise=2", AE.with_corruption(GaussianNoise(2.0))),
        ("denoising Masking", AE.with_corruption(GaussianNoise(0.3), Masking())),
    ],
)
def test_a_recipe_in_words(words, recipe):
    assert repr(named_recipe(words)) == repr(recipe)
    assert recipe_to_json(named_recipe(words)) == recipe_to_json(recipe)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("vea kl=1", "did you mean vae"),
        ("", "Known: "),
        ("vae kll=1", "did you mean kl"),
        ("vae kl=0.1 KL=0.2", "says kl twice"),
        ("vae kl", "kl= needs a number of at least 0"),
        ("vae kl=one", "kl=one needs a number"),
        ("vae kl=nan", "kl=nan needs a number"),
        ("ae Masking=-1", "Masking=-1 needs a number"),
        ("ae SaltAndPepper=1.5", r"SaltAndPepper\(rate=1.5\): rate must be at least 0 and at most 1"),
    ],
)
def test_a_recipe_in_wrong_words(words, says):
    with pytest.raises(ValueError, match=says):
        named_recipe(words)


def test_with_term_replaces_the_term_of_that_name():
    assert [t.name for t in VAE.with_term(variants.kl, weight=2.0).terms] == ["reconstruction", "kl"]
    assert VAE.with_term(variants.kl, weight=1.0) == VAE
    assert repr(RECIPES["beta_vae"]) == "Recipe(Sampled; prior Standard; reconstruction + 4 kl)"


def test_two_terms_of_one_name_are_refused():
    other = Term(lambda trip, model: trip.z.flatten(1).sum(1), name="kl")
    with pytest.raises(ValueError, match=r"two terms are called 'kl'.*give one another name"):
        dataclasses.replace(VAE, terms=(*VAE.terms, other))
    assert [term.name for term in VAE.with_term(other).terms] == ["reconstruction", "kl"]  # takes the place


def test_no_two_terms_of_the_zoo_share_a_name():
    """Saved recipes find a term by its name."""
    for recipe in RECIPES.values():
        for term in recipe.terms:
            assert variants.TERMS[term.name].measure is term.measure
