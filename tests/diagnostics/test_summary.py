"""Figures of all columns, against hand-made answers: what a model without knowledge gets, and one that knows all."""

import math

import numpy as np
import pandas
import pytest
import torch

from hourglass import Embedder
from hourglass.diagnostics.baseline import Baseline, pca_unexplained_variance
from hourglass.diagnostics.measures import measure
from hourglass.diagnostics.summary import late_gain, summarise
from hourglass.likelihoods import Categorical, Gaussian, Mixed, NegativeBinomial
from hourglass.modalities import Images, Tables
from hourglass.model import Autoencoder, Sizes
from hourglass.training import Rows
from hourglass.variants import Deterministic

QUICK = {"hidden": (16,), "n_threads": 1, "random_state": 0}


def mixed_table(n=600):
    """Two numbers and two categories that one hidden number decides, a number and a category of pure noise."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=n)
    return pandas.DataFrame(
        {
            "a": hidden + 0.05 * rng.normal(size=n),
            "b": -2 * hidden + 0.05 * rng.normal(size=n),
            "noise": rng.normal(size=n),
            "sign": np.where(hidden > 0, "plus", "minus"),
            "third": np.array(["low", "middle", "high"])[np.digitize(hidden, [-0.4, 0.4])],
            "coin": rng.choice(["heads", "tails", "edge"], size=n),
        }
    )


class Constant(torch.nn.Module):
    """The same output for every row, whatever comes in."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, x):
        return self.output.expand(len(x), *self.output.shape)


def fixed(likelihood, parameters):
    """A model that puts out the same parameters for every row."""
    sizes = Sizes(likelihood.shape, features=1, latent=1)
    code = Deterministic(sizes)
    return Autoencoder(sizes, torch.nn.Identity(), Constant(torch.zeros(1)), code, Constant(parameters), likelihood)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_a_model_that_says_nothing_has_all_unexplained_and_the_nats_of_the_baseline():
    likelihood = Mixed([(Gaussian((2,)), [0, 2]), (Categorical((1,), 3), [1])], 3)
    x = torch.stack([torch.randn(500), torch.randint(3, (500,)).float(), torch.randn(500)], 1)
    noise_mask = torch.tensor([True, False, True])
    parameters = likelihood.fit_baseline(x)
    figures = summarise(fixed(likelihood, parameters), Rows(x), Rows(x), noise_mask, 1)
    assert (figures.n_numeric, figures.n_categorical, figures.n_values) == (2, 1, 4)
    assert figures.unexplained_variance == pytest.approx(1.0)
    assert figures.unexplained_categories == pytest.approx(1.0)
    assert figures.unexplained == pytest.approx(1.0)
    assert figures.reconstruction == pytest.approx(figures.baseline, rel=1e-5)
    assert figures.gain == pytest.approx(0.0, abs=1e-4)
    assert figures.categorical_baseline == pytest.approx(math.log(3), abs=0.02)
    # the entropy of two standard normals and of one of three
    assert figures.baseline == pytest.approx(2 * 0.5 * math.log(2 * math.pi * math.e) + math.log(3), abs=0.2)


def test_the_baseline_is_fitted_on_training_rows_and_judged_on_the_others():
    train, test = torch.randn(400, 1), 3 + 2 * torch.randn(300, 1)
    baseline = Baseline(Gaussian((1,)), train, torch.tensor([True]))
    mean, variance = train.mean(), train.var(correction=0)
    expected = 0.5 * ((test - mean).square() / variance + variance.log() + math.log(2 * math.pi))
    torch.testing.assert_close(-baseline.cell_log_prob(test), expected)


def test_missing_cells_count_neither_as_errors_nor_as_nats():
    likelihood = Mixed([(Gaussian((1,), missing=True), [0]), (Categorical((1,), 2, missing=True), [1])], 2)
    x = torch.stack([torch.randn(100), torch.randint(2, (100,)).float()], 1)
    holed = x.clone()
    holed[:50] = math.nan
    model, noise_mask = fixed(likelihood, torch.tensor([0.1, 0.3, 0.0])), torch.tensor([True, False])
    baseline = Baseline(likelihood, x, noise_mask)
    whole, half = (measure(model, Rows(rows), baseline) for rows in (x, holed))
    for name in ("nats", "squares", "wrong", "baseline_nats", "baseline_squares", "baseline_wrong", "categorical_nats"):
        torch.testing.assert_close(getattr(half, name)[50:], getattr(whole, name)[50:])
        assert not getattr(half, name)[:50].any()
    assert summarise(model, Rows(holed), Rows(holed), noise_mask, 1).share_missing == pytest.approx(0.5)


def test_the_numbers_that_stand_for_categories_do_not_matter():
    likelihood, noise_mask = Categorical((1,), 4), torch.tensor([False])
    x = torch.randint(4, (300, 1)).float()
    logits = torch.tensor([0.1, 1.0, 0.3, -0.5])
    order = torch.tensor([2, 0, 3, 1])  # the class k is called order[k]
    relabelled = torch.empty(4).scatter_(0, order, logits)
    one = summarise(fixed(likelihood, logits), Rows(x), Rows(x), noise_mask, 1)
    other = summarise(
        fixed(likelihood, relabelled), Rows(order[x.long()].float()), Rows(order[x.long()].float()), noise_mask, 1
    )
    for name in ("unexplained_categories", "reconstruction", "baseline", "unexplained_standard_error", "n_values"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-5), name


