"""Input that is hardly meant as it stands: what is said of it, and what is made of it."""

import base64
import re

import numpy as np
import pandas
import polars
import pyarrow
import pytest
from sklearn.base import clone

import hourglass
from hourglass import Embedder, Images, readers, report
from hourglass.comparison import compare
from hourglass.estimators import FitInterrupted
from hourglass.variants import AE, GaussianNoise

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
PICTURES = RNG.integers(0, 16, (40, 6, 5)).astype(np.uint8)


def unfitted(**options):
    return Embedder(**{"n_latent": 2, "max_epochs": 2, "hidden": (6,), "n_threads": 1, "random_state": 0, **options})


def test_one_cell_that_outweighs_a_column():
    table = X.copy()
    table[5, 2] = 1e6
    with pytest.warns(UserWarning, match=r"column 'x2': a single cell, 1e\+06, makes up 100% of its variance.*correct"):
        unfitted().fit(table)


@pytest.mark.parametrize("pictures", [PICTURES / 16, PICTURES.astype(np.uint16) * 257, PICTURES - 200.0])
def test_pictures_in_other_units(pictures):
    fitted = unfitted().fit(PICTURES)
    with pytest.warns(UserWarning, match=r"levels from .* fitted on uint8 from 0 to 15: give pictures in the same"):
        fitted.transform(pictures)


def test_pictures_whose_channels_lie_elsewhere_than_at_fit():
    colour = np.stack([PICTURES, PICTURES // 2, 15 - PICTURES], -1)
    fitted = unfitted().fit(colour)
    np.testing.assert_array_equal(fitted.transform(np.moveaxis(colour, -1, 1)), fitted.transform(colour))
    assert fitted.reconstruct(np.moveaxis(colour, -1, 1)).shape == colour.shape
    grey = unfitted().fit(PICTURES)
    np.testing.assert_array_equal(grey.transform(PICTURES[..., None]), grey.transform(PICTURES[:, None]))
    with pytest.raises(ValueError, match=r"of shape \(4, 6, 5\).*fitted on \(3, 6, 5\)"):
        fitted.transform(np.zeros((2, 6, 5, 4)))


@pytest.mark.filterwarnings("error::UserWarning")
def test_pictures_of_another_type_in_the_same_units():
    fitted = unfitted().fit(PICTURES)
    for other in (PICTURES.astype(np.int64), PICTURES.astype(np.float32), np.zeros_like(PICTURES)):
        fitted.transform(other)


@pytest.mark.filterwarnings("error::UserWarning")
def test_categories_that_a_reader_takes_for_numbers():
    texts = pandas.DataFrame({"code": ["1", "2", "3", "A"] * 10, "flag": ["True", "False", "unknown", "True"] * 10})
    fitted = unfitted().fit(texts)
    again = pandas.DataFrame({"code": [1, 2, 3], "flag": [True, False, True]})
    as_texts = pandas.DataFrame({"code": ["1", "2", "3"], "flag": ["True", "False", "True"]})
    np.testing.assert_array_equal(fitted.transform(again), fitted.transform(as_texts))


def test_a_column_of_nothing_stays_empty():
    table = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "nothing": np.nan})
    table.loc[3, "a"] = np.nan
    fitted = unfitted().fit(table)
    assert np.isfinite(fitted.transform(table)).all()
    full = fitted.impute(table)
    assert full["a"].notna().all()
    assert full["nothing"].isna().all()
    assert fitted.sample(5)["nothing"].isna().all()


def test_whole_numbers_beyond_those_of_a_double():
    table = pyarrow.table({"id": pyarrow.array([2**53 + 1 + i for i in range(40)]), "a": X[:, 0]})
    assert np.isfinite(unfitted().fit_transform(table)).all()


def test_a_condition_far_from_what_was_seen():
    fitted = unfitted().fit(X, condition=X[:, 0] + 0.5)
    with pytest.warns(UserWarning, match=r"condition: 'x0' lay between .* and is far outside now"):
        fitted.sample(2, condition=1000.0)


