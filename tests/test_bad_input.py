"""What bad input gets: an error that names the argument, the value seen and the remedy, or a way on that is said."""

import warnings

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
import torch

from hourglass import Embedder, Images, Tables

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
FRAME = pandas.DataFrame({"load": X[:, 0], "kind": ["a", "b", "c", "d"] * 10, "flag": [0.0, 1.0] * 20})
PICTURES = RNG.integers(0, 255, (40, 6, 5)).astype(np.uint8)


pytestmark = pytest.mark.filterwarnings("ignore:column '(kind|flag)' holds")


def unfitted(**options):
    return Embedder(**{"n_latent": 2, "max_epochs": 2, "hidden": (6,), "n_threads": 1, "random_state": 0, **options})


@pytest.fixture(scope="module")
def table():
    return unfitted().fit(X)


@pytest.fixture(scope="module")
def mixed():
    return unfitted().fit(FRAME)


@pytest.fixture(scope="module")
def pictures():
    return unfitted().fit(PICTURES)


@pytest.fixture(scope="module")
def conditional():
    return unfitted().fit(X, condition=FRAME["kind"])


def with_cell(value, row=7, column=2, of=X):
    changed = np.array(of, dtype=float)
    changed[row, column] = value
    return changed


METHODS = ["fit", "transform", "reconstruct", "score_samples", "score", "impute"]


# ---- cells -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_in_a_table_names_row_and_column(method, value, table):
    call = unfitted().fit if method == "fit" else getattr(table, method)
    with pytest.raises(ValueError, match=rf"column 'x2', row 7 is {value}.*infinity.*NaN"):
        call(with_cell(value))
    with pytest.raises(ValueError, match=rf"column 'x2', row 7 is {value}"):
        call(torch.from_numpy(with_cell(value)))


@pytest.mark.parametrize("kind", [pandas.DataFrame, polars.DataFrame, pyarrow.table], ids=["pandas", "polars", "arrow"])
def test_infinity_in_a_frame_names_the_column_by_its_name(kind):
    frame = kind({"a": [1.0, 2.0, 3.0], "heart rate": [60.0, np.inf, 70.0]})
    with pytest.raises(ValueError, match=r"column 'heart rate', row 1 is inf"):
        unfitted().fit(frame)


def test_missing_cells_of_a_table_are_no_error_even_where_there_were_none_at_fit(table, mixed):
    seen = with_cell(np.nan)
    assert np.isfinite(table.transform(seen)).all()
    assert np.isfinite(table.score_samples(seen)).all()
    filled = table.impute(seen)
    assert np.isfinite(filled).all()
    np.testing.assert_allclose(np.delete(filled, 7, 0), np.delete(X, 7, 0), rtol=1e-6)
    holed = FRAME.copy()
    holed.loc[3, "load"], holed.loc[4, "kind"], holed.loc[5, "flag"] = np.nan, None, np.nan
    assert np.isfinite(mixed.transform(holed)).all() and np.isfinite(mixed.score_samples(holed)).all()
    assert not mixed.impute(holed).isna().any().any()


