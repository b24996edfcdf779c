"""The steps of a fit once the model stands: it begins from data, trains, and is measured on held-out examples."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from hourglass.diagnostics.summary import Figures, FitFacts, Summary, late_gain, summarise
from hourglass.estimators.training_data import MAX_HELD_OUT, MIN_TO_HOLD_OUT, TrainingData
from hourglass.modalities import Modality
from hourglass.model import Autoencoder, ModelSpace
from hourglass.randomness import seeded
from hourglass.recipe import Recipe
from hourglass.run_files import START, Run
from hourglass.training import Rows, Settings, Trainer, TrainingState
from hourglass.training.loop import Watch
from hourglass.training.state import Progress
from hourglass.user_warnings import warn

SCALE_ROWS = 2048  # held-out examples that the likelihood's final scale is fitted to
ROWS_TO_BEGIN, CELLS_TO_BEGIN = 5_000, 2**26  # at most, that parts which start from data see: 256 MiB


@dataclass(frozen=True)
class Validation:
    """What models that were each trained without some examples found of these.

    Attributes
    ----------
    epochs : as many as are best, on average.
    parameters, x : (N, *P), (N, *S): what the decoders put out for examples held out, and these in model space.
    figures : of examples held out, averaged.
    models : each with the examples that it learned from, and those that it did not.
    """

    epochs: int
    parameters: Tensor
    x: Tensor
    figures: Figures
    models: tuple[tuple[Autoencoder, Rows, Rows], ...]


def train(
    model: Autoencoder,
    recipe: Recipe,
    data: TrainingData,
    settings: Settings,
    *,
    identity: str,
    run: Run | None,
    resume: bool,
    watch: Watch | None,
    part: tuple[int, int] = (1, 1),
) -> TrainingState:
    """Trains the model in place, and leaves it on the CPU.

    Parameters
    ----------
    identity : fingerprint of all that a resumed run must share with the one it continues.
    run, resume, watch : as in `AutoencoderEstimator.fit`.
    part : which training of a fit this is, from 1, and out of how many.

    Raises
    ------
    ValueError : resume=True without a run.
    CheckpointError : for a checkpoint of another run.
    """
    if resume and run is None:
        raise ValueError("resume=True needs run=, the folder of the run to continue")
    device = torch.device(settings.device)
    model.to(device)
    space = ModelSpace(model.scaling, data.modality.noise_mask(), data.modality.mask_value)
    with seeded(settings.seed):
        if model.begins:
            n_rows = min(ROWS_TO_BEGIN, CELLS_TO_BEGIN // math.prod(data.modality.shape))
            first = data.sample.batch(slice(0, max(n_rows, 2))).to(device)
            model.begin(model.scaling(first.raw), first.condition)
        _warn_idle_corruptions(recipe, data.modality, space)
        state = TrainingState(model, recipe, settings)
        state.part = part
        if run is not None:
            state.origin = run.origin
            if run.origin.arguments is None:  # nobody is to continue a command's run where this one was started after
                (run.folder / START).unlink(missing_ok=True)
            if resume and run.checkpoint.exists():
                state.load(run.checkpoint, identity)
        held_out = None if data.held_out is None else data.held_out.to(device)
        Trainer(
            model, recipe, data.rows, held_out, state,
            space=space, checkpoint=None if run is None else run.checkpoint, fingerprint=identity, watch=watch,
        ).run()  # fmt: skip
    model.to("cpu")
    return state


def _warn_idle_corruptions(recipe: Recipe, modality: Modality, space: ModelSpace) -> None:
    """Warns where a corruption can change nothing, so that the model is the plain one in all but name."""
    for corruption in recipe.corruptions:
        if not corruption.touches(space):
            warn(
                f"{corruption!r} changes nothing in these data, which have no numeric cells: take, for example, "
                f"recipe='ae {modality.default_corruption}'"
            )


@torch.no_grad()
def measure(
    model: Autoencoder,
    recipe: Recipe,
    data: TrainingData,
    settings: Settings,
    progress: Progress,
    validation: Validation | None = None,
) -> Summary:
    """Sets the likelihood's final scale, and measures the trained model on held-out examples, or takes the measures of
    a cross-validation."""
    test = data.sample if data.held_out is None else data.held_out
    modality = data.modality
    if validation is not None:
        model.decode.likelihood.settle_scale(validation.parameters, validation.x)
    elif len(test) >= MIN_TO_HOLD_OUT:  # that of training was the scale of weights in motion
        model.decode.likelihood.settle_scale(*parameters_of(model, test[slice(0, SCALE_ROWS)], settings.seed))
    if modality.has_missing:
        model.decode.likelihood.mask_missing()
    with seeded(settings.seed):
        held_out = test[slice(0, MAX_HELD_OUT)]
        figures = summarise(model, data.sample, held_out, modality.noise_mask(), model.sizes.latent)
        figures = figures if validation is None else validation.figures
    if not modality.has_missing:  # what is NaN in such data is padding
        figures = replace(figures, share_missing=0.0)
    if modality.has_missing:
        known = data.sample[slice(0, SCALE_ROWS)]
        model.decode.likelihood.fit_unknown(model.scaling(known.raw), data.n_independent)
    facts = FitFacts(
        held_out=data.held_out is not None or validation is not None, folds=data.folds,
        n_independent=data.n_independent_held if data.held_out is not None or data.folds else 0,
        ended=progress.ended, epochs=progress.epoch,
        max_epochs=settings.max_epochs, best_epoch=progress.best_epoch, seconds=progress.seconds,
        late_gain=late_gain(progress.history), recipe=repr(recipe), conditional=data.condition is not None,
        constant_columns=list(modality.constant_names),
    )  # fmt: skip
    return Summary(**asdict(figures), **asdict(facts))


@torch.no_grad()
def parameters_of(model: Autoencoder, rows: Rows, seed: int) -> tuple[Tensor, Tensor]:
    """What the decoder puts out for rows, (N, *P), and these in model space, (N, *S)."""
    with seeded(seed):
        x = model.scaling.training_view(rows.raw)  # type: ignore[operator]
        posterior = model.encode(x, rows.condition)
        shown = model.decode.parameters_of(posterior.sample(), rows.condition, posterior.shallow, tuple(x.shape[2:]))
        return shown, x
