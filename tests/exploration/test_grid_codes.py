"""Codes with axes of their own: what works on them works, and what is of one code per example says so."""

import numpy as np
import pytest
from example_recipes import GRID_AE, GRID_VAE, SHALLOW, GridImages, ShallowImages

from hourglass import Embedder, exploration, report
from hourglass.exploration.maps import map_of_codes

PICTURES = (np.random.default_rng(0).random((40, 8, 6)) * 255).astype(np.uint8)
KINDS = {"ae": (GRID_AE, GridImages()), "vae": (GRID_VAE, GridImages()), "shallow": (SHALLOW, ShallowImages())}


def fitted(name, n_latent=2):
    recipe, modality = KINDS[name]
    options = {"max_epochs": 1, "batch_size": 16, "random_state": 0, "n_threads": 1}
    return Embedder(n_latent, recipe=recipe, modality=modality, **options).fit(PICTURES)


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_codes_on_a_grid_are_decoded_and_sampled(name):
    estimator = fitted(name)
    codes = estimator.transform(PICTURES)
    assert codes.shape == (40, 2, 4, 3)
    assert estimator.inverse_transform(codes).shape == PICTURES.shape
    assert estimator.sample(3, random_state=0).shape == (3, 8, 6)
    assert map_of_codes(codes).points.shape == (40, 2)


def test_what_is_of_one_code_per_example_says_so():
    estimator = fitted("ae")
    code = np.zeros(2)
    for look in (
        lambda: exploration.traversal(estimator, 0),
        lambda: exploration.manifold(estimator),
        lambda: exploration.interpolate(estimator, code, code),
        lambda: exploration.code_quantiles(estimator, [0.5]),
    ):
        with pytest.raises(ValueError, match=r"the codes of this model lie on a grid \(4 x 3\)"):
            look()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ae", "the codes of this model lie on a grid (4 × 3)"),
        ("vae", "the codes of this model lie on a grid (4 × 3)"),
        ("shallow", "features of the example go past the code"),
    ],
)
def test_a_report_leaves_out_what_such_codes_do_not_have_and_says_why(name, reason, tmp_path, monkeypatch):
    for module in ("hourglass.report.page.picture", "hourglass.report.figures.picture"):
        monkeypatch.setattr(module, lambda figure, text: "")
    page = report.write(fitted(name), PICTURES, tmp_path).read_text()
    assert f"Left out: {reason}" in page
    assert ("Left out: " in page.split('id="samples"')[1]) == (name == "shallow")


def test_the_advice_counts_the_numbers_of_the_code():
    estimator = fitted("vae")
    assert estimator.summary_.code_size == 2 * 4 * 3
    assert not [line for line in estimator.advice_ if "would do" in line]