def test_a_row_of_which_nothing_is_known_and_a_column_of_which_nothing_is():
    holed = X.copy()
    holed[3] = np.nan
    estimator = unfitted().fit(holed)
    assert np.isfinite(estimator.transform(holed)).all()
    assert np.isfinite(estimator.impute(holed)).all()
    holed = X.copy()
    holed[:, 1] = np.nan
    estimator = unfitted().fit(holed)
    assert estimator.summary_.constant_columns == ["x1"]
    assert np.isfinite(estimator.transform(holed)).all()
    for empty in ([None] * 40, pandas.Series([None] * 40, dtype="string"), np.full(40, np.nan)):
        frame = FRAME.assign(empty=empty)
        estimator = unfitted().fit(frame)
        assert estimator.summary_.constant_columns == ["empty"]
        assert np.isfinite(estimator.transform(frame)).all()
        assert unfitted().fit(frame).sample(2, random_state=0).shape == (2, 4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("method", [m for m in METHODS if m != "impute"])
def test_nan_and_infinity_in_pictures_name_the_pixel(method, value, pictures):
    bad = PICTURES.astype(float)
    bad[3, 2, 1] = value
    call = unfitted().fit if method == "fit" else getattr(pictures, method)
    with pytest.raises(ValueError, match=rf"X\[3, 2, 1\] is {value}; pictures must hold finite numbers"):
        call(bad)


def test_texts_in_pictures_and_mixed_columns_are_a_type_error():
    with pytest.raises(TypeError, match=r"an array of numbers is needed, got dtype <U1"):
        unfitted(modality="images").fit(np.full((10, 4, 4), "a"))
    with pytest.raises(TypeError, match=r"mixed types|str"):
        unfitted().fit(pandas.DataFrame({"a": [1, "x"] * 20, "b": X[:, 0]}))
    with pytest.raises(TypeError, match=r"must be a string or a number, not dict"):
        unfitted().fit(np.array([[{"a": 1}, 2.0]] * 20, dtype=object))
    with pytest.raises((TypeError, ValueError), match=r"[Cc]omplex"):
        unfitted().fit(X + 1j)


def test_texts_where_there_were_numbers_and_numbers_where_there_were_texts(mixed):
    with pytest.raises(ValueError, match=r"column 'flag', row 1 holds 'yes', a text where there were numbers at fit"):
        mixed.transform(FRAME.assign(flag=[None, "yes"] * 20))
    with pytest.raises(ValueError, match=r"column 'load', row 0 holds 'high', a text where there were numbers at fit"):
        mixed.transform(FRAME.assign(load="high"))
    with pytest.raises(ValueError, match=r"column 'load', row 27 holds '\?!'"):  # the one that is not a number
        mixed.transform(FRAME.assign(load=["0.5"] * 27 + ["?!"] + ["2"] * 12))
    with pytest.warns(UserWarning, match=r"column 'kind' holds 4\.0, which was not there at fit; 40 such cells"):
        mixed.transform(FRAME.assign(kind=4.0))


def test_a_count_that_is_none():
    counts = RNG.poisson(2.0, (40, 2)).astype(float)
    with pytest.raises(ValueError, match=r"column 'x1' is declared a count and holds 0\.5; give 0, 1, 2"):
        unfitted(modality=Tables(counts=("x1",))).fit(with_cell(0.5, column=1, of=counts))
    with pytest.raises(ValueError, match=r"counts='x9' is not a column of X; its columns are x0, x1"):
        unfitted(modality=Tables(counts=("x9",))).fit(counts)
    fitted = unfitted(modality=Tables(counts=("x1",))).fit(counts)
    with pytest.raises(ValueError, match=r"'x1' is declared a count and holds -1"):
        fitted.transform(with_cell(-1, column=1, of=counts))


def test_a_declared_category_that_is_none():
    with pytest.raises(TypeError, match=r"categories='x1' must be a list of names: \['x1'\]"):
        Tables(categories="x1")
    with pytest.raises(ValueError, match=r"'x1' is declared a category and holds more than 1000 different numbers"):
        unfitted(modality=Tables(categories=("x1",))).fit(RNG.normal(size=(1200, 2)))


# ---- categories --------------------------------------------------------------------------------------------------


def test_an_unseen_category_warns_and_is_taken_as_missing(mixed):
    strange, missing = FRAME.copy(), FRAME.copy()
    strange.loc[3, "kind"], missing.loc[3, "kind"] = "zebra", None
    strange.loc[4, "flag"], missing.loc[4, "flag"] = 0.5, np.nan
    with pytest.warns(
        UserWarning, match=r"'kind' holds 'zebra', which was not there at fit; 1 such cells are taken as"
    ):
        codes = mixed.transform(strange)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = mixed.transform(missing)
    np.testing.assert_array_equal(codes, expected)
    with pytest.warns(UserWarning, match="zebra"):
        assert np.isfinite(mixed.score_samples(strange)).all()
    with pytest.warns(UserWarning, match="zebra"):
        filled = mixed.impute(strange)
    assert filled["kind"][3] == "zebra" and filled["flag"][4] == 0.5  # what is not missing is left as it is
    assert set(filled["kind"].drop(3)) <= set("abcd") and set(filled["flag"].drop(4)) <= set(FRAME["flag"])


def test_a_column_of_identifiers_is_named():
    names = [f"n{k}" for k in range(1200)]
    with pytest.warns(UserWarning, match=r"nothing is learned from 'name' \(identifier\)"):
        unfitted().fit(pandas.DataFrame({"name": names, "x": np.arange(1200.0)}))
    with pytest.raises(ValueError, match=r"column 'name' holds nothing to learn from \(identifier\)"):
        unfitted().fit(pandas.DataFrame({"name": names}))


# ---- shapes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [m for m in METHODS if m != "fit"])
def test_another_number_of_columns_since_fit(method, table, mixed):
    with pytest.raises(ValueError, match=r"X has 3 features, but Embedder is expecting 4 features"):
        getattr(table, method)(X[:, :3])
    with pytest.raises(ValueError, match=r"(?s)feature names.*missing.*- flag"):
        getattr(mixed, method)(FRAME[["load", "kind"]])
    with pytest.raises(ValueError, match=r"(?s)unseen at fit time.*- speed"):
        getattr(mixed, method)(FRAME.rename(columns={"load": "speed"}))


def test_arrow_and_polars_tables_are_checked_by_name_too():
    for kind in (pyarrow.Table.from_pandas, polars.from_pandas):
        frame = kind(FRAME)
        fitted = unfitted().fit(frame)
        with pytest.raises(ValueError, match=r"flag|2 features"):
            fitted.transform(frame.select(["load", "kind"]))
        with pytest.raises(ValueError, match=r"(?s)order|not where it was"):
            fitted.transform(frame.select(["kind", "load", "flag"]))


def test_a_column_under_two_names_and_two_under_one():
    twice = pandas.DataFrame(X[:, :2], columns=["a", "a"])
    with pytest.raises(ValueError, match=r"the column name 'a' occurs 2 times"):
        unfitted().fit(twice)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("fit", "impute")])
