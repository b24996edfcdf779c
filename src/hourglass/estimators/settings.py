"""What a fit settles before it trains, from what was asked for and from the data: the code's size and the settings."""

from __future__ import annotations

import math

import torch

from hourglass.diagnostics.baseline import Baseline
from hourglass.diagnostics.intrinsic_dimension import suggest_n_latent
from hourglass.estimators.training_data import TrainingData
from hourglass.likelihoods import Likelihood
from hourglass.model import Autoencoder
from hourglass.parameters import Training
from hourglass.training import Settings, resolve_batch_size, resolve_device, resolve_epochs, resolve_precision

ROWS_FOR_DIMENSION = 5_000


def n_latent_for(data: TrainingData, likelihood: Likelihood) -> int:
    """L by the intrinsic dimension of independent training examples, in the space of the model."""
    rows = data.sample[torch.from_numpy(data.independent[:ROWS_FOR_DIMENSION])]
    noise_mask = data.modality.noise_mask()
    x = data.modality.scaling(likelihood)(rows.raw)
    n_values = Baseline(likelihood, x, noise_mask).n_values
    x = x.flatten(1).nan_to_num(0.0)
    deviation = x.std(0, correction=0)
    unscaled = ~noise_mask.flatten() & (deviation > 0)  # counts, and categories by their number
    x = torch.where(unscaled, x / deviation.where(deviation > 0, torch.ones(())), x)
    return suggest_n_latent(x.numpy(), n_values)


def settings_for(wish: Training, data: TrainingData, model: Autoencoder, seed: int, n_threads: int) -> Settings:
    """The settings of the run: those of `wish`, and where it leaves them open what suits the data and the machine."""
    device, n, numbers = resolve_device(wish.device), len(data.rows), math.prod(model.decode.likelihood.parameter_shape)
    batch_size = min(int(wish.batch_size or resolve_batch_size(n, numbers)), n)
    epochs = int(wish.max_epochs or resolve_epochs(n, batch_size, model, data.n_independent))
    return Settings(
        max_epochs=epochs,
        batch_size=batch_size,
        # found on rows held out of MNIST's training part: batches of 512 want four times the usual rate
        learning_rate=float(wish.learning_rate or 1e-3 * max(1.0, min(4.0, batch_size / 128))),
        patience=int(wish.patience or max(10, epochs // 5)),
        seed=seed,
        precision=resolve_precision(wish.precision, model, batch_size, device),
        n_threads=n_threads,
        device=str(device),
    )
