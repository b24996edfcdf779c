"""What every likelihood keeps, over all the package exports: a new one is tested once it has a row in CASES."""

import copy
import inspect
import json

import numpy as np
import pytest
import torch

from hourglass import likelihoods
from hourglass.likelihoods import Categorical, Gaussian, Laplace, Likelihood, Mixed, PointMasses, build
from hourglass.likelihoods.bernoulli import BernoulliDistribution

LINE = np.linspace(-60.0, 60.0, 24_001)  # the real line for quadrature
COUNTS = np.arange(3000.0)
COIN = np.arange(2.0)
CLASSES = np.arange(3.0)

MIXED = {
    "blocks": [
        ["Categorical", {"shape": [1], "n_classes": 3, "missing": True}, [2]],
        ["Gaussian", {"shape": [2], "variance": "feature", "missing": True}, [3, 0]],
        ["Bernoulli", {"shape": [1], "missing": True}, [1]],
        ["NegativeBinomial", {"shape": [1], "missing": True}, [4]],
    ],
    "n_features": 5,
}
MIXED_SMALL = {
    "blocks": [["Categorical", {"shape": [1], "n_classes": 3}, [1]], ["Laplace", {"shape": [1], "variance": 1.0}, [0]]],
    "n_features": 2,
}

# name -> options of a likelihood over one or two cells, the axes of its support
SMALL = {
    "Bernoulli": ({"shape": [1]}, [COIN]),
    "Categorical": ({"shape": [1], "n_classes": 3}, [CLASSES]),
    "ConstantCells": ({"shape": [1]}, [LINE]),
    "Gaussian": ({"shape": [1], "variance": 0.6}, [LINE]),
    "Laplace": ({"shape": [1], "variance": 0.7}, [LINE]),
    "Mixed": (MIXED_SMALL, [LINE, CLASSES]),
    "NegativeBinomial": ({"shape": [1]}, [COUNTS]),
    "PointMasses": ({"shape": [1], "atoms": [[0.0, 1.0, 2.0]], "discrete": [True]}, [CLASSES]),
}

# name, options of a likelihood over several cells
CASES = [
    ("Bernoulli", {"shape": [6], "missing": True}),
    ("Bernoulli", {"shape": [7]}),
    ("Bernoulli", {"shape": [2, 4, 3]}),
    ("Categorical", {"shape": [4], "n_classes": 3, "missing": True}),
    ("Categorical", {"shape": [2, 3, 2], "n_classes": 5}),
    ("ConstantCells", {"shape": [5], "missing": True}),
    ("Gaussian", {"shape": [5]}),
    ("Gaussian", {"shape": [3, 4, 2], "variance": "feature", "missing": True}),
    ("Gaussian", {"shape": [5], "variance": "feature", "floor": [0.0, 0.1, 0.0, 0.0, 0.2]}),
    ("Gaussian", {"shape": [5], "variance": 0.25, "missing": True}),
    ("Laplace", {"shape": [5], "missing": True}),
    ("Laplace", {"shape": [3, 4], "variance": "feature"}),
    ("Mixed", MIXED),
    ("NegativeBinomial", {"shape": [4], "missing": True}),
    ("NegativeBinomial", {"shape": [2, 3]}),
    (
        "PointMasses",
        {
            "shape": [2],
            "atoms": [[0.0, 1.0], [-1.0, 0.5]],
            "discrete": [False, False],
            "missing": True,
            "variance": "feature",
        },
    ),
    ("PointMasses", {"shape": [2, 3], "atoms": [[0.0], [2.0]], "discrete": [False, False], "variance": "shared"}),
]
cases = pytest.mark.parametrize(
    ("name", "options"), CASES, ids=[f"{name}-{'x'.join(map(str, o.get('shape', ['table'])))}" for name, o in CASES]
)


def exported() -> set[str]:
    members = {name: getattr(likelihoods, name) for name in likelihoods.__all__}
    return {n for n, m in members.items() if isinstance(m, type) and issubclass(m, Likelihood) and m is not Likelihood}