def test_another_shape_of_pictures_since_fit(method, pictures):
    with pytest.raises(ValueError, match=r"shape \(1, 7, 5\).*but the model was fitted on \(1, 6, 5\): resize"):
        getattr(pictures, method)(np.zeros((3, 7, 5), np.uint8))
    with pytest.raises(ValueError, match=r"X has shape \(3, 30\); pictures are \(N, H, W\).*reshape"):
        getattr(pictures, method)(np.zeros((3, 30), np.uint8))


def test_tables_of_one_and_of_five_dimensions():
    with pytest.raises(ValueError, match=r"1D array|[Rr]eshape"):
        unfitted().fit(X[:, 0])
    with pytest.raises(ValueError, match=r"dim"):
        unfitted(modality="tables").fit(np.zeros((4, 2, 2, 2, 2)))
    with pytest.raises(ValueError, match=r"X has shape \(40, 4\); pictures are"):
        unfitted(modality="images").fit(X)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (np.zeros((5, 3)), r"Z has shape \(5, 3\); codes of this model are \(N, 2\)"),
        (np.zeros(2), r"Z has shape \(2,\); codes of this model are \(N, 2\)"),
        (np.full((5, 2), np.nan), r"Z holds NaN or infinity; codes must be finite"),
    ],
)
def test_codes_that_are_none(bad, says, table):
    with pytest.raises(ValueError, match=says):
        table.inverse_transform(bad)


# ---- empty and constant ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("empty", "says"),
    [
        (np.zeros((0, 4)), r"0 sample"),
        (np.zeros((4, 0)), r"0 feature"),
        (np.zeros((0, 6, 5)), r"0 sample.*minimum of 1"),
        (FRAME[:0], r"0 (rows|sample)"),
        (FRAME[[]], r"0 (columns|feature)"),
        (pyarrow.table({"a": pyarrow.array([], pyarrow.float64())}), r"has 0 rows"),
        (polars.DataFrame({"a": []}), r"0 (rows|sample)"),
        (X[:1], r"1 sample.*at least two"),
        ([], r"empty|1D array|0 sample"),
    ],
    ids=["rows", "columns", "pictures", "pandas", "pandas columns", "arrow", "polars", "one row", "list"],
)
def test_empty_data(empty, says):
    with pytest.raises(ValueError, match=says):
        unfitted().fit(empty)


def test_one_picture_is_too_few_and_two_are_enough():
    with pytest.raises(ValueError, match=r"1 picture.*at least two"):
        unfitted().fit(PICTURES[:1])
    assert unfitted().fit(PICTURES[:2]).transform(PICTURES[:2]).shape == (2, 2)
    assert unfitted().fit(X[:2]).transform(X[:2]).shape == (2, 2)


