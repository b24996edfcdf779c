"""The fits of a comparison, one after the other, each kept when it is done."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.comparison.evaluation import Row, Split, evaluate, rows_of
from hourglass.comparison.result import Comparison
from hourglass.comparison.tasks import SYNTHESISE, check_task, synthesis_figures
from hourglass.comparison.writing import RESULTS, write
from hourglass.estimators import Embedder, data_in
from hourglass.estimators.names import named_recipe
from hourglass.fingerprint import fingerprint
from hourglass.modalities import Modality
from hourglass.readers import containers
from hourglass.recipe import Recipe
from hourglass.recipe_json import recipe_to_json
from hourglass.training import TrainingState
from hourglass.training.loop import Watch
from hourglass.training.progress import Display, display
from hourglass.typed_json import JSONError, from_json, json_text, read_json
from hourglass.whole_files import write_whole

SIZES = (2, 4, 8, 16, 32)
MAX_TEST_EXAMPLES = 5_000
MIN_EXAMPLES = 10


def compare(
    X: Any,
    *,
    recipes: Sequence[str | Recipe] = ("ae", "vae"),
    n_latents: Sequence[int] | None = None,
    task: str = "reconstruct",
    seeds: int = 1,
    condition: Any = None,
    test_fraction: float = 0.2,
    folder: str | Path | None = None,
    resume: bool = False,
    verbose: bool = False,
    **options: Any,
) -> Comparison:
    """Fits every recipe at every size of the code and evaluates all on the same held-out data.

    Parameters
    ----------
    X : as for `Embedder.fit`, but not a stream.
    recipes : names, with words for what is to be different (see `Embedder`), or Recipe values.
    n_latents : sizes of the code; None takes 2, 4, 8, 16 and 32, as far as they are below the number of features.
    task : what is recommended by: "reconstruct", the least unexplained and the fewest nats; or, of tables,
        "synthesise", generated rows that a random forest hardly tells from real ones (see
        `hourglass.diagnostics.synthesis`).
    seeds : fits of each kind, from the seeds 0, 1, ...; the split into training and test data stays the same.
    condition : as for `Embedder.fit`, for every model.
    test_fraction : share of the data to evaluate on, at most 5,000 examples; the models never see these.
    folder : where the results are kept after each fit, with table and figure at the end; None keeps nothing.
    resume : continue the comparison in `folder`.
    verbose : show progress on stderr.
    **options : of `Embedder`, the same for all.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError : too few examples, a size below 1, an unknown recipe or task, a task that is not for such data, or a
        folder with results of other data or options.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> result = compare(load_wine().data, recipes=["ae"], n_latents=[1, 4], max_epochs=2)
    >>> [(row["recipe"], row["n_latent"]) for row in result.rows]
    [('baseline', 0), ('pca', 1), ('pca', 4), ('ae', 1), ('ae', 4)]
    """
    named = {r if isinstance(r, str) else repr(r): named_recipe(r) for r in recipes}
    if not named:
        raise ValueError("recipes is empty; give at least one")
    if seeds < 1:
        raise ValueError(f"seeds={seeds} must be at least 1")
    condition = None if condition is None else containers.canonical(condition, "condition")
    modality, X, condition = data_in.accept(X, options.get("modality"), condition)
    modality = modality.infer(X)
    check_task(task, modality)
    train, test = _split(modality, X, condition, test_fraction)
    sizes = _sizes(n_latents, math.prod(modality.shape))
    digest = fingerprint(
        *(containers.digestible(part) for part in (train.X, train.condition, test.X)),
        {k: v for k, v in options.items() if k != "n_threads" and v is not None},
        {name: recipe_to_json(recipe) for name, recipe in named.items()},
        *([] if task == "reconstruct" else [task]),
    )
    results = _Results(None if folder is None else Path(folder), digest)
    if resume:
        results.resume()
    plan = [(name, size, seed) for seed in range(seeds) for size, name in itertools.product(sizes, named)]
    with display() if verbose else nullcontext() as shown:
        for number, (name, size, seed) in enumerate(plan):
            what = f"fit {number + 1}/{len(plan)}: {name}, size {size}" + (f", seed {seed}" if seeds > 1 else "")
            watch = None if shown is None else _watch(shown, number, len(plan), what)
            if (name, size, seed) in results:
                continue
            estimator = Embedder(n_latent=size, recipe=named[name], random_state=seed, **options)
            estimator.fit(train.X, condition=train.condition, watch=watch)  # Ctrl-C: what was finished is kept
            figures = evaluate(estimator, train, test)
            synthesis: dict[str, float] = {}
            baseline: dict[str, float] = {}
            if task == SYNTHESISE:
                synthesis = synthesis_figures(estimator, train, test)
                if results.needs_baseline:
                    baseline = synthesis_figures(estimator, train, test, independent=True)
            results.add(name, seed, figures.n_rows, rows_of(figures, estimator, synthesis, baseline))
    result = Comparison(results.chosen(list(named), sizes, seeds), results.n_test, digest, task)
    if results.folder is not None:
        write(result, results.folder)
    return result


class _Results:
    """The rows so far, kept in a folder after each fit."""

    def __init__(self, folder: Path | None, digest: str) -> None:
        self.folder, self.digest = folder, digest
        self.rows: list[dict[str, Any]] = []
        self.n_test = 0

    def __contains__(self, key: tuple[str, int, int]) -> bool:
        return key in {(row["recipe"], row["n_latent"], row["seed"]) for row in self.rows}

    @property
    def needs_baseline(self) -> bool:
        return ("baseline", 0, 0) not in self

    def add(self, name: str, seed: int, n_test: int, rows: list[dict[str, Any]]) -> None:
        """The rows of one fit; those of the baseline and of PCA are the same for all fits and kept once."""
        for row in rows:
            if not row["recipe"]:
                self.rows.append(row | {"recipe": name, "seed": seed})
            elif (row["recipe"], row["n_latent"], 0) not in self:
                self.rows.append(row)
        self.n_test = n_test
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            kept = {"fingerprint": self.digest, "n_test": self.n_test, "rows": self.rows}
            write_whole(self.folder / RESULTS, json_text(kept).encode())

    def resume(self) -> None:
        """Takes up the rows in the folder, if there are any."""
        if self.folder is None:
            raise ValueError("resume=True needs folder=, where the comparison to continue is kept")
        file = self.folder / RESULTS
        if not file.exists():
            return
        try:
            kept = from_json(dict[str, Any], read_json(file))
            rows: list[Any] = from_json(list[Row], kept.get("rows"), "rows")
            n_test, before = from_json(int, kept.get("n_test"), "n_test"), kept.get("fingerprint")
        except JSONError as error:
            raise ValueError(f"{file} is corrupt, or was not written by this version ({error}); start over") from error
        if before != self.digest:
            raise ValueError(
                f"{self.folder} holds a comparison of other data, recipes or options; start over in another folder"
            )
        self.rows, self.n_test = rows, n_test

    def chosen(self, names: list[str], sizes: list[int], seeds: int) -> tuple[dict[str, Any], ...]:
        """The rows that were asked for this time, in order."""
        order = {name: k for k, name in enumerate(["baseline", "pca", *names])}
        chosen = [
            row
            for row in self.rows
            if row["recipe"] in order and row["n_latent"] in [0, *sizes] and row["seed"] < seeds
        ]
        return tuple(sorted(chosen, key=lambda row: (order[row["recipe"]], row["n_latent"], row["seed"])))


def _split(modality: Modality, X: Any, condition: Any, test_fraction: float) -> tuple[Split, Split]:
    """Data to train on and to test on, the same for all fits; no test example shares a cell with a training one."""
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction={test_fraction} must lie between 0 and 1")
    n = len(modality.examples(X))
    if n < MIN_EXAMPLES:
        raise ValueError(
            f"X has {n} {modality.noun}s; a comparison needs at least {MIN_EXAMPLES}, to train and to test"
        )
    parts = modality.split(X, test_fraction, MAX_TEST_EXAMPLES, np.random.default_rng(0))
    train, test = (
        Split(part, None if condition is None else containers.take(condition, records)) for part, records in parts
    )
    return train, test


def _sizes(n_latents: Sequence[int] | None, n_features: int) -> list[int]:
    if n_latents is None:
        return [size for size in SIZES if size < n_features] or [1]
    wrong = [size for size in n_latents if size < 1]
    if wrong or not len(n_latents):
        raise ValueError(f"n_latents={list(n_latents)} must be whole numbers of at least 1")
    return sorted(set(n_latents))


def _watch(shown: Display, number: int, n_fits: int, what: str) -> Watch:
    """Shows how far all fits are, of which this is one."""

    def watch(state: TrainingState) -> None:
        now, epochs = state.progress, state.settings.max_epochs
        part, parts = state.part
        done = (part - 1 + (1.0 if now.ended else now.epoch / epochs)) / parts
        shown.update(number + done, n_fits, f"{what}, epoch {now.epoch}/{epochs}")

    return watch