def made(name, options, B=6, K=(), spread=1.0):
    """A likelihood, parameters (*K, B, ...) and data x (B, *S) drawn from it, in float64."""
    torch.manual_seed(0)
    likelihood = build(name, options).double()
    parameters = spread * torch.randn(*K, B, *likelihood.parameter_shape, dtype=torch.float64)
    with torch.no_grad():
        x = likelihood(parameters[(0,) * len(K)]).sample()
    return likelihood, parameters, x


def test_every_exported_likelihood_is_tested():
    assert exported() == {name for name, _ in CASES} == set(SMALL)


@cases
def test_shapes(name, options):
    likelihood, parameters, x = made(name, options, B=6, K=(3,))
    S = likelihood.shape
    assert likelihood.parameter_shape[1:] == S[1:]
    output = likelihood(parameters)
    assert output.sample().shape == output.reconstruction.shape == output.cell_log_prob(x).shape == (3, 6, *S)
    each = torch.stack([likelihood(parameters[k]).log_prob(x) for k in range(3)])
    assert output.log_prob(x).shape == (3, 6)
    torch.testing.assert_close(output.log_prob(x), each)
    torch.testing.assert_close(output.log_prob(x), output.cell_log_prob(x).flatten(2).sum(2))


@pytest.mark.parametrize("name", SMALL)
def test_sums_or_integrates_to_one_and_samples_have_its_mean(name):
    options, axes = SMALL[name]
    likelihood, parameters, _ = made(name, options, B=1)
    x = torch.as_tensor(np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes)))
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    p = likelihood(parameters.expand(len(x), -1)).log_prob(x).exp().detach() * cell
    # The quadrature's own error: second order in the step, at the Laplace's kink.
    assert float(p.sum()) == pytest.approx(1.0, abs=1e-4)

    mean = p @ x
    deviation = (p @ (x - mean) ** 2).sqrt()
    n = 40_000
    output = likelihood(parameters.expand(n, -1))
    draws = output.sample()
    assert bool(((draws.mean(0) - mean).abs() <= 5 * deviation / n**0.5 + 1e-4).all())
    assert bool(((draws.std(0) - deviation).abs() <= 0.05 * deviation).all())
    try:
        claimed = output.mean[0]
    except TypeError:
        assert name in ("Categorical", "Mixed")  # categories have none
    else:
        torch.testing.assert_close(claimed.detach(), mean, rtol=1e-3, atol=1e-4)


def test_categorical_probabilities_and_mode():
    likelihood, parameters, _ = made("Categorical", {"shape": [2, 3, 2], "n_classes": 5})
    output = likelihood(parameters)
    log_p = torch.stack([output.cell_log_prob_observed(torch.full((6, 2, 3, 2), float(c))) for c in range(5)], 1)
    torch.testing.assert_close(output.probabilities, log_p.exp())
    torch.testing.assert_close(output.reconstruction, log_p.argmax(1).double())
    with pytest.raises(TypeError, match="probabilities"):
        _ = output.mean


@cases
def test_gradient_reaches_the_parameters_and_matches_finite_differences(name, options):
    likelihood, parameters, x = made(name, options, B=2)
    if name == "Bernoulli":
        x = torch.rand_like(x)
    parameters.requires_grad_()
    learnt = list(likelihood.parameters())
    gradients = torch.autograd.grad(likelihood(parameters).log_prob(x).sum(), [parameters, *learnt])
    moves = name != "ConstantCells"  # what is always the same is not learnt
    assert all(bool(torch.isfinite(g).all()) and bool((g != 0).any()) is moves for g in gradients)
    assert torch.autograd.gradcheck(lambda p: likelihood(p).log_prob(x), parameters)
    assert torch.autograd.gradgradcheck(lambda p: likelihood(p).log_prob(x), parameters)


