"""Columns that are not smooth: spikes, levels and heavy tails get a likelihood and a scaling that suits them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from hourglass import Embedder
from hourglass.likelihoods import Gaussian, PointMasses
from hourglass.modalities import Tables
from hourglass.modalities.column_shape import SAMPLE, Sample, shape_of

RNG = np.random.default_rng(0)
N = 1000
COLUMNS = {
    "smooth": RNG.normal(5, 2, N),
    "spiked": np.where(RNG.random(N) < 0.6, 0.0, RNG.gamma(2, 3, N)),
    "levels": RNG.choice([6.0, 12.0, 24.0, 60.0], N, p=[0.1, 0.2, 0.3, 0.4]),
    "tailed": np.exp(2 * RNG.normal(size=N)),
}
TABLE = pd.DataFrame(COLUMNS)


def shape(values):
    levels = np.unique(values)
    return shape_of(np.asarray(values, float), len(values), levels if len(levels) <= 50 else None)


def test_shapes_are_told_apart():
    assert shape(COLUMNS["smooth"]) == shape_of(np.zeros(0), 0, None)
    assert shape(COLUMNS["spiked"]).spikes == (0.0,) and not shape(COLUMNS["spiked"]).discrete
    assert shape(COLUMNS["levels"]).spikes == (6.0, 12.0, 24.0, 60.0) and shape(COLUMNS["levels"]).discrete
    assert shape(COLUMNS["tailed"]).tail is not None and not shape(COLUMNS["tailed"]).spikes


@pytest.mark.parametrize("values", [RNG.uniform(size=N), RNG.exponential(size=N), RNG.poisson(30, N).astype(float)])
def test_what_is_smooth_stays_as_it_is(values):
    assert shape(values) == shape_of(np.zeros(0), 0, None)


def test_few_rows_have_neither_levels_nor_spikes():
    assert not shape(np.arange(30.0) % 10).spikes


@pytest.mark.parametrize("factor", [0.1, 10.0, 1e-9])
def test_other_units_have_the_same_shape(factor):
    ours, theirs = (Tables().infer(X) for X in (TABLE, TABLE * factor))
    for a, b in zip(ours.columns, theirs.columns, strict=True):
        assert len(a.spikes) == len(b.spikes) and (a.tail is None) == (b.tail is None)
    x, y = (m.scaling()(m.examples(X).rows()) for m, X in ((ours, TABLE), (theirs, TABLE * factor)))
    torch.testing.assert_close(x, y, rtol=1e-4, atol=1e-4)


def test_a_sample_does_not_depend_on_chunks():
    values = RNG.normal(size=3 * SAMPLE)
    whole, cut = Sample(), Sample()
    whole.add(values)
    for chunk in np.array_split(values, 7):
        cut.add(chunk)
    assert len(whole.values) == SAMPLE
    np.testing.assert_array_equal(np.sort(whole.values), np.sort(cut.values))


def test_heavy_tails_go_through_the_scaling_and_back():
    modality = Tables().infer(TABLE)
    raw, scaling = modality.examples(TABLE).rows(), modality.scaling()
    x = scaling(raw)
    assert float(x[:, 3].abs().max()) < 6 < float(((raw - raw.mean(0)) / raw.std(0))[:, 3].max())
    torch.testing.assert_close(scaling.inverse(x).float(), raw, rtol=1e-4, atol=1e-4)
    unknown = torch.full((1, 4), torch.nan)
    assert scaling(unknown).isnan().all() and scaling(-unknown.nan_to_num(torch.inf)).isinf().all()


def test_scores_are_densities_of_numbers_in_their_own_units():
    """The integral over a heavy-tailed column of exp(log p + log slope) in linear units is 1."""
    modality = Tables().infer(TABLE[["tailed"]])
    scaling, column = modality.scaling(), modality.columns[0]
    u = torch.linspace(-60, 400, 400_001, dtype=torch.float64)[:, None]  # of (raw - centre) / unit / scale
    raw = u * column.scale * column.tail[1] + column.tail[0]
    log_p = torch.distributions.Normal(0.0, 1.0).log_prob(scaling(raw).double()).sum(1) + scaling.log_slope(raw)
    assert float(torch.trapezoid(log_p.exp(), u[:, 0])) == pytest.approx(1, abs=1e-3)


def test_probabilities_of_atoms_and_the_density_sum_to_one():
    likelihood = PointMasses((1,), [[0.0, 2.0]], [False], variance=0.5).double()
    output = likelihood(torch.randn(1, 4, dtype=torch.float64))
    atoms = output.cell_log_prob(torch.tensor([[0.0], [2.0]])).exp().sum()
    x = torch.linspace(-30, 30, 100_000, dtype=torch.float64)[:, None]
    density = torch.trapezoid(output.cell_log_prob(x).exp()[:, 0], x[:, 0])
    assert float(atoms + density) == pytest.approx(1, abs=1e-6)


def test_columns_get_the_likelihood_that_suits_them():
    modality = Tables().infer(TABLE)
    likelihood = modality.likelihood(None, None)
    kinds = {type(block): places for block, places in zip(likelihood.blocks, likelihood.indices, strict=True)}
    assert kinds[Gaussian] == [0, 3]
    assert isinstance(modality.likelihood("gaussian", None), Gaussian)  # whoever asks for one gets one


def test_samples_and_reconstructions_of_a_model():
    model = Embedder(2, max_epochs=60, random_state=0, n_threads=1).fit(TABLE)
    drawn = model.sample(500, marginals="model", random_state=0)
    assert set(drawn["levels"]) <= {6.0, 12.0, 24.0, 60.0}
    assert 0.4 < (drawn["spiked"] == 0).mean() < 0.8
    assert np.isfinite(model.reconstruct(TABLE)).all(axis=None)
    assert np.isfinite(model.score_samples(TABLE)).all()
    seven = TABLE.head(1).assign(levels=7.0)  # was never there
    assert model.score_samples(seven)[0] < model.score_samples(TABLE.head(1))[0] - 1


def test_every_column_has_its_own_variance_after_training_and_one_in_it():
    noise = np.array([0.01, 0.5])
    z = RNG.normal(size=(N, 1))
    X = np.hstack([z, z, z, z]) + np.hstack([noise, noise]) * RNG.normal(size=(N, 4))
    model = Embedder(1, recipe="ae", max_epochs=60, random_state=0, n_threads=1).fit(X)
    scale = model.model_.decode.likelihood.log_scale.exp().detach()
    assert scale[1] > 1.5 * scale[0] and scale[3] > 1.5 * scale[2]
    likelihood = Gaussian((2,), variance="partial")
    likelihood.update_scale(torch.zeros(4, 2), torch.tensor([[0.1, 3.0]] * 4), 1.0)
    assert likelihood.log_scale[0] == likelihood.log_scale[1]
    likelihood.settle_scale(torch.zeros(400, 2), torch.tensor([[0.1, 3.0]] * 400))
    assert likelihood.log_scale[0] < likelihood.log_scale[1]


def test_few_cells_draw_a_variance_towards_the_shared_one():
    errors = torch.tensor([[0.1, 3.0]])
    likelihood = Gaussian((2,), variance="partial", missing=True)
    x = torch.cat([errors, torch.full((99, 2), torch.nan)])
    x[1:, 1] = 3.0  # a hundred cells of the second column, one of the first
    likelihood.settle_scale(torch.zeros(100, 2), x)
    first, second = (2 * likelihood.log_scale).exp().tolist()
    assert 0.02 < first < 5 and second == pytest.approx(9, rel=0.01)


def test_a_column_of_a_description_that_makes_no_sense_is_refused():
    column = Tables().infer(TABLE).columns[3]
    with pytest.raises(ValueError, match="unit"):
        dataclasses.replace(column, tail=(0.0, 0.0))
    with pytest.raises(ValueError, match="categories"):
        dataclasses.replace(column, kind="category")