@pytest.mark.parametrize("recipe", ["ae", "vae", "contractive"])
def test_a_constant_column_is_kept_and_reported(recipe):
    constant = np.column_stack([X, np.full(40, 3.25)])
    estimator = unfitted(recipe=recipe, max_epochs=20).fit(constant)
    assert estimator.summary_.constant_columns == ["x4"]
    assert any("x4" in line for line in estimator.advice_)
    made = estimator.reconstruct(constant)
    assert made.shape == (40, 5) and np.isfinite(made).all()
    column = estimator.modality_.columns[4]
    assert (column.scale, column.offset, column.constant) == (1.0, 3.25, True)
    assert np.isfinite(estimator.score(constant))
    np.testing.assert_array_equal(made[:, 4], constant[:, 4])
    changed = constant.copy()
    changed[3, 4] = 4.25  # what never changed and now does is seen
    assert (estimator.score_samples(changed) < estimator.score_samples(constant) - 1).tolist() == [
        i == 3 for i in range(40)
    ]
    assert np.isfinite(unfitted(recipe=recipe, variance="feature", max_epochs=20).fit(constant).score(constant))


def test_constant_pixels_are_no_matter():
    bordered = np.pad(PICTURES, ((0, 0), (1, 1), (1, 1)))
    assert np.isfinite(unfitted().fit(bordered).score(bordered))


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_only_all_constant_data_raise(value):
    with pytest.raises(ValueError, match=r"every column of X is constant; there is nothing to learn"):
        unfitted().fit(np.full((30, 3), value))
    with pytest.raises(ValueError, match=rf"every pixel of X is {value:g}; there is nothing to learn"):
        unfitted().fit(np.full((30, 3, 3), value))


# ---- parameters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"recipe": "beta-vae"}, r"recipe='beta-vae' is unknown; did you mean beta_vae"),
        ({"recipe": "sprase"}, r"recipe='sprase' is unknown; did you mean sparse"),
        ({"recipe": "qqq"}, r"recipe='qqq' is unknown; Known: .*beta_vae"),
        ({"modality": "pictures"}, r"modality='pictures': 'pictures' is unknown; known: .*images, .*tables"),
        ({"likelihood": "poisson"}, r"likelihood='poisson' is not for tables; choose gaussian"),
        ({"likelihood": "bernoulli"}, r"likelihood='bernoulli' needs columns with two values; 'x0' has more"),
        ({"variance": "pixel"}, r"variance='pixel' is unknown; choose 'shared', 'partial', 'feature' or"),
        ({"variance": -1.0}, r"variance=-1\.0.*positive"),
        ({"activation": "swish"}, r"activation='swish' is unknown; choose one of silu"),
        ({"network": "resnet"}, r"network='resnet'.*'mlp'"),
        ({"n_latent": 0}, r"n_latent=0 must be a whole number of at least 1"),
        ({"n_latent": "two"}, r"n_latent='two' must be a whole number of at least 1"),
        ({"max_epochs": 0}, r"max_epochs=0 must be a whole number of at least 1"),
        ({"max_epochs": 2.5}, r"max_epochs=2\.5 must be a whole number"),
        ({"batch_size": -4}, r"batch_size=-4 must be"),
        ({"patience": 0}, r"patience=0 must be"),
        ({"learning_rate": 0.0}, r"learning_rate=0\.0 must be a positive number"),
        ({"learning_rate": float("nan")}, r"learning_rate=nan must be a positive number"),
        ({"validation_fraction": 1.0}, r"validation_fraction=1\.0 must be at least 0 and below 1"),
        ({"validation_fraction": "a"}, r"validation_fraction='a' must be at least 0 and below 1"),
        ({"variance": ()}, r"variance=\(\) is unknown; choose 'shared', 'partial', 'feature' or a positive number"),
        ({"n_latent": True}, r"n_latent=True"),
        ({"precision": "float16"}, r"precision='float16' is unknown; choose 'auto', 'float32' or 'bfloat16'"),
        ({"device": "tpu9"}, r"device='tpu9' is unknown; choose 'auto', 'cpu', 'cuda' or 'cuda:N'"),
        ({"device": "cuda:-1"}, r"device='cuda:-1' is unknown; choose"),
        ({"device": "cuda:99"}, r"device='cuda:99', but "),
        ({"n_threads": 0}, r"n_threads=0 must be at least 1"),
        ({"hidden": (8, 0)}, r"hidden=\(8, 0\).*at least 1"),
        ({"n_latent": 2.5}, r"n_latent=2\.5"),
    ],
    ids=lambda v: str(v)[:40] if isinstance(v, dict) else "",
)
def test_parameters_that_cannot_be(options, says):
    with pytest.raises(ValueError, match=says):
        unfitted(**options).fit(X)


