"""What a model does on each of some rows, in one pass: its nats, its errors, and those of predicting without a code."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hourglass.diagnostics.baseline import Baseline
from hourglass.model import Autoencoder
from hourglass.training.rows import Rows

CELLS_AT_ONCE = 2**22  # of what a decoder puts out: some dozens of MB, with all that is computed from it
MAX_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class RowMeasures:
    """Of N rows: codes (N, L), nats (N,), errors (N,).

    `nats` are -log p(x | code) at the posterior's mode, those of categorical cells once more alone; `objective` are
    -log p(x | z) of one sampled z plus the KL from the recipe's prior, the negative ELBO; of a deterministic code,
    which has no KL, `nats` again. `kl_per_dimension` is None for priors whose divergence is no sum over dimensions.
    `squares` sums the weighted squared errors of numeric cells, `wrong` counts the categorical cells that come back as
    another value. What begins with `baseline_` is the same of the baseline.
    """

    codes: Tensor
    kl: Tensor | None
    kl_per_dimension: Tensor | None  # (N, L)
    nats: Tensor
    categorical_nats: Tensor
    objective: Tensor
    squares: Tensor
    wrong: Tensor
    baseline_nats: Tensor
    baseline_categorical_nats: Tensor
    baseline_squares: Tensor
    baseline_wrong: Tensor

    @property
    def gain(self) -> Tensor:
        """Nats that the code saves: positive where the reconstruction is better than the baseline."""
        return self.baseline_nats - self.nats


@torch.no_grad()
def measure(model: Autoencoder, rows: Rows, baseline: Baseline) -> RowMeasures:
    """One pass over raw rows; the sample of the code is from torch's global generator: the caller seeds."""
    n = max(16, min(MAX_ROWS_AT_ONCE, CELLS_AT_ONCE // math.prod(model.decode.likelihood.parameter_shape)))
    batches = [_measure(model, model.scaling(batch.raw), batch.condition, baseline) for batch in rows.batches(n)]
    columns = {name: [getattr(batch, name) for batch in batches] for name in RowMeasures.__dataclass_fields__}
    whole: dict[str, Any] = {name: None if b[0] is None else torch.cat(b) for name, b in columns.items()}
    return RowMeasures(**whole)


def _measure(model: Autoencoder, x: Tensor, condition: Tensor | None, baseline: Baseline) -> RowMeasures:
    posterior, prior, size = model.encode(x, condition), model.encode.prior(condition), tuple(x.shape[2:])
    output = model.decode(posterior.mode, condition, posterior.shallow, size)
    nats = -output.log_prob(x).double()
    kl, kl_per_dimension, objective = None, None, nats
    if prior is not None and hasattr(posterior, "log_prob"):
        z = posterior.sample()
        kl, kl_per_dimension = prior.divergence(posterior, z), prior.divergence_per_dimension(posterior, z)
        objective = kl.double() - model.decode(z, condition, posterior.shallow, size).log_prob(x).double()
    without_code = -baseline.cell_log_prob(x).double()
    numeric, categorical = baseline.numeric, baseline.categorical
    reconstruction, names = output.reconstruction, x[:, categorical]
    categorical_nats = torch.zeros(len(x), dtype=torch.float64)
    if len(names.T):
        categorical_nats = -output.cell_log_prob(x)[:, categorical].double().sum(1)

    def squares(predicted: Tensor) -> Tensor:
        error = (x - predicted)[:, numeric].double().square() * baseline.weight[numeric]
        return error.nan_to_num(0.0).sum(1)

    def wrong(predicted: Tensor) -> Tensor:
        return ((names != predicted.round()) & ~names.isnan()).double().sum(1)

    return RowMeasures(
        codes=posterior.mode.flatten(1),
        kl=kl,
        kl_per_dimension=None if kl_per_dimension is None else kl_per_dimension.flatten(1),
        nats=nats,
        categorical_nats=categorical_nats,
        objective=objective,
        squares=squares(reconstruction),
        wrong=wrong(reconstruction[:, categorical]),
        baseline_nats=without_code.flatten(1).sum(1),
        baseline_categorical_nats=without_code[:, categorical].sum(1),
        baseline_squares=squares(baseline.values),
        baseline_wrong=wrong(baseline.values[categorical]),
    )
