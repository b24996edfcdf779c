"""Counts of any size: their dispersion arrives, and what is sampled goes together as they do."""

import numpy as np
import pandas
import pytest
import torch
from scipy import stats

from hourglass import Embedder, Tables
from hourglass.likelihoods import NegativeBinomial

RNG = np.random.default_rng(0)
Z = RNG.normal(size=500)


def table(mean, n=2):
    return pandas.DataFrame({f"c{i}": RNG.poisson(mean * np.exp(0.5 * Z)).astype(float) for i in range(n)})


def fitted(frame, **options):
    options = {"hidden": None, "max_epochs": 40, "random_state": 0, "n_threads": 1, **options}
    return Embedder(1, modality=Tables(counts=list(frame.columns)), **options).fit(frame)


@pytest.mark.parametrize("mean", [1e3, 1e9, 1e15])
def test_samples_go_together_and_spread_as_the_counts_do(mean):
    frame = table(mean)
    model = fitted(frame)
    sampled = model.sample(2000, random_state=0)
    assert np.corrcoef(sampled.c0, sampled.c1)[0, 1] > 0.95
    for name in frame:
        assert sampled[name].std() == pytest.approx(frame[name].std(), rel=0.15)
        assert sampled[name].mean() == pytest.approx(frame[name].mean(), rel=0.1)
    assert model.summary_.unexplained_variance < 0.02
    assert np.isfinite(model.score_samples(frame)).all()
    assert (model.impute(frame.mask(RNG.random(frame.shape) < 0.1)) % 1 == 0).all().all()


def test_counts_with_every_default():
    frame = table(1000, 4)
    modality = Tables(counts=list(frame.columns))
    model = Embedder(modality=modality, max_epochs=40, random_state=0, n_threads=1).fit(frame)
    sampled = model.sample(2000, random_state=0)
    assert np.corrcoef(sampled.T)[np.triu_indices(4, 1)].min() > 0.95
    np.testing.assert_allclose(sampled.std(), frame.std(), rtol=0.15)


def test_a_poisson_has_no_more_spread_than_it_should():
    torch.manual_seed(0)
    x = torch.poisson(torch.tensor([0.3, 4.0, 1e6]).expand(5000, 3))
    likelihood = NegativeBinomial((3,))
    sampled = likelihood(likelihood.fit_baseline(x).expand(50_000, 3)).sample()
    torch.testing.assert_close(sampled.mean(0), x.mean(0), rtol=0.03, atol=0)
    torch.testing.assert_close(sampled.var(0), x.var(0), rtol=0.1, atol=0)


@pytest.mark.parametrize("mean", [2.0, 5e6, 2e7, 1e9])
@pytest.mark.parametrize("dispersion", [0.5, 30.0, 1e5])
def test_the_log_probability_is_that_of_scipy(mean, dispersion):
    likelihood = NegativeBinomial((1,)).double()
    likelihood.log_dispersion.fill_(np.log(dispersion))
    spread = np.sqrt(mean + mean**2 / dispersion)
    x = np.unique(np.round(mean + spread * np.array([-0.9, -0.3, 0.0, 0.5, 2.0])).clip(min=0))
    got = likelihood(torch.full((len(x), 1), np.log(mean), dtype=torch.float64)).log_prob(torch.tensor(x)[:, None])
    wanted = stats.nbinom(dispersion, dispersion / (dispersion + mean)).logpmf(x)
    np.testing.assert_allclose(got, wanted, atol=1e-4, rtol=1e-6)


def test_the_dispersion_of_a_batch_is_that_of_its_moments():
    torch.manual_seed(0)
    likelihood = NegativeBinomial((2,), centre=[3.0, 7.0], scale=2.0)
    mean = torch.tensor([20.0, 1100.0]).expand(50_000, 2)
    x = torch.poisson(torch.distributions.Gamma(torch.tensor([2.0, 50.0]), torch.tensor([2.0, 50.0]) / mean).sample())
    parameters = (mean.log() - torch.tensor([3.0, 7.0])) / 2
    torch.testing.assert_close(likelihood(parameters).mean, mean, rtol=1e-4, atol=0)
    likelihood.update_scale(parameters, x, 1.0)
    torch.testing.assert_close(likelihood.log_dispersion.exp(), torch.tensor([2.0, 50.0]), rtol=0.05, atol=0)
    before = likelihood.log_dispersion.clone()
    likelihood.update_scale(parameters, torch.full_like(x, torch.nan), 1.0)  # nothing known: nothing moves
    torch.testing.assert_close(likelihood.log_dispersion, before)


def test_a_count_beyond_those_that_can_be_sampled():
    frame = table(1000).assign(c1=1e20)
    frame.loc[3, "c1"] = 2e20
    with pytest.raises(ValueError, match=r"column 'c1' is declared a count and holds 2e\+20, beyond 1e\+16"):
        fitted(frame)
