"""Few examples: all of them are learned from, for as long as cross-validation finds best.

A tenth of some hundred examples is too few to choose the best epoch by, and to fit a variance to. So as many models as
there are folds are trained, each without its fold. Training is as long as makes the objective of the examples held out
best, on average over the folds; what the models say of these examples gives the variance and the figures of the model
that is trained on all.

Windows of few records are held out by whole records, in fewer folds: of a dozen levels a tenth is one, and what is best
for that one may be bad for all others.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch

from hourglass.diagnostics.summary import Figures, summarise
from hourglass.estimators.fitting import SCALE_ROWS, Validation, parameters_of, train
from hourglass.estimators.training_data import MAX_HELD_OUT, TrainingData, one_of_each
from hourglass.model import Autoencoder
from hourglass.randomness import seeded
from hourglass.recipe import Recipe
from hourglass.training import Rows, Settings, TrainingState
from hourglass.training.loop import Watch


def cross_validate(
    build: Callable[[], Autoencoder], recipe: Recipe, data: TrainingData, settings: Settings, watch: Watch | None = None
) -> Validation:
    """Trains a model for every fold, twice.

    Parameters
    ----------
    build : makes the model as it is before training, always the same.
    data : with `folds`.
    watch : as in `AutoencoderEstimator.fit`.

    Raises
    ------
    KeyboardInterrupt : Ctrl-C in one of the folds: nothing is fitted yet.
    """
    folds = list(_folds(data, settings.seed))
    settings = dataclasses.replace(settings, patience=max(10, settings.patience // 2))
    curves = []
    for number, fold in enumerate(folds, 1):
        state = _trained(build(), recipe, fold, settings, watch, (number, 2 * len(folds) + 1))
        curves.append([epoch["objective"] for epoch in state.progress.history])
    common = min(map(len, curves))
    epochs = int(np.mean([curve[:common] for curve in curves], axis=0).argmin()) + 1
    models = [build() for _ in folds]
    answers = []
    for number, (model, fold) in enumerate(zip(models, folds, strict=True), len(folds) + 1):
        # once more for as long, to the weights of that epoch, whichever was best by this fold alone
        as_long = dataclasses.replace(settings, last_epoch=epochs)
        part = (number, 2 * len(folds) + 1)
        _trained(model, recipe, dataclasses.replace(fold, held_out=None), as_long, watch, part)
        answers.append(parameters_of(model, _held_out(fold)[slice(0, SCALE_ROWS)], settings.seed))
    parameters, x = (torch.cat(parts) for parts in zip(*answers, strict=True))
    figures = []
    for model, fold in zip(models, folds, strict=True):
        model.decode.likelihood.settle_scale(parameters, x)
        mask = data.modality.noise_mask()
        with seeded(settings.seed):
            figures.append(summarise(model, fold.sample, _held_out(fold), mask, model.sizes.latent))
        if data.modality.has_missing:
            model.decode.likelihood.mask_missing()
    trained = tuple((m, fold.sample, _held_out(fold)) for m, fold in zip(models, folds, strict=True))
    return Validation(epochs, parameters, x, _averaged(figures), trained)


def _trained(
    model: Autoencoder,
    recipe: Recipe,
    fold: TrainingData,
    settings: Settings,
    watch: Watch | None,
    part: tuple[int, int],
) -> TrainingState:
    state = train(model, recipe, fold, settings, identity="", run=None, resume=False, watch=watch, part=part)
    if state.progress.ended == "interrupted":
        raise KeyboardInterrupt
    return state


def _held_out(fold: TrainingData) -> Rows:
    assert fold.held_out is not None
    return fold.held_out


def _folds(data: TrainingData, seed: int) -> Iterator[TrainingData]:
    """Training data of each fold, with the fold held out: some of the examples, or the windows of some records."""
    rng = np.random.default_rng((seed, 4))
    order = rng.permutation(len(data.sample))
    parts = np.array_split(order, data.folds)
    if data.records is not None:
        records = data.records[order]
        some = np.array_split(rng.permutation(np.unique(records)), data.folds)
        parts = [order[np.isin(records, each)] for each in some]
    for held in parts:
        train = np.setdiff1d(order, held)
        if data.groups is not None:
            train, held = one_of_each(train, held, data.groups)
        if len(held):
            rows = data.sample.view(torch.from_numpy(train))
            yield dataclasses.replace(
                data,
                rows=rows,
                sample=rows,
                held_out=data.sample[torch.from_numpy(held[:MAX_HELD_OUT])],
                independent=np.flatnonzero(np.isin(train, data.independent)),
                groups=None if data.groups is None else data.groups[train],
                records=None if data.records is None else data.records[train],
                folds=0,
            )


def _averaged(figures: list[Figures]) -> Figures:
    """Numbers averaged over the folds, with the examples of all; standard errors as of so many examples."""
    n = sum(f.n_rows for f in figures)
    changed: dict[str, object] = {"n_rows": n}
    for field in dataclasses.fields(Figures):
        values = [getattr(f, field.name) for f in figures]
        if isinstance(values[0], float):
            known = [(f.n_rows, v) for f, v in zip(figures, values, strict=True) if not math.isnan(v)]
            mean = sum(k * v for k, v in known) / sum(k for k, _ in known) if known else math.nan
            changed[field.name] = mean / math.sqrt(len(figures)) if "standard_error" in field.name else mean
    return dataclasses.replace(figures[0], **changed)  # type: ignore[arg-type]
