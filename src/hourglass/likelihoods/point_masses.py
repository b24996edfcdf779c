"""Numbers of which some have a probability of their own: spikes and levels, and a Gaussian for all others."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hourglass.likelihoods.gaussian import Gaussian, GaussianDistribution
from hourglass.likelihoods.likelihood import Distribution, Likelihood, at_least_float32
from hourglass.likelihoods.location_scale import Floor, Variance

NEAR = 1e-5  # relative to 1 + |atom|: float32 on another way to the same number


@dataclass(frozen=True, eq=False, kw_only=True)
class PointMassesDistribution(Distribution):
    """x is atom k with probability softmax(logits)_k, else drawn from `density`, whose logit is the last one.

    logits (*K, B, n + 1, *S), -infinity where there is no such atom or no density; atoms (n, S[0], 1, ...), NaN for
    none.
    """

    logits: Tensor
    atoms: Tensor
    discrete: Tensor  # (S[0], 1, ...) bool: features without a density
    density: GaussianDistribution
    unseen: Tensor  # (S[0], 1, ...) nats, of other values where there is no density

    @property
    def _axis(self) -> int:
        return -self.n_dims - 1

    @property
    def mean(self) -> Tensor:
        """E[x], (*K, B, *S)."""
        p, n = self.logits.softmax(self._axis), len(self.atoms)
        at_atoms = (p.narrow(self._axis, 0, n) * self.atoms.nan_to_num(0.0)).sum(self._axis)
        return at_atoms + p.select(self._axis, n) * self.density.location

    def cell_log_prob_observed(self, x: Tensor) -> Tensor:
        """ln p(atom) where x is one, else ln p(none) + ln N(x), per cell: a probability here, a density there."""
        log_p, n = self.logits.log_softmax(self._axis), len(self.atoms)
        is_atom = near(x.unsqueeze(self._axis), self.atoms)  # (B, n, *S)
        known = log_p.narrow(self._axis, 0, n).masked_fill(~is_atom, 0.0).sum(self._axis)
        other = log_p.select(self._axis, n) + self.density.cell_log_prob_observed(x)
        rarest = log_p.masked_fill(log_p.isneginf(), torch.inf).amin(self._axis)
        other = torch.where(self.discrete, torch.minimum(rarest, self.unseen), other)
        return torch.where(is_atom.any(self._axis), known, other).masked_fill(x.isnan(), torch.nan)

    def sample(self) -> Tensor:
        """One draw, (*K, B, *S): an atom by the largest logit with Gumbel noise added, or a number of the density."""
        n = len(self.atoms)
        gumbel = -torch.empty_like(self.logits).exponential_().log()
        chosen = (self.logits + gumbel).argmax(self._axis, keepdim=True)
        atoms = self.atoms.nan_to_num(0.0).expand_as(self.logits.narrow(self._axis, 0, n))
        numbers = torch.cat([atoms, self.density.sample().unsqueeze(self._axis)], self._axis)
        return numbers.gather(self._axis, chosen).squeeze(self._axis)


def near(x: Tensor, atoms: Tensor) -> Tensor:
    """Whether x is an atom, to the rounding of float32."""
    return (x - atoms).abs() <= NEAR * (1 + atoms.abs())


class PointMasses(Likelihood):
    """Features with atoms a_1 ... a_n, and a Gaussian of fitted variance for all other numbers.

    ``p(x) = p_k`` for x = a_k, and ``p_0 N(x; m, v)`` otherwise, a density. With one atom at 0 this is the hurdle model
    (Cragg 1971, doi:10.2307/1909582). A discrete feature has atoms alone; another number there is unseen.

    Parameters
    ----------
    shape : sequence of int
        S. ``parameter_shape`` is ((n + 2) * S[0], *S[1:]): the logits of the atoms, that of the density, its mean.
    atoms : sequence of sequences of float
        Those of each feature, in model space; n is the largest number of them.
    discrete : sequence of bool
        Whether a feature has no other numbers.
    variance, floor, missing : as in `Gaussian`.

    Raises
    ------
    ValueError
        If there is not one list of atoms, at least one each, and one `discrete`, per feature.
    """

    density: Gaussian
    _atoms: Tensor
    _impossible: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        atoms: Sequence[Sequence[float]],
        discrete: Sequence[bool],
        variance: Variance = "partial",
        floor: Floor = 0.0,
        missing: bool = False,
    ) -> None:
        n = max(map(len, atoms), default=0)
        super().__init__(shape, parameters_per_cell=n + 2, missing=missing, n_values=n)
        if not (len(atoms) == len(discrete) == self.shape[0]) or not all(atoms):
            raise ValueError(
                f"{len(atoms)} lists of atoms and {len(discrete)} of `discrete` for {self.shape[0]} features: give "
                "each one, with at least one atom."
            )
        self.atoms, self.discrete = [list(map(float, a)) for a in atoms], [bool(d) for d in discrete]
        self.variance, self.floor = variance, floor
        padded = torch.tensor([[*a, *[math.nan] * (n - len(a))] for a in self.atoms], dtype=torch.float32)
        impossible = torch.cat([padded.isnan(), torch.tensor(self.discrete).unsqueeze(1)], 1)  # (S[0], n + 1)
        self.density = Gaussian(self.shape, variance, floor, missing=True)
        self.register_buffer("_atoms", padded.T.reshape(n, *self.per_feature).clone(), persistent=False)
        self.register_buffer("_impossible", impossible.T.reshape(n + 1, *self.per_feature).clone(), persistent=False)

    def _parts(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (*K, B, n + 1, *S) and means (*K, B, *S)."""
        axis, n = -self.n_dims - 1, len(self._atoms)
        parts = at_least_float32(parameters).unflatten(-self.n_dims, (n + 2, self.shape[0]))
        return parts.narrow(axis, 0, n + 1), parts.select(axis, n + 1)

    def forward(self, parameters: Tensor) -> PointMassesDistribution:
        """parameters (*K, B, (n + 2) * S[0], *S[1:])."""
        logits, means = self._parts(parameters)
        return PointMassesDistribution(
            logits=logits.masked_fill(self._impossible, -torch.inf),
            atoms=self._atoms,
            discrete=self._impossible[-1],
            density=self.density(means),
            unseen=self.log_prob_unseen,
            n_dims=self.n_dims,
            missing=self.missing_counts,
        )

    @torch.no_grad()
    def regression_target(self, x: Tensor) -> Tensor | None:
        """The log frequencies of the atoms, and x itself where it is none, else the mean of such numbers."""
        baseline = copy.deepcopy(self).fit_baseline(x)  # which sets the scale
        target = baseline.expand(len(x), *baseline.shape).clone()
        n, others = self.shape[0], self._others(x)
        target[:, -n:] = torch.where(others.isnan(), target[:, -n:], others)
        return target

    def _others(self, x: Tensor) -> Tensor:
        """x (B, *S) with NaN for atoms, and for all of a discrete feature."""
        return x.masked_fill(near(x.unsqueeze(1), self._atoms).any(1) | self._impossible[-1], torch.nan)

    @torch.no_grad()
    def update_scale(self, parameters: Tensor, x: Tensor, rate: float) -> None:
        """That of the density, on the numbers that are no atoms."""
        self.density.update_scale(self._parts(parameters)[1], self._others(x), rate)

    @torch.no_grad()
    def settle_scale(self, parameters: Tensor, x: Tensor) -> None:
        """That of the density, on the numbers that are no atoms."""
        self.density.settle_scale(self._parts(parameters)[1], self._others(x))

    @torch.no_grad()
    def fit_baseline(self, x: Tensor) -> Tensor:
        """Log frequencies of the atoms in every cell, half a row added to each, and the mean of all other numbers."""
        is_atom, others = near(x.unsqueeze(1), self._atoms), self._others(x)
        counts = torch.cat([is_atom.sum(0), (~others.isnan()).sum(0, keepdim=True)]).to(x.dtype) + 0.5
        counts.masked_fill_(self._impossible, 1e-6)
        mean = self.density.fit_baseline(others)
        return torch.cat([(counts / counts.sum(0)).log(), mean.unsqueeze(0)]).flatten(0, 1)
