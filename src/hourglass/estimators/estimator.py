"""The shared `fit`: data of any kind in, a trained autoencoder out."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from hourglass import readers, storage
from hourglass.assemble import Architecture, assemble
from hourglass.diagnostics.advice import advise
from hourglass.diagnostics.density import CodeDensity
from hourglass.diagnostics.intrinsic_dimension import suggest_n_latent
from hourglass.diagnostics.summary import PCA_ROWS, Summary, summarise
from hourglass.estimators.conditions import Condition, condition_tensor
from hourglass.likelihoods import Likelihood
from hourglass.modalities import MODALITIES, Modality, Tables, modality_for
from hourglass.modalities.columns import frame_kind
from hourglass.recipe import Recipe
from hourglass.training import (
    Rows,
    Settings,
    Source,
    StreamedRows,
    Trainer,
    TrainingState,
    resolve_batch_size,
    resolve_device,
    resolve_precision,
    seeded,
    threads,
)
from hourglass.training.loop import Watch
from hourglass.training.progress import bar
from hourglass.variants import RECIPES

CHECKPOINT = "checkpoint.safetensors"
MOST_HELD_OUT = 2_500
FEWEST_TO_HOLD_OUT = 20  # fewer rows are all needed for training
ROWS_SHOWN = 6_000_000  # examples shown in a run with max_epochs unset: minutes on two cores
DENSITY_ROWS = 20_000
PASS_BATCH = 2048  # rows of one pass after training


def named_recipe(recipe: str | Recipe) -> Recipe:
    """A recipe by value, or by its name in the zoo; raises ValueError with the nearest name."""
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, str):
        raise TypeError(f"recipe={recipe!r} is a {type(recipe).__name__}; give a name or a Recipe")
    if recipe.lower() not in RECIPES:
        near = difflib.get_close_matches(recipe.lower(), RECIPES, 1)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"recipe={recipe!r} is unknown; {hint} there are {', '.join(sorted(RECIPES))}".replace("  ", " ")
        )
    return RECIPES[recipe.lower()]


def named_modality(modality: str | Modality | None, X: Any) -> Modality:
    """A modality by value, by name, or by the look of X."""
    if modality is None:
        return modality_for(X)
    if isinstance(modality, str):
        if modality not in MODALITIES:
            raise ValueError(f"modality={modality!r} is unknown; there are {', '.join(MODALITIES)}")
        return MODALITIES[modality]()
    if not hasattr(modality, "infer"):
        raise TypeError(f"modality={modality!r} is a {type(modality).__name__}; give a name, a value such as Images()")
    return modality


class AutoencoderEstimator(BaseEstimator):
    """Parameters, `fit`, saving and loading, shared by every estimator; see `Embedder`."""

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
        run: str | Path | None = None,
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
            Where a checkpoint is kept while training.
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
        """
        self._check_parameters()
        recipe = named_recipe(self.recipe)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with threads(self.n_threads) as n_threads:
            if _is_stream(X):
                rows, held_out, looked_at = self._stream_in(X, condition, seed)
            else:
                rows, held_out = self._take_in(X, condition, seed)
                looked_at = rows
            self.recipe_, self.seed_ = recipe, seed
            self.n_latent_ = self._resolve_n_latent(looked_at)
            self._assemble(seed)
            settings = self._resolve_settings(len(rows), seed, n_threads)
            self._train(rows, held_out, settings, run, resume, watch)
            self._settle(looked_at, held_out)
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
        whole = isinstance(self.n_latent, (int, np.integer))
        if not (whole or isinstance(self.n_latent, (str, type(None)))) or (whole and self.n_latent < 1):  # type: ignore[operator]
            raise ValueError(f"n_latent={self.n_latent!r} must be at least 1: a whole number, 'map' or None")
        if self.hidden is not None and any(not isinstance(h, (int, np.integer)) or h < 1 for h in self.hidden):
            raise ValueError(f"hidden={self.hidden!r} must hold whole numbers of at least 1; () makes both ends linear")
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction={self.validation_fraction} must be in [0, 1)")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"learning_rate={self.learning_rate} must be positive")
        if isinstance(self.variance, str) and self.variance not in ("shared", "feature"):
            raise ValueError(f"variance={self.variance!r} is unknown; choose 'shared', 'feature' or a positive number")

    # ---- data in -------------------------------------------------------------------------------------------------

    def _examples(self, X: Any, reset: bool = False) -> Any:
        """Paths and names read, the number and names of a table's features checked as scikit-learn does."""
        if isinstance(X, (str, Path)):
            X = readers.read(X).X
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

    def _take_in(self, X: Any, condition: Any, seed: int) -> tuple[Rows, Rows | None]:
        """Infers modality and condition, and splits rows from held-out rows."""
        X = self._examples(X, reset=True)
        self.modality_ = named_modality(self.modality, X).infer(X)
        raw = self.modality_.tensor(X)
        self.condition_ = None if condition is None else Condition.infer(condition, len(raw))
        rows = Rows(raw, condition_tensor(self.condition_, condition, len(raw)))
        self.fingerprint_ = storage.fingerprint(rows.raw, *([] if rows.condition is None else [rows.condition]))
        self._groups = None if self.condition_ is None else self.condition_.groups(condition, len(raw))
        n = min(MOST_HELD_OUT, round(self.validation_fraction * len(raw))) if len(raw) >= FEWEST_TO_HOLD_OUT else 0
        if n == 0:
            return rows, None
        order = torch.from_numpy(np.random.default_rng((seed, 1)).permutation(len(raw)))
        if self._groups is not None:
            self._groups = self._groups[order[n:].numpy()]
        return rows.view(order[n:]), rows[order[:n]]

    def _stream_in(self, stream: readers.ParquetStream, condition: Any, seed: int) -> tuple[Source, Rows | None, Rows]:
        """The same for rows that do not fit into memory; every tenth row or fewer of each batch is held out."""
        names = [condition] if isinstance(condition, str) else list(condition or [])
        features = [c for c in stream.columns if c not in names]
        unknown = [c for c in names if c not in stream.columns]
        if unknown:
            raise ValueError(
                f"condition={unknown[0]!r} is no column of {stream.path}; it has {', '.join(stream.columns)}"
            )

        def chunks(columns: list[str]) -> Iterator[Any]:
            for group in range(len(stream.row_groups)):
                for batch in stream.batches(group):
                    yield _arrow(batch.select(columns))

        modality = named_modality(self.modality, next(chunks(features)))
        if not isinstance(modality, Tables):
            raise ValueError(f"a stream of Parquet rows is a table; modality={self.modality!r} is not for tables")
        self.modality_ = modality.infer(chunks(features))
        self.condition_ = Condition(Tables(discrete=True).infer(chunks(names))) if names else None
        self.n_features_in_ = len(features)
        self.fingerprint_ = storage.fingerprint(
            [[str(g.path), g.index, g.rows, g.path.stat().st_size] for g in stream.row_groups]
        )
        share = min(self.validation_fraction, MOST_HELD_OUT / max(1, len(stream)))

        def read(group: int, held: bool) -> Iterator[Rows]:
            for number, batch in enumerate(stream.batches(group)):
                spared = np.random.default_rng((seed, 1, group, number)).random(batch.num_rows) < share
                mine = torch.from_numpy(spared if held else ~spared)
                given = _arrow(batch.select(names)) if names else None
                rows = Rows(
                    self.modality_.tensor(_arrow(batch.select(features))),
                    condition_tensor(self.condition_, given, batch.num_rows),
                )
                yield rows[mine]

        groups = range(len(stream.row_groups))
        held = [rows for group in groups for rows in read(group, True)] if share > 0 else []
        held_out = _concatenate(held)
        n_rows = len(stream) - (0 if held_out is None else len(held_out))
        rows = StreamedRows(n_rows, len(groups), lambda group: read(group, False))
        first = [r for r, _ in zip(read(0, False), range(1), strict=False)]
        looked_at = first[0][slice(0, DENSITY_ROWS)]
        given = _arrow(next(stream.batches(0)).select(names)) if names else None
        self._groups = None
        if self.condition_ is not None and given is not None:
            spared = np.random.default_rng((seed, 1, 0, 0)).random(given.num_rows) < share
            groups_of = self.condition_.groups(given, given.num_rows)
            self._groups = None if groups_of is None else groups_of[~spared][:DENSITY_ROWS]
        return rows, held_out, looked_at

    # ---- model and training --------------------------------------------------------------------------------------

    def _resolve_n_latent(self, rows: Rows) -> int:
        if self.n_latent == "map":
            return 2
        if self.n_latent is not None:
            return int(self.n_latent)
        x = self.modality_.scaling()(rows[slice(0, 5000)].raw).flatten(1).nan_to_num(0.0)
        return suggest_n_latent(x.numpy(), int(np.prod(self.modality_.shape)))

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
        self, rows: Source, held_out: Rows | None, settings: Settings, run: Any, resume: bool, watch: Watch | None
    ) -> None:
        device = torch.device(settings.device)
        self.model_.to(device)
        with seeded(settings.seed):
            state = TrainingState(self.model_, settings)
            checkpoint = None
            identity = storage.fingerprint(
                self.fingerprint_, storage.recipe_to_json(self.recipe_), asdict(self.architecture_),
                self.modality_.to_json(), self.model_.decode.likelihood.options(),
            )  # fmt: skip
            if run is not None:
                Path(run).mkdir(parents=True, exist_ok=True)
                checkpoint = Path(run) / CHECKPOINT
            if resume:
                if checkpoint is None:
                    raise ValueError("resume=True needs run=, the folder of the run to go on with")
                if checkpoint.exists():
                    state.load(checkpoint, identity)
            elif checkpoint is not None:
                checkpoint.unlink(missing_ok=True)
            watching: AbstractContextManager[Watch | None] = nullcontext(watch)
            if self.verbose and watch is None:
                watching = bar(settings.max_epochs)
            with watching as watch:
                Trainer(
                    self.model_, self.recipe_, rows, held_out.to(device) if held_out is not None else None, state,
                    numeric=self.modality_.numeric(), blank=self.modality_.blank,
                    checkpoint=checkpoint, fingerprint=identity, watch=watch,
                ).run()  # fmt: skip
        self.model_.to("cpu")
        self.settings_ = settings
        self.history_ = state.progress.history
        self._progress = state.progress

    @torch.no_grad()
    def _settle(self, rows: Rows, held_out: Rows | None) -> None:
        """What is learnt once the weights are: the likelihood's variance, the figures, and the density of the codes."""
        judged = held_out if held_out is not None else rows
        likelihood = self.model_.decode.likelihood
        with seeded(self.seed_):
            # the variance that training followed was that of weights in motion; held-out rows tell the final one
            part = judged[slice(0, PASS_BATCH)]
            x = self.model_.scaling.draw(part.raw)  # type: ignore[operator]
            posterior = self.model_.encode(x, part.condition)
            parameters = self.model_.decode.parameters_of(posterior.sample(), part.condition, posterior.shallow)
            if len(x) >= FEWEST_TO_HOLD_OUT:
                likelihood.adapt(parameters, x, 1.0)
        if math.isnan(self.modality_.blank):
            # training without missing cells is spared the masks; the rows to come may have some
            for block in likelihood.modules():
                if isinstance(block, Likelihood):
                    block.missing = True
        progress = self._progress
        columns = getattr(self.modality_, "columns", ())
        self.summary_: Summary = summarise(
            self.model_, rows[slice(0, PCA_ROWS)].raw, judged[slice(0, MOST_HELD_OUT)],
            self.modality_.numeric(), self.n_latent_,
            held_out=held_out is not None, ended=progress.ended, epochs=progress.epoch,
            max_epochs=self.settings_.max_epochs, best_epoch=progress.best_epoch, seconds=progress.seconds,
            constant_columns=[c.name for c in columns if c.constant],
        )  # fmt: skip
        self.advice_ = advise(self.summary_)
        some = np.random.default_rng(self.seed_).permutation(len(rows))[:DENSITY_ROWS]
        part = rows[torch.from_numpy(some)]
        with seeded(self.seed_):
            codes = self._pass(part.raw, part.condition, sampled=True)
        groups = None if self._groups is None else self._groups[some]
        self.density_ = CodeDensity.fit(codes.flatten(1).numpy(), groups, seed=self.seed_)
        del self._groups

    @torch.no_grad()
    def _pass(self, raw: Tensor, condition: Tensor | None, sampled: bool = False) -> Tensor:
        """Raw rows -> codes (N, L): the posterior's mode, or one sample of it."""
        codes = []
        for part, given in Rows(raw, condition).in_order(PASS_BATCH):
            posterior = self.model_.encode(self.model_.scaling(part), given)
            codes.append(posterior.sample() if sampled else posterior.mode)
        return torch.cat(codes)

    # ---- storage -------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Writes the fitted estimator as a folder: model.safetensors and hourglass.json, each whole or not at all."""
        check_is_fitted(self, "model_")
        parameters = self.get_params(deep=False)
        for name in ("recipe", "modality"):
            parameters[name] = parameters[name] if isinstance(parameters[name], str) else None
        state = parameters["random_state"]
        parameters["random_state"] = int(state) if isinstance(state, (int, np.integer)) else None
        if parameters["hidden"] is not None:
            parameters["hidden"] = [int(h) for h in parameters["hidden"]]
        about = {
            "estimator": type(self).__name__,
            "parameters": parameters,
            "settings": asdict(self.settings_),
            "summary": asdict(self.summary_),
            "history": self.history_,
            "seed": self.seed_,
            "data": {
                "fingerprint": self.fingerprint_,
                "n_features": self.n_features_in_,
                "names": list(getattr(self, "feature_names_in_", [])) or None,
            },
            "versions": _versions(),
        }
        condition = self.condition_.table if self.condition_ else None
        storage.save(
            Path(folder), self.model_, self.recipe_, self.modality_, condition, self.architecture_,
            self.density_.to_arrays(), about,
        )  # fmt: skip
        return Path(folder)

    @classmethod
    def _from_saved(cls, saved: storage.Saved) -> Self:
        about = saved.about
        parameters = about["parameters"]
        if parameters["hidden"] is not None:
            parameters["hidden"] = tuple(parameters["hidden"])
        parameters["recipe"] = parameters["recipe"] or saved.recipe
        parameters["modality"] = parameters["modality"] or saved.modality
        estimator = cls(**parameters)
        estimator.model_, estimator.recipe_, estimator.modality_ = saved.model, saved.recipe, saved.modality
        estimator.architecture_, estimator.n_latent_ = saved.architecture, saved.architecture.n_latent
        estimator.condition_ = Condition(saved.condition) if saved.condition else None
        estimator.density_ = CodeDensity.from_arrays(saved.arrays)
        estimator.settings_, estimator.summary_ = Settings(**about["settings"]), Summary(**about["summary"])
        estimator.advice_ = advise(estimator.summary_)
        estimator.history_, estimator.seed_ = about["history"], about["seed"]
        data = about["data"]
        estimator.fingerprint_, estimator.n_features_in_ = data["fingerprint"], data["n_features"]
        if data["names"]:
            estimator.feature_names_in_ = np.array(data["names"], dtype=object)
        return estimator

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _as_array(X: Any) -> np.ndarray:
    from sklearn.utils import check_array

    return check_array(X, dtype=None, ensure_all_finite=False, input_name="X")


def _is_stream(X: Any) -> bool:
    return isinstance(X, readers.ParquetStream)


def _arrow(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _concatenate(parts: list[Rows]) -> Rows | None:
    parts = [p for p in parts if len(p)]
    if not parts:
        return None
    conditions = [p.condition for p in parts if p.condition is not None]
    return Rows(torch.cat([p.raw for p in parts]), torch.cat(conditions) if conditions else None)


def _versions() -> dict[str, str]:
    import sklearn

    import hourglass

    return {
        "hourglass": hourglass.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }
