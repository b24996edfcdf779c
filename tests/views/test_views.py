"""Every kind of data has a view, whose cells are those that the model sees."""

import math

import numpy as np
import pandas as pd
import pytest

from hourglass import views
from hourglass.modalities import MODALITIES, Images, Tables

PEOPLE = pd.DataFrame(
    {
        "age": [31.5, 40.0, math.nan, 20.0] * 6,
        "job": ["cook", None, "nurse", "smith"] * 6,
        "yes": ["no", "yes", "yes", None] * 6,
        "tall": [0.0, 1.0, 1.0, math.nan] * 6,
        "code": [101.0, 250.0, 17.0, 101.0] * 6,
        "visits": [0.0, 3.0, 7.0, 1.0] * 6,
    }
)
SHADES = np.random.default_rng(0).integers(3, 200, (5, 3, 6, 7)).astype(np.uint8)


@pytest.mark.parametrize("name", MODALITIES)
def test_every_kind_of_data_has_a_view(name):
    assert name in views.VIEWS


def test_cells_are_the_raw_values_of_the_model():
    modality = Tables(categories=["code"], counts=["visits"]).infer(PEOPLE)
    raw = modality.examples(PEOPLE).rows()
    cells = views.view_of(modality)(modality.restore(raw))
    np.testing.assert_array_equal(cells.values, raw.double().numpy())
    assert cells.names == tuple(PEOPLE.columns)
    assert cells.texts(0) == ["31.5", "cook", "no", "0", "101", "0"]
    assert cells.texts(2)[0] == "missing"
    assert cells[np.array([1, 3])].texts(1) == ["20", "smith", "missing", "missing", "101", "1"]


def test_a_reconstruction_between_two_values_keeps_its_place():
    modality = Tables().infer(PEOPLE)
    raw = modality.examples(PEOPLE[:1]).rows()
    raw[0, 3] = 0.36
    cells = views.view_of(modality)(modality.restore(raw))
    assert cells.values[0, 3] == pytest.approx(0.36)
    assert cells.texts(0)[3] == "0 (64%)"


def test_a_category_that_is_new_keeps_its_name():
    modality = Tables().infer(PEOPLE)
    cells = views.view_of(modality)(PEOPLE.assign(job="juggler", tall=[0.0, 1.0, 5.0] * 8))
    assert np.isinf(cells.values[:, 1]).all()
    assert cells[np.array([2])].texts(0)[1::2][:2] == ["juggler (new)", "5"]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_pictures_in_another_layout_than_at_fit_are_the_same(layout):
    modality = Images().infer(SHADES)
    X = SHADES if layout == "NCHW" else np.moveaxis(SHADES, 1, -1)
    np.testing.assert_array_equal(views.view_of(modality)(X).levels, SHADES)
    with pytest.raises(ValueError, match="the model was fitted on"):
        views.view_of(modality)(SHADES[:, :, :4])


def test_booleans_are_true_or_false():
    modality = Tables().infer(pd.DataFrame({"ill": [True, False] * 10, "size": np.arange(20.0)}))
    assert [modality.columns[0].text(v) for v in (1.0, 0.0, 0.36)] == ["true", "false", "false (64%)"]


@pytest.mark.parametrize(
    "value, text", [(1234.5, "1234"), (0.12345, "0.123"), (45678.9, "45,679"), (2e9, "2e+09"), (math.nan, "missing")]
)
def test_numbers_are_said_to_three_digits(value, text):
    assert Tables().infer(PEOPLE).columns[0].text(value) == text


@pytest.mark.parametrize("layout", ["NHW", "NCHW", "NHWC"])
def test_pictures_are_shown_from_black_to_white_in_every_layout(layout):
    X = {"NHW": SHADES[:, 0], "NCHW": SHADES, "NHWC": np.moveaxis(SHADES, 1, -1)}[layout]
    modality = Images().infer(X)
    pictures = views.view_of(modality)(modality.restore(modality.examples(X).rows()))
    rgb = pictures.rgb
    assert rgb.shape == (5, 6, 7, 3)
    assert (rgb.min(), rgb.max()) == (0, 1)
    shown = SHADES[:, :1] if layout == "NHW" else SHADES
    np.testing.assert_array_equal(pictures.levels, shown)
    np.testing.assert_array_equal(pictures.pixels, shown)
    assert len(pictures[np.array([4, 0])]) == 2


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_pictures_of_any_number_of_channels_are_shown(channels):
    rgb = views.Pictures(np.full((2, channels, 3, 3), 51.0)).rgb
    np.testing.assert_allclose(rgb, np.full((2, 3, 3, 3), 0.2))
