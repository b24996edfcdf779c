"""The reparameterised posterior and its KL."""

import math

import pytest
import torch

from hourglass.model import Sizes
from hourglass.variants import Sampled
from hourglass.variants.vae import DiagonalGaussian, StandardNormal

N = 200_000
PRIOR = StandardNormal((3,))


def posterior(n=1):
    mean = torch.tensor([[0.7, -1.2, 0.0]], dtype=torch.float64)
    log_variance = torch.tensor([[math.log(4.0), math.log(0.09), 0.0]], dtype=torch.float64)
    return DiagonalGaussian(mean.expand(n, -1), log_variance.expand(n, -1))


def test_samples_have_the_mean_and_the_variance_and_not_its_square():
    """z = mean + exp(log_variance / 2) epsilon: with exp(log_variance), the slip of a widely copied tutorial, the
    variance 4 would come out as 16, and 0.09 as 0.0081."""
    torch.manual_seed(0)
    z = posterior(N).sample()
    torch.testing.assert_close(z.mean(0), posterior().mean[0], atol=0.025, rtol=0)
    torch.testing.assert_close(z.var(0), posterior().log_variance[0].exp(), atol=0, rtol=0.02)


def test_a_bottleneck_samples_that_way_and_keeps_the_gradient():
    torch.manual_seed(0)
    bottleneck = Sampled(Sizes((4,), 4, 3))
    features = torch.randn(1, 4).expand(N, -1)
    q = bottleneck(features)
    z = q.sample()
    torch.testing.assert_close(z.var(0), q.log_variance[0].exp(), atol=0, rtol=0.02)
    (gradient,) = torch.autograd.grad(z.square().mean(), [bottleneck.head.weight])
    assert bool((gradient != 0).all())  # through the mean and through the deviation


def test_log_prob_is_the_density_of_the_samples():
    q = posterior()
    z = torch.randn(5, 1, 3, dtype=torch.float64)
    expected = torch.distributions.Normal(q.mean, q.log_variance.exp().sqrt()).log_prob(z).sum(-1)
    torch.testing.assert_close(q.log_prob(z), expected)
    standard = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    torch.testing.assert_close(PRIOR.log_prob(z), standard)


def test_the_analytic_kl_is_the_mean_of_the_log_ratio():
    torch.manual_seed(0)
    q = posterior(N)
    z = q.sample()
    ratio = q.log_prob(z) - PRIOR.log_prob(z)
    error = float(ratio.std()) / N**0.5
    assert float(PRIOR.divergence(q, z)[0]) == pytest.approx(float(ratio.mean()), abs=5 * error)
    assert 5 * error < 0.05  # and that is sharp enough to see a factor of two


def test_the_kl_is_nothing_for_the_prior_itself_and_positive_elsewhere():
    itself = DiagonalGaussian(torch.zeros(1, 3), torch.zeros(1, 3))
    assert float(PRIOR.divergence(itself, itself.sample())) == 0.0
    torch.manual_seed(0)
    q = DiagonalGaussian(torch.randn(100, 3), torch.randn(100, 3))
    z = q.sample()
    assert bool((PRIOR.divergence(q, z) > 0).all())
    torch.testing.assert_close(PRIOR.divergence(q, z), PRIOR.divergence_per_dimension(q, z).sum(1))


def test_the_prior_samples_itself():
    torch.manual_seed(0)
    z = PRIOR.sample(N)
    assert z.shape == (N, 3)
    torch.testing.assert_close(z.T.cov(), torch.eye(3), atol=0.02, rtol=0)