def test_counts_are_numbers_each_column_weighing_alike():
    x = torch.stack([torch.poisson(torch.full((2000,), 3.0)), torch.poisson(torch.full((2000,), 3000.0))], 1)
    likelihood = NegativeBinomial((2,))
    baseline = Baseline(likelihood, x, torch.tensor([False, False]))
    assert baseline.numeric.all() and not baseline.categorical.any()
    # the first column exact, the second as good as its mean
    model = fixed(likelihood, baseline.values.log())
    m = measure(model, Rows(x), baseline)
    assert float(m.squares.mean()) == pytest.approx(2.0, rel=1e-3)


def test_numbers_and_categories_have_a_figure_each():
    fitted = Embedder(1, recipe="ae", max_epochs=40, batch_size=32, **{**QUICK, "random_state": 4}).fit(mixed_table())
    s = fitted.summary_
    assert (s.n_numeric, s.n_categorical) == (3, 3)
    assert s.unexplained_variance == pytest.approx(1 / 3, abs=0.1)  # noise is a third of the variance
    # of 1/2 + 2/3 + 2/3 wrong cells the coin's remain, and a few at the borders
    assert s.unexplained_categories == pytest.approx((2 / 3) / (1 / 2 + 2 / 3 + 2 / 3), abs=0.12)
    assert s.unexplained == pytest.approx((s.unexplained_variance + s.unexplained_categories) / 2)
    assert 0.3 * s.categorical_baseline < s.categorical_reconstruction < 0.8 * s.categorical_baseline
    assert s.gain > 1


@pytest.mark.parametrize("kind", ["numbers", "categories", "mixed", "pictures", "two-valued pictures"])
def test_a_collapsed_model_is_seen_whatever_the_data(kind):
    table, rng = mixed_table(300), np.random.default_rng(0)
    X = {
        "numbers": table[["a", "b", "noise"]].to_numpy(),
        "categories": table[["sign", "third", "coin"]],
        "mixed": table,
        "pictures": rng.integers(0, 255, (300, 4, 4)).astype(np.uint8),
        "two-valued pictures": (rng.random((300, 4, 4)) < 0.3).astype(np.uint8),
    }[kind]
    fitted = Embedder(2, recipe="vae kl=1000", max_epochs=40, batch_size=32, learning_rate=0.01, **QUICK).fit(X)
    s = fitted.summary_
    assert s.kl < 0.1
    assert -0.1 * s.baseline < s.gain < 0.02 * s.baseline + 3 * s.gain_standard_error
    assert s.unexplained > 0.8  # a constant prediction other than the most frequent value may win by chance


def test_cells_are_told_by_the_likelihood_and_the_noise_mask():
    rng = np.random.default_rng(0)
    pictures = Images().infer(X := (rng.random((30, 4, 4)) < 0.5).astype(np.uint8))
    x = pictures.scaling()(pictures.examples(X).rows())
    baseline = Baseline(pictures.likelihood(None, "shared"), x, pictures.noise_mask())
    assert baseline.numeric.all() and not baseline.categorical.any()  # pixels are numbers, of two values or more
    table = Tables(counts=("n",)).infer(
        frame := pandas.DataFrame(
            {
                "n": rng.poisson(4, 50), "same": 1.0, "x": rng.normal(size=50), "word": list("abcab") * 10,
                "yes": [True, False] * 25, "one": "a",
            }
        )
    )  # fmt: skip
    x = table.scaling()(table.examples(frame).rows())
    baseline = Baseline(table.likelihood(None, "shared"), x, table.noise_mask())
    assert baseline.numeric.tolist() == [True, False, True, False, False, False]
    assert baseline.categorical.tolist() == [False, False, False, True, True, False]
    assert baseline.n_values == 2 + 2 + 1


def test_objective_and_gain_of_a_variational_code_count_the_code_itself():
    s = Embedder(2, max_epochs=5, batch_size=32, **QUICK).fit(mixed_table()).summary_
    assert s.objective == s.negative_elbo > s.reconstruction
    assert s.gain == pytest.approx(s.baseline - s.negative_elbo)
    plain = Embedder(2, recipe="ae", max_epochs=5, batch_size=32, **QUICK).fit(mixed_table()).summary_
    assert math.isnan(plain.negative_elbo) and plain.objective == plain.reconstruction


def test_pca_has_no_meaning_with_as_many_components_as_columns():
    X = np.random.default_rng(0).normal(size=(50, 3))
    assert math.isnan(pca_unexplained_variance(X, X, 3))
    assert 0 < pca_unexplained_variance(X, X, 2) < 1


def test_standard_errors_shrink_with_the_root_of_the_rows():
    x, likelihood = torch.randn(8000, 3), Gaussian((3,))
    model, noise_mask = fixed(likelihood, torch.tensor([0.5, 0.0, -0.5])), torch.ones(3, dtype=torch.bool)
    few, many = (summarise(model, Rows(x), Rows(x[:n]), noise_mask, 1) for n in (500, 8000))
    assert few.gain_standard_error / many.gain_standard_error == pytest.approx(4, rel=0.3)
    assert few.unexplained_standard_error / many.unexplained_standard_error == pytest.approx(4, rel=0.4)


def test_late_gain():
    assert math.isnan(late_gain([{"objective": 3.0}]))
    assert late_gain([{"objective": v} for v in (9.0, 5.0, 4.0, 3.5)]) == pytest.approx(0.5)
    assert late_gain([{"objective": v} for v in (9.0, 5.0)]) == pytest.approx(4.0)