@cases
def test_missing_cells_contribute_nothing(name, options):
    likelihood, parameters, x = made(name, options)
    if not likelihood.missing:
        holed = x.clone()
        holed[0].view(-1)[0] = torch.nan
        holed = likelihood(parameters).log_prob(holed)
        assert bool(holed[0].isnan()) and not bool(holed[1:].isnan().any())
        return
    holes = torch.rand_like(x) < 0.4
    holes[0] = True
    holed = x.masked_fill(holes, torch.nan)
    parameters.requires_grad_()
    output = likelihood(parameters)
    expected = output.cell_log_prob(x).masked_fill(holes, 0.0).flatten(1).sum(1)
    torch.testing.assert_close(output.log_prob(holed), expected)
    assert float(output.log_prob(holed)[0].detach()) == 0.0
    (gradient,) = torch.autograd.grad(output.log_prob(holed).sum(), parameters)
    assert bool(torch.isfinite(gradient).all())
    assert not bool(gradient[0].any())
    likelihood.update_scale(parameters, holed, 0.5)
    assert all(bool(torch.isfinite(value).all()) for value in likelihood.state_dict().values())


@cases
def test_options_rebuild_the_same_module(name, options):
    likelihood, parameters, x = made(name, options)
    likelihood.update_scale(parameters, x, 0.5)
    written = json.loads(json.dumps(likelihood.options()))
    for again in (type(likelihood)(**written), build(name, written)):
        assert type(again) is type(likelihood)
        assert again.options() == likelihood.options()
        again.double().load_state_dict(likelihood.state_dict())
        torch.testing.assert_close(again(parameters).log_prob(x), likelihood(parameters).log_prob(x))


@cases
def test_adapting_at_rate_one_maximises_the_likelihood_of_the_batch(name, options):
    likelihood, parameters, x = made(name, options, B=20, spread=0.3)
    parameters = parameters + 0.5 * torch.randn_like(parameters)
    if likelihood.missing:
        x.view(-1)[::3] = torch.nan
    before = likelihood(parameters).log_prob(x).sum().item()
    likelihood.update_scale(parameters, x, 1.0)
    best = likelihood(parameters).log_prob(x).sum().item()
    assert best >= before
    fitted = isinstance(options.get("variance", "shared"), str)
    scales = [value for key, value in likelihood.state_dict().items() if "log_scale" in key] if fitted else []
    assert len(scales) == (fitted and name in ("Gaussian", "Laplace", "Mixed", "PointMasses"))
    for value in scales:
        for k in range(value.numel()):
            for step in (-0.05, 0.05):
                value.view(-1)[k] += step
                assert likelihood(parameters).log_prob(x).sum().item() < best
                value.view(-1)[k] -= step


@cases
def test_extreme_parameters_stay_finite_in_float32(name, options):
    likelihood, parameters, x = made(name, options)
    likelihood.float()
    for extreme in (1e4, -1e4):
        wild = (extreme * parameters.sign()).float().requires_grad_()
        output = likelihood(wild)
        log_p = output.log_prob(x.float())
        (gradient,) = torch.autograd.grad(log_p.sum(), wild)
        assert bool(torch.isfinite(log_p).all()) and bool(torch.isfinite(gradient).all())
        assert bool(torch.isfinite(output.reconstruction).all()) and bool(torch.isfinite(output.sample()).all())


@cases
def test_half_precision_parameters_are_summed_in_float32(name, options):
    likelihood, parameters, x = made(name, options)
    half = parameters.bfloat16()
    expected = likelihood(half.double()).log_prob(x).float()
    likelihood.float()
    got = likelihood(half.requires_grad_()).log_prob(x.float())
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
    (gradient,) = torch.autograd.grad(got.sum(), half)
    assert gradient.dtype == torch.bfloat16


