"""What an anomaly score is made of: measures of one example each, in the field's own names. Higher is more anomalous.

Shapes: ``B`` examples, ``S`` the shape of one, ``L`` the size of a code, ``M`` members.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hourglass.detection.exemplars import vectors
from hourglass.diagnostics.evidence import log_evidence
from hourglass.likelihoods import Distribution
from hourglass.model import Autoencoder

if TYPE_CHECKING:
    from hourglass.detection.scorer import Scorer

EVIDENCE_SAMPLES = 16
MAX_RESIDUAL = 1e6  # of a number that was not there at fit, in a column where there was but one


class Look:
    """What one pass of examples through a model gives; each part is computed when it is first asked for.

    Parameters
    ----------
    model : on the device of x.
    x : (B, *S) in model space.
    condition : (B, C) or None.
    """

    def __init__(self, model: Autoencoder, x: Tensor, condition: Tensor | None) -> None:
        self.model, self.x, self.condition = model, x, condition

    @cached_property
    def posterior(self) -> Any:
        return self.model.encode(self.x, self.condition)

    @cached_property
    def codes(self) -> Tensor:
        """(B, L) the posterior's mode; codes on a grid laid out flat."""
        codes: Tensor = self.posterior.mode.flatten(1)
        return codes

    @cached_property
    def output(self) -> Distribution:
        """p(x | mode)."""
        posterior = self.posterior
        return self.model.decode(posterior.mode, self.condition, posterior.shallow, tuple(self.x.shape[2:]))

    @cached_property
    def kl(self) -> Tensor:
        """KL(q(z | x) || p(z)), (B,) nats."""
        prior = self.model.encode.prior(self.condition)
        assert prior is not None  # members that need one are left out of recipes without
        return prior.divergence(self.posterior, self.posterior.mode)

    @cached_property
    def error(self) -> Tensor:
        """-log p(x | mode), (B,) nats."""
        return -self.output.cell_log_prob(self.x).double().flatten(1).sum(1)

    @cached_property
    def residuals(self) -> Tensor:
        """How far cells are from their reconstruction, (B, *S): of names, the probability of others; 0 if missing."""
        likelihood = self.model.decode.likelihood
        distance = (self.x - self.output.reconstruction).abs()
        other = 1 - self.output.cell_log_prob(self.x).exp()
        found = torch.where(likelihood.categorical.to(self.x.device), other, distance)
        return found.masked_fill(self.x.isnan(), 0.0).nan_to_num(0.0, posinf=MAX_RESIDUAL).clamp(0, MAX_RESIDUAL)

    @cached_property
    def vectors(self) -> Tensor:
        """(B, F), see `exemplars.vectors`."""
        return vectors(self.model, self.x)


def _elbo(scorer: Scorer, look: Look) -> Tensor:
    return look.error + look.kl


def _residuals(scorer: Scorer, look: Look) -> Tensor:
    return scorer.log_residuals(look).flatten(1).sum(1)


def _rmse(scorer: Scorer, look: Look) -> Tensor:
    return look.residuals.double().flatten(1).square().mean(1).sqrt()


def _largest(scorer: Scorer, look: Look) -> Tensor:
    """(B,): the largest over the features, the first axis of S, of root mean square residual / its usual one."""
    each = (look.residuals, scorer.typical[None])
    found, usual = (r.double().reshape(*r.shape[:2], -1).square().mean(2).sqrt() for r in each)
    return (found / usual).amax(1)


def _evidence(scorer: Scorer, look: Look) -> Tensor:
    n = len(look.x)
    return -log_evidence(look.model, look.x, look.condition, n_samples=EVIDENCE_SAMPLES, batch_size=n)


def _mahalanobis(scorer: Scorer, look: Look) -> Tensor:
    return scorer.whitened(look.codes).square().sum(1).sqrt()


def _codes(scorer: Scorer, look: Look) -> Tensor:
    return scorer.codes.nearest(scorer.whitened(look.codes).float())[0]


def _rows(scorer: Scorer, look: Look) -> Tensor:
    assert scorer.rows is not None
    return scorer.rows.nearest(look.vectors)[0]


MEMBERS: dict[str, Callable[[Scorer, Look], Tensor]] = {
    "residuals": _residuals,
    "rmse": _rmse,
    "largest": _largest,
    "reconstruction": lambda scorer, look: look.error,
    "elbo": _elbo,
    "evidence": _evidence,
    "kl": lambda scorer, look: look.kl,
    "mahalanobis": _mahalanobis,
    "codes": _codes,
    "rows": _rows,
}
MEANINGS = {
    "residuals": "many of its cells differ from their reconstruction",
    "rmse": "it differs from its reconstruction",
    "largest": "one of its features differs far from its reconstruction",
    "reconstruction": "it is not decoded well from its code",
    "elbo": "the model gives it a low probability",
    "evidence": "the model gives it a low probability",
    "kl": "its code is unusual under the prior",
    "mahalanobis": "its code lies far from the middle of the codes",
    "codes": "its code is unlike any stored one",
    "rows": "it is unlike any stored example",
}
NEIGHBOURS = ("codes", "rows")  # compare with stored examples, among which anomalies may be
NEED_PRIOR = ("elbo", "evidence", "kl")


def measure(scorer: Scorer, names: tuple[str, ...], model: Autoencoder, x: Tensor, condition: Tensor | None) -> Tensor:
    """The members of these names for examples x (B, *S) in model space: (B, M) float64."""
    look = Look(model, x, condition)
    return torch.stack([MEMBERS[name](scorer, look).double() for name in names], 1)
