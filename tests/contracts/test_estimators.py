"""What every estimator keeps of scikit-learn's manners, over all the package exports."""

import re
import warnings

import numpy as np
import pandas
import polars
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import hourglass
from hourglass import Images, estimators
from hourglass.estimators import AutoencoderEstimator
from hourglass.variants import BETA_VAE

ESTIMATORS = [
    value
    for name in estimators.__all__
    if isinstance(value := getattr(estimators, name), type)
    and issubclass(value, BaseEstimator)
    and value is not AutoencoderEstimator
    and value().__sklearn_tags__().input_tags.two_d_array  # those of pictures alone have tests of their own
]
each = pytest.mark.parametrize("kind", ESTIMATORS)
each_transformer = pytest.mark.parametrize("kind", [kind for kind in ESTIMATORS if hasattr(kind, "transform")])


def a_table(n=40, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def checks():
    for kind in ESTIMATORS:
        for estimator, check in estimator_checks_generator(kind(max_epochs=2)):
            yield pytest.param(estimator, check, id=f"{kind.__name__}-{check.func.__name__}")


@pytest.mark.parametrize(("estimator", "check"), checks())
def test_scikit_learn_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@each
def test_the_package_exports_it(kind):
    assert getattr(hourglass, kind.__name__) is kind


@each
def test_parameters_are_stored_as_given_and_cloned(kind):
    given = {"n_latent": 3, "recipe": BETA_VAE, "modality": Images(binarise="dynamic"), "hidden": (8, 4)}
    estimator = kind(**given)
    copy = clone(estimator)
    for name, value in given.items():
        assert estimator.get_params()[name] is value
        assert copy.get_params()[name] == value
    assert clone(kind(recipe="ae", max_epochs=2, random_state=0).fit(a_table())).get_params()["recipe"] == "ae"


@each
def test_a_clone_of_a_loaded_estimator_fits_the_same(kind, tmp_path):
    X = a_table()
    fitted = kind(n_latent=2, max_epochs=2, hidden=(8,), random_state=0).fit(X)
    fitted.save(tmp_path)
    again = clone(hourglass.load(tmp_path)).fit(X)
    assert isinstance(again, kind)
    for name, value in fitted.model_.state_dict().items():
        torch.testing.assert_close(again.model_.state_dict()[name], value, rtol=0, atol=0)


@each_transformer
def test_pipeline_grid_search_and_score(kind):
    X = a_table(60)
    pipeline = make_pipeline(StandardScaler(), kind(n_latent=2, max_epochs=2, hidden=(8,), random_state=0))
    assert pipeline.fit_transform(X).shape == (60, 2)
    name = kind.__name__.lower()
    search = GridSearchCV(pipeline, {f"{name}__n_latent": [1, 2]}, cv=2, error_score="raise").fit(X)
    assert np.isfinite(search.best_score_)
    # X through the pipeline and back, in its own units
    assert pipeline.inverse_transform(pipeline.transform(X)).shape == X.shape


@each_transformer
def test_fit_transform_tells_the_condition_to_both(kind):
    X = a_table(60)
    options = {"n_latent": 2, "max_epochs": 2, "hidden": (8,), "random_state": 0}
    condition = np.arange(60) % 3
    codes = kind(**options).fit_transform(X, condition=condition)
    np.testing.assert_array_equal(codes, kind(**options).fit(X, condition=condition).transform(X, condition=condition))


@each_transformer
@pytest.mark.parametrize(("output", "frame"), [("pandas", pandas.DataFrame), ("polars", polars.DataFrame)])
def test_set_output_and_feature_names(kind, output, frame):
    X = pandas.DataFrame(a_table(), columns=["a", "b", "c", "d"])
    estimator = kind(n_latent=2, max_epochs=2, hidden=(8,), random_state=0).set_output(transform=output).fit(X)
    codes = estimator.transform(X)
    names = [f"{kind.__name__.lower()}{k}" for k in range(2)]
    assert isinstance(codes, frame)
    assert list(codes.columns) == list(estimator.get_feature_names_out()) == names
    assert list(estimator.feature_names_in_) == ["a", "b", "c", "d"]
    assert estimator.n_features_in_ == 4
    # codes in a frame are codes all the same
    np.testing.assert_allclose(
        np.asarray(estimator.inverse_transform(codes)), np.asarray(estimator.inverse_transform(np.asarray(codes)))
    )


@each
def test_fit_returns_self_and_y_is_ignored(kind):
    X = a_table()
    estimator = kind(n_latent=2, max_epochs=2, hidden=(8,), random_state=0)
    assert estimator.fit(X, y=np.arange(40)) is estimator
    first = estimator.score_samples(X)
    np.testing.assert_array_equal(estimator.fit(X).score_samples(X), first)


@each
def test_the_score_of_a_row_does_not_depend_on_the_rows_beside_it(kind):
    X = a_table()
    estimator = kind(n_latent=2, max_epochs=2, hidden=(8,), random_state=0).fit(X)
    scores = estimator.score_samples(X)
    np.testing.assert_array_equal(estimator.score_samples(X[::-1])[::-1], scores)
    np.testing.assert_array_equal(estimator.score_samples(X[5:6]), scores[5:6])
    assert estimator.score(X) == pytest.approx(scores.mean())


@each_transformer
def test_scores_of_several_samples_do_not_depend_on_the_rows_beside_them(kind):
    X = a_table()
    estimator = kind(n_latent=2, max_epochs=2, hidden=(8,), random_state=0).fit(X)
    scores = estimator.score_samples(X, n_samples=3)
    np.testing.assert_array_equal(estimator.score_samples(X[::-1], n_samples=3)[::-1], scores)
    np.testing.assert_array_equal(estimator.score_samples(X[5:9], n_samples=3), scores[5:9])
    np.testing.assert_array_equal(estimator.transform(X[5:6]), estimator.transform(X)[5:6])
    assert np.abs(estimator.score_samples(X, n_samples=3, random_state=1) - scores).max() > 1e-3


@each
def test_n_latent_is_resolved(kind):
    X = a_table(60, 8)
    guessed = kind(max_epochs=1, hidden=(8,)).fit(X).n_latent_
    assert 2 <= guessed <= 4


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"n_latent": 0}, "n_latent=0"),
        ({"recipe": "vea"}, "did you mean vae"),
        ({"modality": "tabels"}, "did you mean tables"),
        ({"hidden": 8}, "hidden=8"),
        ({"max_epochs": 0}, "max_epochs=0"),
        ({"likelihood": "bernoulli", "variance": 0.1}, "leave it out with likelihood='bernoulli'"),
    ],
)
def test_parameters_can_be_checked_without_data(parameters, said):
    hourglass.Embedder().check_parameters()
    with pytest.raises(ValueError, match=re.escape(said)):
        hourglass.Embedder(**parameters).check_parameters()