def test_a_part_held_out_that_leaves_nothing_to_train_on():
    with pytest.raises(ValueError, match=r"validation_fraction=0\.99 holds out 40 of 40 examples; at least two"):
        unfitted(validation_fraction=0.99).fit(X)


def test_parameters_of_another_type():
    with pytest.raises(TypeError, match=r"recipe=3 is a int; give a name or a Recipe"):
        unfitted(recipe=3).fit(X)
    with pytest.raises(TypeError, match=r"modality=3 is a int"):
        unfitted(modality=3).fit(X)


def test_pictures_and_their_likelihoods():
    with pytest.raises(ValueError, match=r"binarise='yes' is unknown; choose 'dynamic'"):
        Images(binarise="yes")
    with pytest.raises(ValueError, match=r"likelihood='categorical' is not for pictures"):
        unfitted(likelihood="categorical").fit(PICTURES)


def test_sampling_nothing_and_before_fit(table):
    with pytest.raises(ValueError, match="n=0 must be a whole number of at least 1"):
        table.sample(0)
    with pytest.raises(ValueError, match="n_samples=0 must be at least 1"):
        table.score_samples(X, n_samples=0)
    for method in ("transform", "inverse_transform", "score_samples", "save"):
        with pytest.raises(ValueError, match="not fitted yet"):
            getattr(unfitted(), method)(X)


# ---- conditions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["transform", "reconstruct", "score_samples", "score", "impute", "inverse_transform"]
)
def test_a_condition_forgotten_unexpected_unseen_or_too_short(method, conditional, table):
    first = X[:, :2] if method == "inverse_transform" else X
    with pytest.raises(ValueError, match=r"fitted with a condition \(kind\): pass condition="):
        getattr(conditional, method)(first)
    with pytest.raises(ValueError, match=r"condition= is given, but the model was fitted without one"):
        getattr(table, method)(first, condition=FRAME["kind"])
    with pytest.raises(ValueError, match=r"condition, row 5: 'kind' is 'z', which was not there at fit"):
        getattr(conditional, method)(first, condition=pandas.Series(["a"] * 5 + ["z"] + ["a"] * 34, name="kind"))
    with pytest.raises(ValueError, match=r"condition has 39 rows, but 40 are needed; give one for each"):
        getattr(conditional, method)(first, condition=FRAME["kind"][:39])


def test_conditions_of_sample(conditional):
    with pytest.raises(ValueError, match=r"fitted with a condition \(kind\): pass condition="):
        conditional.sample(3)
    with pytest.raises(ValueError, match=r"'kind' is 'z', which was not there at fit; known values: a, b, c, d"):
        conditional.sample(3, condition="z")
    with pytest.raises(ValueError, match=r"condition has 2 rows, but 3 are needed"):
        conditional.sample(3, condition=["a", "b"])
    assert conditional.sample(3, condition="a").shape == (3, 4)
    assert conditional.sample(3, condition=["a", "b", "a"]).shape == (3, 4)


def test_conditions_at_fit():
    with pytest.raises(ValueError, match=r"condition has 39 rows, but X has 40; give one for each"):
        unfitted().fit(X, condition=FRAME["kind"][:39])
    with pytest.raises(ValueError, match=r"condition: column 'x0' is missing in 1 of 40 rows, the first of them row 3"):
        unfitted().fit(X, condition=np.where(np.arange(40) == 3, np.nan, np.linspace(0, 1, 40)))
    with pytest.raises(ValueError, match=r"infinity"):
        unfitted().fit(X, condition=np.where(np.arange(40) == 3, np.inf, np.linspace(0, 1, 40)))
    with pytest.raises(ValueError, match=r"condition='same' is a single value, which tells the model nothing at fit"):
        unfitted().fit(X, condition="same")


def test_a_condition_named_by_columns_of_the_frame_is_taken_out_of_it():
    frame = FRAME.assign(height=X[:, 1])
    for condition, rest in (("kind", ["load", "flag", "height"]), (["kind", "flag"], ["load", "height"])):
        estimator = unfitted().fit(frame, condition=condition)
        assert [column.name for column in estimator.modality_.columns] == rest
        assert estimator.condition_.table.columns[0].categories == ("a", "b", "c", "d")
        codes = estimator.transform(frame, condition=condition)
        assert codes.shape == (40, 2)
        given = frame[condition] if isinstance(condition, str) else frame[list(condition)]
        np.testing.assert_array_equal(codes, estimator.transform(frame[rest], condition=given))
