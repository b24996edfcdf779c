"""The shared `fit`: data of any kind in, a trained autoencoder out."""

from __future__ import annotations

import math
import warnings
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from hourglass import readers
from hourglass.assemble import Architecture, assemble
from hourglass.diagnostics.advice import advise
from hourglass.diagnostics.density import MAX_ROWS, CodeDensity
from hourglass.diagnostics.intrinsic_dimension import suggest_n_latent
from hourglass.diagnostics.summary import FitFacts, Summary, late_gain, summarise
from hourglass.estimators.names import named_modality, named_recipe
from hourglass.estimators.saving import write
from hourglass.estimators.training_data import MAX_HELD_OUT, MIN_TO_HOLD_OUT, TrainingData, in_memory, streamed
from hourglass.fingerprint import fingerprint
from hourglass.folder_lock import locked
from hourglass.likelihoods import Likelihood
from hourglass.modalities import Modality, Tables
from hourglass.modalities.columns import frame_kind
from hourglass.model import ModelSpace
from hourglass.randomness import seeded
from hourglass.recipe import Recipe
from hourglass.recipe_json import recipe_to_json
from hourglass.run_files import Origin, Run
from hourglass.training import (
    Rows,
    Settings,
    Trainer,
    TrainingState,
    resolve_batch_size,
    resolve_device,
    resolve_precision,
    threads,
)
from hourglass.training.loop import Watch
from hourglass.training.progress import bar
from hourglass.training.rows import pad_rows
from hourglass.training.state import Progress

ROWS_SHOWN = 6_000_000  # examples shown in a run with max_epochs unset: minutes on two cores
PASS_BATCH = 2048  # rows of one pass after training
BEGIN_ROWS = 1024  # that parts which start from data are shown


class AutoencoderEstimator(BaseEstimator):
    """Parameters, `fit`, saving and loading, shared by every estimator; see `Embedder`."""

    # what is saved beside the weights, by to_arrays and from_arrays
    learned: ClassVar[dict[str, type]] = {"density_": CodeDensity}

    def __init__(
        self,
        n_latent: int | str | None = None,
        *,
        recipe: str | Recipe = "vae",
        modality: str | Modality | None = None,
        likelihood: str | None = None,
        variance: str | float = "shared",
        hidden: tuple[int, ...] | None = None,
        network: str | None = None,
        activation: str = "silu",
        max_epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        validation_fraction: float = 0.1,
        patience: int | None = None,
        precision: str = "auto",
        n_threads: int | None = None,
        device: str = "auto",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.n_latent = n_latent
        self.recipe = recipe
        self.modality = modality
        self.likelihood = likelihood
        self.variance = variance
        self.hidden = hidden
        self.network = network
        self.activation = activation
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.precision = precision
        self.n_threads = n_threads
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        condition: Any = None,
        run: str | Path | Run | None = None,
        resume: bool = False,
        watch: Watch | None = None,
    ) -> Self:
        """Learns a code for every example.

        Parameters
        ----------
        X : array, frame, path, name of a data set, or ParquetStream
            Tables (N, D), NaN meaning missing; pictures (N, H, W), (N, C, H, W) or (N, H, W, C).
        y : ignored
        condition : scalar per example, array (N,) or (N, K), or frame, or None
            What the model is told beside the example. With a ParquetStream: the name of a column of it.
        run : folder, or None
            Where a checkpoint is kept while training; nobody else may train there meanwhile. A model that is there
            stays as it is until `save`.
        resume : bool
            Go on from the checkpoint in `run`, bit for bit as if never interrupted.
        watch : callable, or None
            Called with the training state after each epoch and at most five times a second between.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError : for input that cannot be learnt from, naming the argument and the remedy.
        DivergedError : the loss is no longer a number.
        FolderInUseError : another fit trains in the folder `run`.
        """
        before = dict(self.__dict__)
        run = Run(Path(run)) if isinstance(run, (str, Path)) else run
        try:
            with nullcontext() if run is None else locked(run.folder, "fit"):
                return self._fit(X, condition, run, resume, watch)
        except BaseException:  # what was fitted before stands, whole
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self, X: Any, condition: Any, run: Run | None, resume: bool, watch: Watch | None) -> Self:
        self._check_parameters()
        recipe = named_recipe(self.recipe)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with threads(self.n_threads) as n_threads:
            if isinstance(X, readers.ParquetStream):
                data = streamed(X, condition, self.modality, self.validation_fraction, seed)
                self.n_features_in_ = data.modality.shape[0]
            else:
                X = self._examples(X, reset=True)
                data = in_memory(X, condition, self.modality, self.validation_fraction, seed)
            self.modality_, self.condition_, self.fingerprint_ = data.modality, data.condition, data.fingerprint
            self.recipe_, self.seed_ = recipe, seed
            self.n_latent_ = self._resolve_n_latent(data.sample)
            self._assemble(seed)
            settings = self._resolve_settings(len(data.rows), seed, n_threads)
            progress = self._train(data, settings, run, resume, watch)
            self._finish(data, progress)
        return self

    def _check_parameters(self) -> None:
        positive = {"max_epochs": self.max_epochs, "batch_size": self.batch_size, "patience": self.patience}
        for name, value in positive.items():
            if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
                raise ValueError(f"{name}={value!r} must be a whole number of at least 1, or None")
        if isinstance(self.n_latent, str) and self.n_latent != "map":
            raise ValueError(
                f"n_latent={self.n_latent!r} is unknown; give a number, 'map' for 2, or None to estimate it"
            )
        whole = isinstance(self.n_latent, (int, np.integer)) and not isinstance(self.n_latent, bool)
        if not (whole or isinstance(self.n_latent, (str, type(None)))) or (whole and self.n_latent < 1):  # type: ignore[operator]
            raise ValueError(f"n_latent={self.n_latent!r} must be at least 1: a whole number, 'map' or None")
        if self.hidden is not None and not isinstance(self.hidden, (tuple, list)):
            raise ValueError(f"hidden={self.hidden!r} must be a tuple of widths, such as (64,) or (64, 32)")
        if self.hidden is not None and any(not isinstance(h, (int, np.integer)) or h < 1 for h in self.hidden):
            raise ValueError(f"hidden={self.hidden!r} must hold whole numbers of at least 1; () makes both ends linear")
        if not isinstance(self.validation_fraction, Real) or not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction={self.validation_fraction!r} must be a number in [0, 1)")
        rate = self.learning_rate
        if rate is not None and not (isinstance(rate, Real) and rate > 0):
            raise ValueError(f"learning_rate={rate!r} must be a positive number, or None")
        if self.variance not in ("shared", "feature") and (
            not isinstance(self.variance, Real) or not 0 < self.variance < math.inf
        ):
            raise ValueError(f"variance={self.variance!r} is unknown; choose 'shared', 'feature' or a positive number")

    # ---- data in -------------------------------------------------------------------------------------------------

    def _examples(self, X: Any, reset: bool = False) -> Any:
        """Paths and names read, the number and names of a table's features checked as scikit-learn does."""
        if isinstance(X, (str, Path)):
            found = readers.read(X)
            if found.skipped:
                warnings.warn(
                    f"{X}: {len(found.skipped)} files could not be read and are left out: "
                    + "; ".join(f"{path}: {reason}" for path, reason in found.skipped[:5]),
                    stacklevel=3,
                )
            X = found.X
        if isinstance(X, readers.ParquetStream):
            raise TypeError(
                "X is a ParquetStream, which is for fit: here give its batches, from X.batches(group), in turn"
            )
        if type(X).__module__.startswith("polars") and hasattr(X, "collect"):
            X = X.collect()  # a LazyFrame
        if frame_kind(X) == "array" and not hasattr(X, "ndim") and hasattr(X, "__array__"):
            X = np.asarray(X)  # anything else that says it is an array
        modality = self.modality_ if not reset else named_modality(self.modality, X)
        if isinstance(modality, Tables):
            if isinstance(X, list) or (frame_kind(X) == "array" and np.ndim(X) < 2):
                X = _as_array(X)
            if frame_kind(X) == "arrow":
                if reset:
                    self.n_features_in_ = X.num_columns
            else:
                validate_data(self, X, reset=reset, skip_check_array=True)
        elif reset:
            self.n_features_in_ = int(np.prod(np.shape(X)[1:])) if np.ndim(X) > 1 else 1
        return X

    # ---- model and training --------------------------------------------------------------------------------------

    def _resolve_n_latent(self, rows: Rows) -> int:
        if self.n_latent == "map":
            return 2
        if self.n_latent is not None:
            return int(self.n_latent)
        x = self.modality_.scaling()(rows[slice(0, 5000)].raw).flatten(1).nan_to_num(0.0)
        deviation = x.std(0, correction=0)
        unscaled = ~self.modality_.noise_mask().flatten() & (deviation > 0)  # counts, and categories by their number
        x = torch.where(unscaled, x / deviation.where(deviation > 0, torch.ones(())), x)
        return suggest_n_latent(x.numpy(), int((deviation > 0).sum()))

    def _assemble(self, seed: int) -> None:
        self.architecture_ = Architecture(
            n_latent=self.n_latent_,
            n_condition=self.condition_.width if self.condition_ else 0,
            hidden=None if self.hidden is None else tuple(int(h) for h in self.hidden),
            network=self.network,
            activation=self.activation,
        )
        likelihood = self.modality_.likelihood(self.likelihood, self.variance)
        with seeded(seed):
            self.model_ = assemble(self.recipe_, self.modality_, likelihood, self.architecture_)

    def _resolve_settings(self, n_rows: int, seed: int, n_threads: int) -> Settings:
        device = resolve_device(self.device)
        batch_size = min(self.batch_size or resolve_batch_size(n_rows), n_rows)
        epochs = self.max_epochs or int(min(300, max(10, round(ROWS_SHOWN / n_rows))))
        return Settings(
            max_epochs=epochs,
            batch_size=batch_size,
            # found on rows held out of MNIST's training part: batches of 512 want four times the usual rate
            learning_rate=self.learning_rate or 1e-3 * max(1.0, min(4.0, batch_size / 128)),
            patience=self.patience or max(10, epochs // 5),
            seed=seed,
            precision=resolve_precision(self.precision, self.model_, batch_size, device),
            n_threads=n_threads,
            device=str(device),
        )

    def _train(
        self, data: TrainingData, settings: Settings, run: Run | None, resume: bool, watch: Watch | None
    ) -> Progress:
        device = torch.device(settings.device)
        self.model_.to(device)
        space = ModelSpace(self.model_.scaling, self.modality_.noise_mask(), self.modality_.mask_value)
        with seeded(settings.seed):
            if self.model_.begins:
                first = data.sample.batch(slice(0, BEGIN_ROWS)).to(device)
                self.model_.begin(self.model_.scaling(first.raw), first.condition)
            state = TrainingState(self.model_, self.recipe_, settings)
            identity = fingerprint(
                self.fingerprint_, recipe_to_json(self.recipe_), asdict(self.architecture_),
                self.modality_.to_json(), self.model_.decode.likelihood.options(), float(self.validation_fraction),
            )  # fmt: skip
            if run is not None:
                state.origin = Origin(arguments=run.arguments)
            if resume:
                if run is None:
                    raise ValueError("resume=True needs run=, the folder of the run to continue")
                if run.checkpoint.exists():
                    state.load(run.checkpoint, identity)
            watching: AbstractContextManager[Watch | None] = nullcontext(watch)
            if self.verbose and watch is None:
                watching = bar(settings.max_epochs)
            with watching as watch:
                held_out = None if data.held_out is None else data.held_out.to(device)
                Trainer(
                    self.model_, self.recipe_, data.rows, held_out, state,
                    space=space, checkpoint=None if run is None else run.checkpoint, fingerprint=identity, watch=watch,
                ).run()  # fmt: skip
        self.model_.to("cpu")
        self.settings_, self.origin_ = settings, state.origin
        self.history_ = state.progress.history
        return state.progress

    @torch.no_grad()
    def _finish(self, data: TrainingData, progress: Progress) -> None:
        """What is learnt once the weights are: the likelihood's variance, the figures, and the density of the codes."""
        rows, judged = data.sample, data.sample if data.held_out is None else data.held_out
        likelihood = self.model_.decode.likelihood
        with seeded(self.seed_):
            # the variance that training followed was that of weights in motion; held-out rows tell the final one
            part = judged[slice(0, PASS_BATCH)]
            x = self.model_.scaling.training_view(part.raw)  # type: ignore[operator]
            posterior = self.model_.encode(x, part.condition)
            parameters = self.model_.decode.parameters_of(
                posterior.sample(), part.condition, posterior.shallow, tuple(x.shape[2:])
            )
            if len(x) >= MIN_TO_HOLD_OUT:
                likelihood.update_scale(parameters, x, 1.0)
        if math.isnan(self.modality_.mask_value):
            # training without missing cells is spared the masks; the rows to come may have some
            for block in likelihood.modules():
                if isinstance(block, Likelihood):
                    block.missing = True
        columns = getattr(self.modality_, "columns", ())
        with seeded(self.seed_):
            figures = summarise(
                self.model_, rows, judged[slice(0, MAX_HELD_OUT)], self.modality_.noise_mask(), self.n_latent_
            )
        facts = FitFacts(
            held_out=data.held_out is not None, ended=progress.ended, epochs=progress.epoch,
            max_epochs=self.settings_.max_epochs, best_epoch=progress.best_epoch, seconds=progress.seconds,
            late_gain=late_gain(progress.history), recipe=repr(self.recipe_), conditional=self.condition_ is not None,
            constant_columns=[c.name for c in columns if c.constant],
        )  # fmt: skip
        self.summary_ = Summary(**asdict(figures), **asdict(facts))
        self.advice_ = advise(self.summary_)
        some = np.random.default_rng(self.seed_).permutation(len(rows))[:MAX_ROWS]
        parts = rows.view(torch.from_numpy(some)).batches(PASS_BATCH)  # never a copy of all rows
        codes = torch.cat([self._pass(part.raw, part.condition) for part in parts])
        groups = None if data.groups is None else data.groups[some]
        self.density_ = CodeDensity.fit(codes.flatten(1).numpy(), groups, seed=self.seed_)

    @torch.no_grad()
    def _pass(self, raw: Tensor, condition: Tensor | None) -> Tensor:
        """Raw rows -> codes (N, L): the posterior's mode."""
        codes = []
        for part in Rows(raw, condition).batches(PASS_BATCH):
            given = None if part.condition is None else pad_rows(part.condition)
            posterior = self.model_.encode(self.model_.scaling(pad_rows(part.raw)), given)
            codes.append(posterior.mode[: len(part)])
        return torch.cat(codes)

    def save(self, folder: str | Path) -> Path:
        """Writes the fitted estimator into a folder: hourglass.json, and the weights that it names.

        A model that is there is replaced in one step: until then it can be loaded, whatever happens.
        """
        check_is_fitted(self, "model_")
        return write(self, Path(folder))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _as_array(X: Any) -> np.ndarray:
    from sklearn.utils import check_array

    return check_array(X, dtype=None, ensure_all_finite=False, input_name="X")