def test_the_index_of_a_frame_is_kept():
    frame = pandas.DataFrame(X, columns=list("abcd")).sample(frac=1, random_state=0)
    fitted = unfitted().fit(frame)
    assert fitted.reconstruct(frame).index.equals(frame.index)


def test_the_clone_of_a_loaded_estimator_takes_other_data(tmp_path):
    unfitted().fit(X).save(tmp_path / "inferred")
    assert clone(hourglass.load(tmp_path / "inferred")).fit(PICTURES).modality_.name == "images"
    unfitted(modality=Images(binarise="dynamic")).fit(PICTURES).save(tmp_path / "given")
    assert clone(hourglass.load(tmp_path / "given")).fit(PICTURES[:20]).modality_.binarise == "dynamic"


def test_parts_of_a_recipe_that_are_none():
    with pytest.raises(TypeError, match=r"must be a Term: for a function of your own, Term\(function"):
        AE.with_term(lambda trip, model: trip.z.square().sum(1))
    with pytest.raises(TypeError, match=r"must be a value of a dataclass, such as GaussianNoise\(\)"):
        AE.with_corruption(GaussianNoise)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hidden": 64}, r"hidden=64 must be a tuple"),
        ({"learning_rate": "1e-3"}, r"learning_rate='1e-3' must be a pos"),
    ],
)
def test_options_of_another_type(options, says):
    with pytest.raises(ValueError, match=says):
        unfitted(**options).fit(X)


def test_an_interrupted_fit_is_not_compared(tmp_path, monkeypatch):
    fit = Embedder.fit

    def interrupted(self, *arguments, **options):
        fit(self, *arguments, **options)
        raise FitInterrupted("Ctrl-C")

    options = {"recipes": ["ae"], "n_latents": [1], "folder": tmp_path, "max_epochs": 1, "hidden": (4,)}
    monkeypatch.setattr(Embedder, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare(X, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("age;height, m;job\n31;1,75;cook\n40;1,80;smith\n", ["age", "height, m", "job"]),
        ("age\theight\n31\t1.75\n40\t1.80\n", ["age", "height"]),
        ("a|b\n1|2\n3|4\n", ["a", "b"]),
        ("a;b (x,y);c\n1;2;3\n4;5;6\n", ["a", "b (x,y)", "c"]),
        ("said\nyes\nno\n", ["said"]),
    ],
)
def test_what_separates_the_fields(tmp_path, text, columns):
    (tmp_path / "data.csv").write_text(text)
    data = readers.read(tmp_path / "data.csv")
    assert list(data.columns) == columns
    assert len(data) == 2


def test_decimal_commas(tmp_path):
    (tmp_path / "data.csv").write_text("age;height;job\n31;1,75;a,b\n40;;c\n50;-1;d\n")
    table = readers.read(tmp_path / "data.csv").X
    assert table.column("height").to_pylist() == [1.75, None, -1.0]
    assert table.column("job").to_pylist() == ["a,b", "c", "d"]


def test_a_lazy_frame_and_a_column_of_intervals():
    frame = pandas.DataFrame(X, columns=list("abcd"))
    lazy = polars.from_pandas(frame).lazy()
    np.testing.assert_array_equal(unfitted().fit(lazy).transform(lazy), unfitted().fit_transform(frame))
    with pytest.warns(UserWarning, match=r"neither numbers nor texts.*astype\(str\)"):
        unfitted().fit(frame.assign(a=pandas.cut(frame["a"], 3)))


def test_the_index_that_pandas_writes_is_left_out(tmp_path):
    pandas.DataFrame(X, columns=list("abcd"))[::-1].to_csv(tmp_path / "data.csv")
    with pytest.warns(UserWarning, match="first column, which has no name and numbers the rows"):
        assert list(readers.read(tmp_path / "data.csv").columns) == list("abcd")


def test_a_dollar_sign_in_a_name(tmp_path):
    frame = pandas.DataFrame(X, columns=["price $ \\frac net $", "a $_$ b", "c", "d"])
    page = report.write(unfitted().fit(frame), frame, tmp_path / "page.html").read_text()
    figures = [base64.b64decode(f).decode() for f in re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page)]
    assert any("$_$" in figure for figure in figures)
