"""Codes drawn given what is known of a row: z ~ p(z | x_known), proportional to p(x_known | z) p(z).

p(z) is the density that was fitted to the codes after training, so that this is the same for recipes with and without a
prior, and does not rest on the encoder, which may never have seen a hidden cell. Codes drawn from p(z) are resampled by
their weights p(x_known | z). Where few of them have any weight, a row starts from the encoder's code if that is more
probable, and moves on by elliptical slice sampling within a component of the mixture, which itself is drawn given z:
both steps leave p(z | x_known) as it is and have nothing to tune.

Shapes: ``B`` rows, ``K`` draws of each, ``S`` codes they are resampled from, ``L`` the size of a code.

Sources: Rubin 1988, Bayesian Statistics 3, 395-402, for resampling by importance; Murray, Adams and MacKay 2010,
arXiv:1001.0175, for the slices. Rezende, Mohamed and Wierstra 2014, arXiv:1401.4082, appendix F, and Mattei and
Frellsen 2018, arXiv:1802.04826, draw code and cells in turn instead, from an encoder that is a distribution.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from hourglass.diagnostics.density import CodeDensity
from hourglass.diagnostics.gaussian_mixture import GaussianMixture
from hourglass.model import Autoencoder

CANDIDATES = 2_048  # S, of all rows of one condition
TO_AVERAGE = 512  # of them
MANY_CONDITIONS = 32  # from where on rows of different conditions share less, and have fewer candidates each
MIN_CANDIDATES = 128
NUMBERS_AT_ONCE = 2**23  # parameters of distributions in memory
STEPS = 12
SHRINKINGS = 40  # of a slice, after which a code stays where it is
ENOUGH = 10  # effective candidates for each draw, from which on a row needs no steps


@torch.no_grad()
def draw_codes(
    model: Autoencoder,
    density: CodeDensity,
    x: Tensor,
    condition: Tensor | None = None,
    groups: np.ndarray | None = None,
    *,
    n: int = 1,
    seed: int = 0,
) -> Tensor:
    """Codes given the known cells of rows.

    Parameters
    ----------
    model : whose decoder says how probable the known cells are.
    density : p(z), of the codes of the data.
    x : (B, *S) in model space, NaN where a cell is not known.
    condition, groups : (B, C) and (B,), where the model, and the density, were fitted with one.
    n : K, draws of each row.
    seed : of everything random but what is drawn from torch's generator, which the caller seeds.

    Returns
    -------
    (K, B, L) float32
    """
    rng = np.random.default_rng(seed)
    codes = torch.empty(n, len(x), density.size)
    settled = torch.zeros(len(x), dtype=torch.bool)
    blocks = _blocks(condition, len(x))
    candidates = max(MIN_CANDIDATES, CANDIDATES * MANY_CONDITIONS // max(MANY_CONDITIONS, len(blocks)))
    for rows in blocks:
        group = None if groups is None else groups[int(rows[0])]
        given = None if condition is None else condition[rows[:1]]
        z = torch.from_numpy(density.sample(candidates, group, seed=int(rng.integers(2**31))))
        codes[:, rows], settled[rows] = _resampled(model, z, x[rows], given, n)
    moving = (~settled).nonzero().flatten()
    mixtures = _mixtures(density, None if groups is None else groups[moving.numpy()], len(moving))
    for mixture, some in mixtures:
        rows = moving[some]
        size = max(1, NUMBERS_AT_ONCE // (n * math.prod(model.decode.likelihood.parameter_shape)))
        for part in rows.split(size):
            given = None if condition is None else condition[part]
            mode = model.encode(x[part], given).mode
            moved = _sliced(
                model,
                mixture,
                codes[:, part].flatten(0, 1),
                mode.repeat(n, 1),
                x[part].repeat(n, *(1 for _ in x.shape[1:])),
                None if given is None else given.repeat(n, 1),
            )
            codes[:, part] = moved.unflatten(0, (n, len(part)))
    return codes


@torch.no_grad()
def expected(
    model: Autoencoder,
    density: CodeDensity,
    x: Tensor,
    condition: Tensor | None = None,
    *,
    seed: int = 0,
) -> Tensor:
    """The expected value of every cell given the known cells of its row, in model space: that of 512 codes drawn from
    p(z), the same for all rows, by their weights p(x_known | z). What it says of categories means nothing.

    Parameters
    ----------
    model, density, x, condition : as of `draw_codes`; the density is one for all rows.
    seed : of the codes.

    Returns
    -------
    (B, *S) float64
    """
    found = torch.empty(x.shape, dtype=torch.float64)
    z = torch.from_numpy(density.sample(TO_AVERAGE, seed=seed)).to(x.device)
    for rows in _blocks(condition, len(x)):
        given = None if condition is None else condition[rows[:1]].expand(len(z), -1)
        parameters = model.decode.parameters_of(z, given)
        made = model.decode.likelihood(parameters).reconstruction.double().flatten(1)
        for part in rows.split(max(1, NUMBERS_AT_ONCE // parameters.numel())):
            weights = _weights(model, parameters, x[part])
            found[part] = (weights.T @ made).reshape(len(part), *x.shape[1:]).cpu()
    return found


def _weights(model: Autoencoder, parameters: Tensor, x: Tensor) -> Tensor:
    """Of what S codes give (S, *P): how much each counts for the rows x (B, *S), (S, B)."""
    wide = parameters[:, None].expand(len(parameters), len(x), *parameters.shape[1:])
    return model.decode.likelihood(wide).log_prob(x).double().softmax(0)


def _blocks(condition: Tensor | None, n: int) -> list[Tensor]:
    """Places of the rows that have one condition, for each condition."""
    if condition is None:
        return [torch.arange(n)]
    _, of_row = condition.unique(dim=0, return_inverse=True)
    return [(of_row == k).nonzero().flatten() for k in range(int(of_row.max()) + 1)]


def _mixtures(density: CodeDensity, groups: np.ndarray | None, n: int) -> list[tuple[GaussianMixture, Tensor]]:
    return [(mixture, torch.from_numpy(rows)) for mixture, rows in density.rows_of(groups, n)] if n else []


def _resampled(model: Autoencoder, z: Tensor, x: Tensor, condition: Tensor | None, n: int) -> tuple[Tensor, Tensor]:
    """Of codes z (S, L), n for each row x (B, *S) by their weights (n, B, L); which rows have enough of them, (B,)."""
    given = None if condition is None else condition.expand(len(z), -1)
    parameters = model.decode.parameters_of(z.to(x.device), given)
    chosen, settled = [], []
    for rows in x.split(max(1, NUMBERS_AT_ONCE // parameters.numel())):
        weights = _weights(model, parameters, rows).cpu()
        chosen.append(torch.multinomial(weights.T, n, replacement=True).T)
        settled.append(1 / weights.square().sum(0) > ENOUGH * n)
    return z[torch.cat(chosen, 1)], torch.cat(settled)


def _sliced(
    model: Autoencoder, mixture: GaussianMixture, z: Tensor, mode: Tensor, x: Tensor, condition: Tensor | None
) -> Tensor:
    """Codes z (R, L), or those of the encoder, after some steps that leave p(z | known cells of x) as it is."""
    where = x.device
    means, factors = (torch.from_numpy(np.asarray(a)).float().to(where) for a in (mixture.means, mixture.factors))
    weights = torch.from_numpy(np.asarray(mixture.weights)).float().log().to(where)
    inverse = torch.linalg.inv(factors.double()).float()
    constant = weights - factors.diagonal(dim1=1, dim2=2).log().sum(1)

    def log_likelihood(code: Tensor, rows: Tensor) -> Tensor:
        return model.decode(code, None if condition is None else condition[rows]).log_prob(x[rows])

    def log_prior(code: Tensor) -> Tensor:
        return torch.from_numpy(mixture.log_prob(code.cpu().numpy())).to(where)

    every = torch.arange(len(z), device=where)
    z = z.to(where)
    now, of_mode = log_likelihood(z, every), log_likelihood(mode, every)
    # a mode is more probable than what is drawn around it by about half a nat per dimension
    better = of_mode + log_prior(mode) > now + log_prior(z) + mode.shape[1]
    z, now = torch.where(better[:, None], mode, z), torch.where(better, of_mode, now)
    for _ in range(STEPS):
        standard = torch.einsum("clm,rcm->rcl", inverse, z[:, None] - means)
        component = torch.distributions.Categorical(logits=constant - 0.5 * standard.square().sum(2)).sample()
        centre = means[component]
        other = torch.einsum("rlm,rm->rl", factors[component], torch.randn_like(z))
        least = now + torch.rand_like(now).log()
        angle = 2 * math.pi * torch.rand_like(now)
        low, high = angle - 2 * math.pi, angle.clone()
        off, moving = z - centre, every
        for _ in range(SHRINKINGS):
            turned = angle[moving, None]
            candidate = centre[moving] + off[moving] * turned.cos() + other[moving] * turned.sin()
            value = log_likelihood(candidate, moving)
            inside = value > least[moving]
            accepted = moving[inside]
            z[accepted], now[accepted] = candidate[inside], value[inside]
            moving = moving[~inside]
            if not len(moving):
                break
            low[moving] = torch.where(angle[moving] < 0, angle[moving], low[moving])
            high[moving] = torch.where(angle[moving] < 0, high[moving], angle[moving])
            angle[moving] = low[moving] + (high[moving] - low[moving]) * torch.rand_like(low[moving])
    return z.cpu()


def central_range(draws: Tensor, probability: float, categorical: Tensor) -> Tensor:
    """Draws (n, N, *S) -> the lower and the upper end of the middle of them, (2, N, *S), both values that were drawn;
    of cells whose values are names, *S bool, twice the most frequent one. Cells that were never drawn are NaN."""
    tail = (1 - probability) / 2
    known = draws.nan_to_num()
    ends = torch.stack([known.quantile(q, 0, interpolation="nearest") for q in (tail, 1 - tail)])
    ends = torch.where(categorical.to(draws.device), known.mode(0).values, ends)
    return torch.where(draws[:1].isnan(), torch.nan, ends)