@pytest.mark.parametrize("kind", [Gaussian, Laplace])
def test_the_fitted_width_respects_its_floor(kind):
    def fitted(**options):
        likelihood = kind((3,), **options)
        likelihood.update_scale(torch.zeros(4, 3), torch.zeros(4, 3), 1.0)
        x = likelihood(torch.zeros(200_000, 3)).sample()
        torch.testing.assert_close(
            x.std(0), likelihood.deviation_of_scale * likelihood.log_scale.exp().flatten().expand(3),
            rtol=0.02, atol=0)  # fmt: skip
        return (likelihood.deviation_of_scale * likelihood.log_scale.exp()).flatten().squeeze()

    torch.testing.assert_close(fitted(floor=0.3), torch.tensor(0.3))
    torch.testing.assert_close(fitted(), torch.tensor(1e-3))
    torch.testing.assert_close(fitted(variance="feature", floor=[0.1, 0.0, 0.3]), torch.tensor([0.1, 1e-3, 0.3]))
    assert float(fitted(variance=0.01, floor=9.0)) == pytest.approx(0.1)


def test_adapting_moves_the_variance_by_the_rate():
    likelihood = Gaussian((3,), missing=True)
    x = torch.tensor([[3.0, torch.nan, 3.0]])
    likelihood.update_scale(torch.zeros(1, 3), x, 0.25)
    assert float(likelihood.log_variance.exp()) == pytest.approx(0.75 * 1 + 0.25 * 9)
    feature = Gaussian((3,), variance="feature", missing=True)
    feature.update_scale(torch.zeros(1, 3), x, 1.0)
    torch.testing.assert_close(feature.log_variance.exp(), torch.tensor([9.0, 1.0, 9.0]))  # no seen cell: no move


def test_adapting_between_forward_and_backward_is_allowed():
    likelihood = Gaussian((3,), variance="feature")
    parameters = torch.zeros(2, 3, requires_grad=True)
    log_p = likelihood(parameters).log_prob(torch.ones(2, 3)).sum()
    likelihood.update_scale(parameters, torch.full((2, 3), 5.0), 1.0)
    log_p.backward()
    torch.testing.assert_close(parameters.grad, torch.ones(2, 3))


def test_bernoulli_is_the_binary_cross_entropy():
    torch.manual_seed(1)
    logits = 8 * torch.randn(16, 784)
    x = (torch.rand(16, 784) < 0.3).float()
    got = BernoulliDistribution(logits=logits, unseen=torch.zeros(()), n_dims=1).log_prob(x)
    expected = -torch.nn.functional.binary_cross_entropy_with_logits(logits.double(), x.double(), reduction="none")
    torch.testing.assert_close(got, expected.sum(1).float(), rtol=1e-6, atol=1e-3)


def test_negative_binomial_of_great_dispersion_is_the_poisson():
    likelihood = build("NegativeBinomial", {"shape": [4]})
    with torch.no_grad():
        likelihood.log_dispersion.fill_(18.0)
    log_mean, x = torch.randn(5, 4), torch.randint(0, 9, (5, 4)).float()
    expected = torch.distributions.Poisson(log_mean.exp()).log_prob(x).sum(1)
    torch.testing.assert_close(likelihood(log_mean).log_prob(x), expected, rtol=1e-3, atol=1e-3)


class Cauchyish(Laplace):
    """A caller's own likelihood."""


