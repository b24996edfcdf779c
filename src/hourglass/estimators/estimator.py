"""The shared template of all estimators: data of any kind in, a trained autoencoder out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from hourglass.assemble import Architecture, assemble
from hourglass.diagnostics.advice import advise
from hourglass.estimators import data_in, passes
from hourglass.estimators.conditions import condition_of_examples
from hourglass.estimators.cross_validation import cross_validate
from hourglass.estimators.fitting import measure, train
from hourglass.estimators.names import named_recipe
from hourglass.estimators.saving import parameters_to_json, write
from hourglass.estimators.settings import n_latent_for, settings_for
from hourglass.estimators.training_data import TrainingData, training_data
from hourglass.fingerprint import fingerprint
from hourglass.folder_lock import locked
from hourglass.modalities import Examples, Modality, modality_in_words
from hourglass.model import Autoencoder
from hourglass.parameters import Network, Training
from hourglass.randomness import seeded
from hourglass.readers import containers
from hourglass.recipe import Recipe
from hourglass.recipe_json import recipe_to_json
from hourglass.run_files import Run
from hourglass.training import resolve_device, threads
from hourglass.training.loop import Watch
from hourglass.training.progress import of_fit
from hourglass.typed_json import to_json


class FitInterrupted(KeyboardInterrupt):
    """Ctrl-C while fitting. The estimator is fitted, with the best weights so far, and can be used and saved."""


@dataclass(kw_only=True, eq=False, repr=False)
class AutoencoderEstimator(Network, Training, BaseEstimator):
    """`fit`, `save`, `reconstruct` and `score_samples`, shared by every estimator; see `Embedder`.

    A task overrides the hooks `_recipe`, `_architecture`, `_n_apart` and `_after_training`, and declares in `learned`
    what it learns beyond the model: attribute -> a class with `to_arrays` and `from_arrays`, saved and loaded with it;
    and in `sections` what a report shows, by the names in `report.sections.SECTIONS`.

    Parameters
    ----------
    n_latent : int or None
        Size of the latent code. None estimates it: twice the intrinsic dimension (TwoNN), from 2 to 64, and at most
        half the values of an example, of which a number is one and a category the number of its levels less one.
    recipe : str or Recipe
        The kind of autoencoder: "ae", "denoising", "sparse", "sparse_kl", "contractive", "vae", "beta_vae"; words after
        the name change it ("vae kl=0.1", "ae RandomAffine GaussianNoise=1"); or a value.
    modality : str, Modality or None
        The kind of data: "tables", "images" or "text", with options in words ("tables categories=code", "images
        resize=64 crop=yes", "text column=message"), or a value such as `Images(binarise="dynamic")`;
        None goes by the look of X.
    """

    n_latent: int | None = field(default=None, kw_only=False)
    recipe: str | Recipe = "vae"
    modality: str | Modality | None = None

    learned: ClassVar[dict[str, type]] = {}
    sections: ClassVar[tuple[str, ...]] = ("reconstructions", "training")
    for_scores: ClassVar[bool] = False  # whether data are to be seen as suits anomaly scores

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
        """Trains an autoencoder on X.

        Parameters
        ----------
        X : array, frame, path, name of a data set, or ParquetStream
            Tables (N, D), NaN meaning missing: an array, a frame (pandas, polars, Arrow, DuckDB), a dict of columns, a
            list of dicts, a sparse matrix. Pictures: (N, H, W), (N, C, H, W), (N, H, W, C), or a folder of them.
            Text: a list of lines, the path of a .log file, or a column of a table (`modality="text column=message"`).
        y : ignored
        condition : array (N,) or (N, K), frame, or names of columns of X, or None
            What the model is given along with each record. Columns named are taken out of X.
        run : folder, or None
            Where a checkpoint is kept while training; nobody else may train there meanwhile. A model that is there
            stays as it is until `save`.
        resume : bool
            Continue from the checkpoint in `run`, bit for bit as if never interrupted.
        watch : callable, or None
            Called with the training state after each epoch and at most five times per second between; with few
            examples in the trainings of cross-validation too, whose `state.part` is (number, of how many).

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError : for input that cannot be learned from, naming the argument and the remedy.
        DivergedError : the loss is no longer a number.
        FolderInUseError : another fit trains in the folder `run`.
        FitInterrupted : Ctrl-C after training began. The estimator is fitted with the best weights so far.
        """
        before = dict(self.__dict__)
        run = Run(Path(run)) if isinstance(run, (str, Path)) else run
        try:
            with nullcontext() if run is None else locked(run.folder, "fit"):
                self._fit(X, condition, run, resume, watch)
        except BaseException:  # what was fitted before stands, whole
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        if self.summary_.ended == "interrupted":
            raise FitInterrupted(
                f"interrupted after {self.summary_.epochs} epochs; the estimator holds the best weights so far"
            )
        return self

    def _fit(self, X: Any, condition: Any, run: Run | None, resume: bool, watch: Watch | None) -> None:
        self.check_parameters()
        self.recipe_ = self._recipe()
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        with threads(self.n_threads) as n_threads:
            in_turns = self.max_epochs is None
            data, X = training_data(
                X,
                condition,
                self.modality,
                self.validation_fraction,
                self.seed_,
                in_turns,
                self._n_apart,
                self.for_scores,
            )
            self.modality_, self.condition_, self.fingerprint_ = data.modality, data.condition, data.fingerprint
            self._check_features(X, reset=True)
            self.architecture_ = self._architecture(data)
            self.model_ = self._assemble()
            self.settings_ = settings_for(self, data, self.model_, self.seed_, n_threads)
            parameters_to_json(self)  # raises here for what cannot be saved, before training
            validation, part = None, (1, 1)
            shown: AbstractContextManager[Watch | None] = of_fit() if self.verbose and not watch else nullcontext(watch)
            with shown as watch:
                if data.folds:
                    validation = cross_validate(self._assemble, self.recipe_, data, self.settings_, watch)
                    self.settings_ = replace(self.settings_, last_epoch=validation.epochs)
                    data = replace(data, folds_trained=validation.models)
                    part = (2 * len(validation.models) + 1,) * 2
                state = train(
                    self.model_, self.recipe_, data, self.settings_,
                    identity=self._identity(len(data.rows)), run=run, resume=resume, watch=watch,
                    part=part,
                )  # fmt: skip
                self.history_, self.origin_ = state.progress.history, state.origin
                progress = state.progress
                self.summary_ = measure(self.model_, self.recipe_, data, self.settings_, progress, validation)
                self._after_training(data)
                self.advice_ = self._advice()

    def _assemble(self) -> Autoencoder:
        """The model as it is before training."""
        with seeded(self.seed_):
            likelihood = self.modality_.likelihood(self.likelihood, self.variance)
            return assemble(self.recipe_, self.modality_, likelihood, self.architecture_)

    def _identity(self, n_rows: int) -> str:
        """A fingerprint of all that a resumed run must share with the one that it continues."""
        parts = (
            self.fingerprint_, n_rows, recipe_to_json(self.recipe_), self.architecture_, self.modality_.to_json(),
            self.model_.decode.likelihood.options(), self.validation_fraction,
        )  # fmt: skip
        return fingerprint(to_json(parts))

    # ---- what a task may override --------------------------------------------------------------------------------

    def _recipe(self) -> Recipe:
        """What is minimised."""
        return named_recipe(self.recipe)

    def _architecture(self, data: TrainingData) -> Architecture:
        """Sizes of the model."""
        wish = self.recipe_.network if self.recipe_.network in data.modality.networks else None
        on_gpu = resolve_device(self.device).type == "cuda"
        likelihood = data.modality.likelihood(self.likelihood, self.variance)
        return Architecture(
            n_latent=n_latent_for(data, likelihood) if self.n_latent is None else int(self.n_latent),
            n_condition=data.condition.width if data.condition else 0,
            hidden=None if self.hidden is None else tuple(int(h) for h in self.hidden),
            network=self.network or wish or data.modality.default_network(on_gpu),
            activation=self.activation,
        )

    def _n_apart(self, n: int) -> int:
        """Of n examples, how many neither training nor early stopping may see: `data.apart` after training."""
        return 0

    def _advice(self) -> list[str]:
        """What the figures mean."""
        return advise(self.summary_)

    def _after_training(self, data: TrainingData) -> None:
        """Sets what `learned` names, with training and held-out examples available."""

    # ---- data in -------------------------------------------------------------------------------------------------

    def check_parameters(self) -> None:
        """Raises ValueError or TypeError for constructor arguments that no fit can have; `fit` begins with it.

        No data are needed. What depends on them, such as names of columns, is checked by `fit`.
        """
        self.check_network()
        self.check_training()
        self._recipe()
        if isinstance(self.modality, str):
            modality_in_words(self.modality)
        n = self.n_latent
        if n is not None and (not isinstance(n, Integral) or isinstance(n, bool) or n < 1):
            raise ValueError(f"n_latent={n!r} must be a whole number of at least 1, or None to estimate it")

    @property
    def n_latent_(self) -> int:
        """L, the size of the latent code."""
        return self.architecture_.n_latent

    def _check_features(self, X: Any, reset: bool = False) -> None:
        """Checks the number and the names of a table's features as scikit-learn does.

        Columns that nothing was learned of may be missing.
        """
        if not reset and self._lacks_nothing_learned(X):
            return
        if containers.n_columns(X) is not None:
            validate_data(self, X, reset=reset, skip_check_array=True)
        elif reset:
            self.n_features_in_ = int(np.prod(self.modality_.shape))

    def _lacks_nothing_learned(self, X: Any) -> bool:
        """Whether a table has fewer columns than at fit, and all of those that are learned."""
        learned = [source.name for column in self.modality_.columns for source in column.sources]
        names = containers.column_names(X)
        if len(learned) in (0, self.n_features_in_):
            return False
        if names is None:
            return containers.n_columns(X) == len(learned)
        return set(learned) <= set(names) < set(getattr(self, "feature_names_in_", ()))

    def _accept(self, X: Any, condition: Any) -> tuple[Any, Any]:
        """X in a canonical container, and the condition, checked against what was fitted."""
        check_is_fitted(self, "model_")
        if self.condition_ is None:
            _, X, _ = data_in.accept(X, self.modality_)
        else:
            _, X, condition = data_in.accept(X, self.modality_, condition)
        self._check_features(X)
        return X, condition

    def _condition_of(self, examples: Examples, condition: Any) -> torch.Tensor | None:
        """The condition of every example, (N, C), from that of every record."""
        return condition_of_examples(self.condition_, condition, examples)

    # ---- use -----------------------------------------------------------------------------------------------------

    def examples(self, X: Any) -> Examples:
        """The examples that X is cut into, and where each lies: what the rows of `transform` are of."""
        return self.modality_.examples(self._accept(X, None)[0])

    def reconstruct(self, X: Any, *, condition: Any = None) -> Any:
        """X through the model and back, in its own units, container, index and types of columns.

        Whole numbers come back as expected values, in floating point; booleans and categories as the most probable one.

        Parameters
        ----------
        X : as in `fit`.
        condition : as in `fit`; needed if and only if the model was fitted with one.
        """
        X, condition = self._accept(X, condition)
        examples = self.modality_.examples(X)
        with threads(self.n_threads):
            raw = passes.reconstruct(self.model_, examples.rows(), self._condition_of(examples, condition), self.device)
        return self.modality_.stitch(examples, raw, X)

    def score_samples(self, X: Any, *, condition: Any = None, n_samples: int = 1, random_state: int = 0) -> np.ndarray:
        """How typical each row is: higher is more typical.

        For recipes with a prior the importance-weighted bound of log p(x) with `n_samples` samples of the code (1: the
        ELBO); for the others log p(x | code), which is not a bound of log p(x): scores of the two do not compare
        (`hourglass.comparison.compare` does). Nats per example, of standardised data: spikes and levels of a column
        count their probability, other numbers their density, in units linear in the column's. With greyscale pictures
        under a Bernoulli, the cross-entropy of their levels, which is not a density and favours clear black and white;
        to find odd pictures, let the likelihood be inferred.

        What is not known does not make a row typical. A missing cell counts what its column counts on average without a
        code, so that rows with other cells missing are on one scale: the bound is that of the known cells, plus a
        constant for each missing one. A value that was not there at fit, of a category or of a column of two values,
        counts no more than the rarest one that was, and at most log 1 / (n + K + 1) for n rows of K values; so does
        another value of a column that was constant.

        Returns
        -------
        (N,) float64
        """
        X, condition = self._accept(X, condition)
        examples = self.modality_.examples(X, dense=True)
        raw, given = examples.rows(), self._condition_of(examples, condition)
        with threads(self.n_threads):
            scores = passes.evidence(self.model_, raw, given, n_samples, random_state, self.device).double().numpy()

            def cells() -> np.ndarray:
                return passes.cell_log_prob(self.model_, raw, given, self.device).double().numpy()

            return self.modality_.scores_per_row(scores, cells, examples)

    def score(self, X: Any, y: Any = None, *, condition: Any = None) -> float:
        """The mean of `score_samples`: nats per example."""
        return float(self.score_samples(X, condition=condition).mean())

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
        tags.input_tags.sparse = True
        return tags