def test_build_names_the_nearest_and_takes_own_parts():
    with pytest.raises(ValueError, match="'Gausian' is unknown: did you mean 'Gaussian'"):
        build("Gausian", {"shape": [2]})
    with pytest.raises(ValueError, match="unknown"):
        build("Likelihood", {"shape": [2]})
    assert type(build("Cauchyish", {"shape": [2]}, {"Cauchyish": Cauchyish})) is Cauchyish
    table = Mixed([(Cauchyish((2,)), [0, 1])], 2)
    nested = build("Mixed", table.options(), {"Cauchyish": Cauchyish})
    assert [type(block) for block in nested.blocks] == [Cauchyish]
    assert not inspect.isabstract(Cauchyish)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Gaussian((3,), variance="features"), "variance='features'"),
        (lambda: Gaussian((3,), variance=0.0), "variance=0.0"),
        (lambda: Gaussian((3,), floor=-1.0), "floor=-1.0"),
        (lambda: Gaussian((3,), variance=1.0, floor=[0.1, 0.1, 0.1]), "not fitted"),
        (lambda: PointMasses((2,), [[0.0], []], [False, False]), "at least one atom"),
        (lambda: PointMasses((2,), [[0.0]], [False]), "2 features"),
        (lambda: Laplace((3,), variance="feature", floor=[0.1]), "3 features"),
        (lambda: Gaussian(()), "shape="),
        (lambda: Categorical((3,), 0), "n_classes=0"),
        (lambda: Mixed([(Gaussian((2,)), [0])], 1), "1 features"),
        (lambda: Mixed([(Gaussian((2,)), [0, 0])], 2), "one block"),
    ],
)
def test_bad_arguments_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@cases
def test_the_baseline_is_the_best_constant_output(name, options):
    torch.manual_seed(1)
    likelihood = build(name, options).double()
    constant = torch.randn(likelihood.parameter_shape, dtype=torch.float64)
    x = likelihood(constant.expand(4000, *likelihood.parameter_shape)).sample()
    if likelihood.missing:
        x[torch.rand_like(x) < 0.3] = torch.nan
    found = likelihood.fit_baseline(x)
    assert found.shape == likelihood.parameter_shape

    def nats(parameters):
        return -likelihood(parameters.expand(len(x), *parameters.shape)).log_prob(x).mean().item()

    best = nats(found)
    assert best <= nats(constant) + 1e-3
    if name == "ConstantCells":
        return
    for k in range(found.numel()):
        for step in (-0.2, 0.2):
            moved = found.clone()
            moved.view(-1)[k] += step
            assert nats(moved) > best


def test_the_baseline_gives_every_value_a_probability_and_bears_empty_cells():
    for name, options in CASES:
        likelihood = build(name, {**options, "missing": True} if name != "Mixed" else options)
        x = torch.zeros(3, *likelihood.shape)
        x.view(3, -1)[:, 0] = torch.nan
        found = likelihood.fit_baseline(x)
        assert bool(found.isfinite().all()), name
        one = torch.ones(1, *likelihood.shape)
        assert bool(likelihood(found[None]).log_prob(one).isfinite().all()), name


def test_the_baseline_of_counts_has_their_mean_and_variance():
    torch.manual_seed(0)
    likelihood = build("NegativeBinomial", {"shape": [1]})
    x = torch.poisson(torch.distributions.Gamma(2.0, 0.5).sample((20_000, 1)))  # mean 4, variance 4 + 16 / 2
    mean = likelihood.fit_baseline(x).exp().item()
    assert mean == pytest.approx(4.0, rel=0.05)
    assert likelihood.log_dispersion.exp().item() == pytest.approx(2.0, rel=0.1)


def test_categorical_cells_are_named():
    assert build("Mixed", MIXED).categorical.tolist() == [False, True, True, False, False]
    assert not build("Gaussian", {"shape": [3]}).categorical.any()


# ---- features along axis 0, whatever follows ---------------------------------------------------------------------


@pytest.mark.parametrize("rest", [(), (5,), (3, 4)])
def test_mixed_takes_features_along_axis_0(rest):
    torch.manual_seed(0)
    blocks = [
        (build("Gaussian", {"shape": [2, *rest], "variance": "feature"}), [3, 0]),
        (build("Categorical", {"shape": [1, *rest], "n_classes": 3}), [1]),
        (build("Bernoulli", {"shape": [1, *rest]}), [2]),
    ]
    mixed = Mixed(blocks, 4)
    assert mixed.shape == (4, *rest) and mixed.parameter_shape == (2 + 3 + 1, *rest)
    parameters = torch.randn(2, 6, *mixed.parameter_shape)
    output = mixed(parameters)
    x = output.sample()[0]
    assert x.shape == (6, 4, *rest)
    pieces = parameters.split([2, 3, 1], 2)
    parts = [block(piece).cell_log_prob(x[:, of]) for (block, of), piece in zip(blocks, pieces, strict=True)]
    wanted = torch.cat([parts[0][:, :, 1:], parts[1], parts[2], parts[0][:, :, :1]], 2)
    torch.testing.assert_close(output.cell_log_prob(x), wanted)
    torch.testing.assert_close(output.log_prob(x), wanted.flatten(2).sum(2))
    assert mixed.categorical.shape == (4, *rest)
    assert mixed.categorical.reshape(4, -1).any(1).tolist() == [False, True, True, False]
    found = mixed.fit_baseline(x)
    assert found.shape == mixed.parameter_shape
    torch.testing.assert_close(found[:2], x[:, [3, 0]].mean(0))
    again = build("Mixed", json.loads(json.dumps(mixed.options())))
    again.load_state_dict(mixed.state_dict())
    torch.testing.assert_close(again(parameters).log_prob(x), mixed(parameters).log_prob(x))


# ---- what is not known -------------------------------------------------------------------------------------------


@cases
def test_a_missing_cell_counts_what_its_feature_counts_on_average_without_a_code(name, options):
    torch.manual_seed(0)
    likelihood = build(name, options)
    x = likelihood(torch.randn(500, *likelihood.parameter_shape)).sample()
    likelihood.mask_missing()
    assert all(part.missing for part in likelihood.modules() if isinstance(part, Likelihood))
    nothing = torch.full_like(x[:1], torch.nan)
    parameters = torch.randn(1, *likelihood.parameter_shape)
    assert float(likelihood(parameters).log_prob(nothing).detach()) == 0.0  # in training
    likelihood.fit_unknown(x, 500)
    baseline = copy.deepcopy(likelihood)
    constant = baseline.fit_baseline(x).expand(500, *likelihood.parameter_shape)
    average = float(baseline(constant).log_prob(x).mean().detach())
    assert float(likelihood(parameters).log_prob(nothing).detach()) == pytest.approx(average, rel=1e-4, abs=1e-4)
    some = x[:1].clone()
    some.view(-1)[0] = torch.nan
    cells = likelihood(parameters).cell_log_prob(x[:1])[0]
    one = likelihood(parameters).cell_log_prob(some)[0]
    assert torch.equal(one.flatten()[1:], cells.flatten()[1:])


@pytest.mark.parametrize(
    ("name", "options", "values"),
    [
        ("Bernoulli", {"shape": [2]}, [0.0, 1.0]),
        ("Categorical", {"shape": [2], "n_classes": 3}, [0.0, 1.0, 2.0]),
        ("ConstantCells", {"shape": [2]}, [0.0]),
        ("Bernoulli", {"shape": [2, 3]}, [0.0, 1.0]),
    ],
)
def test_an_unseen_value_counts_no_more_than_any_known_one(name, options, values):
    torch.manual_seed(0)
    likelihood = build(name, options)
    x = torch.tensor(values)[torch.randint(len(values), (50, *likelihood.shape))]
    x[:25, 0] = torch.nan
    likelihood.mask_missing()
    likelihood.fit_unknown(x, 1000)
    for spread in (0.1, 20.0):
        output = likelihood(spread * torch.randn(2, 4, *likelihood.parameter_shape))
        unseen = output.cell_log_prob(torch.full((4, *likelihood.shape), torch.inf))
        known = torch.stack([output.cell_log_prob(torch.full((4, *likelihood.shape), v)) for v in values])
        assert bool((unseen <= known.amin(0) + 1e-6).all()) and bool(unseen.isfinite().all())
        limit = -torch.tensor([500.0, 1000.0]).add(len(values) + 1).log()
        assert bool((unseen <= limit.view(likelihood.per_feature) + 1e-5).all())
