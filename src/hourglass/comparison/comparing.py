"""The fits of a comparison, one after the other, each kept when it is done."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hourglass import readers
from hourglass.comparison.evaluation import Examples, evaluate
from hourglass.comparison.result import Comparison
from hourglass.estimators import Embedder
from hourglass.estimators.names import named_modality, named_recipe
from hourglass.fingerprint import fingerprint
from hourglass.readers import containers
from hourglass.recipe import Recipe
from hourglass.recipe_json import recipe_to_json
from hourglass.training import TrainingState
from hourglass.whole_files import write_whole

RESULTS = "compare.json"
SIZES = (2, 4, 8, 16, 32)
MAX_TEST_ROWS = 5_000


def compare(
    X: Any,
    *,
    recipes: Sequence[str | Recipe] = ("ae", "vae"),
    n_latents: Sequence[int] | None = None,
    seeds: int = 1,
    condition: Any = None,
    test_fraction: float = 0.2,
    folder: str | Path | None = None,
    resume: bool = False,
    verbose: bool = False,
    **options: Any,
) -> Comparison:
    """Fits every recipe at every code size and judges all on the same held-out rows.

    Parameters
    ----------
    X : as for `Embedder.fit`, but not a stream.
    recipes : names, with words for what is to be different (see `Embedder`), or Recipe values.
    n_latents : code sizes; None takes 2, 4, 8, 16 and 32, as far as they are below the number of features.
    seeds : fits of each kind, from the seeds 0, 1, ...; the split into rows for learning and evaluation stays the same.
    condition : as for `Embedder.fit`, told to every model.
    test_fraction : share of rows to judge on, at most 5,000 of them; the models never see these.
    folder : where the results are kept after each fit, with table and plot at the end; None keeps nothing.
    resume : go on with the comparison in `folder`.
    verbose : show a progress bar on stderr.
    **options : of `Embedder`, the same for all.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError : too few rows, a size below 1, an unknown recipe, or a folder with results of other data or options.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> found = compare(load_wine().data, recipes=["ae"], n_latents=[1, 4], max_epochs=2)
    >>> [(row["recipe"], row["n_latent"]) for row in found.rows]
    [('pca', 1), ('pca', 4), ('ae', 1), ('ae', 4)]
    """
    data = readers.read(X)
    X = named_modality(options.get("modality"), data).accept(data)
    condition = None if condition is None else containers.canonical(condition, "condition")
    named = {r if isinstance(r, str) else repr(r): named_recipe(r) for r in recipes}
    if not named:
        raise ValueError("recipes is empty; give at least one")
    if seeds < 1:
        raise ValueError(f"seeds={seeds} must be at least 1")
    train, judged = _split(X, condition, test_fraction)
    sizes = _sizes(n_latents, train, options)
    plan = [(name, size, seed) for seed in range(seeds) for size, name in itertools.product(sizes, named)]
    identity = fingerprint(
        *(containers.digestible(part) for part in (train.X, train.condition, judged.X)),
        {k: v for k, v in options.items() if k != "n_threads" and v is not None},
        {name: recipe_to_json(recipe) for name, recipe in named.items()},
    )
    place = None if folder is None else Path(folder)
    rows = _kept(place, identity) if resume else []
    done = {(row["recipe"], row["n_latent"], row["seed"]) for row in rows}
    with _bar(len(plan), verbose) as (begin, watch):
        for number, (name, size, seed) in enumerate(plan):
            begin(number, f"{name}, {size} numbers" + (f", seed {seed}" if seeds > 1 else ""))
            if (name, size, seed) in done:
                continue
            estimator = Embedder(n_latent=size, recipe=named[name], random_state=seed, **options)
            estimator.fit(train.X, condition=train.condition, watch=watch)  # Ctrl-C: what was finished is kept
            row, pca = evaluate(estimator, train, judged)
            if pca is not None and ("pca", size, 0) not in done:
                rows.append({"recipe": "pca", "n_latent": size, "seed": 0, **pca})
                done.add(("pca", size, 0))
            rows.append({"recipe": name, "n_latent": size, "seed": seed, **row})
            if place is not None:
                place.mkdir(parents=True, exist_ok=True)
                kept = {"fingerprint": identity, "n_judged": len(judged), "rows": rows}
                write_whole(place / RESULTS, json.dumps(kept, indent=1).encode())
    wanted = {(name, size) for name, size, _ in plan} | {("pca", size) for size in sizes}
    order = {name: k for k, name in enumerate(["pca", *named])}
    chosen = [row for row in rows if (row["recipe"], row["n_latent"]) in wanted and row["seed"] < seeds]
    chosen.sort(key=lambda row: (order[row["recipe"]], row["n_latent"], row["seed"]))
    result = Comparison(tuple(chosen), len(judged), identity)
    return result if place is None else result.write(place)


def _split(X: Any, condition: Any, test_fraction: float) -> tuple[Examples, Examples]:
    """Rows to learn from and rows to judge on; the same for everything that is compared."""
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction={test_fraction} must lie between 0 and 1")
    n = len(X)
    if n < 10:
        raise ValueError(f"X has {n} rows; a comparison needs at least 10, to learn from some and judge on others")
    order = np.random.default_rng(0).permutation(n)
    held = max(2, min(MAX_TEST_ROWS, round(test_fraction * n)))
    everything = Examples(X, condition)
    return everything.take(order[held:]), everything.take(order[:held])


def _sizes(n_latents: Sequence[int] | None, train: Examples, options: dict[str, Any]) -> list[int]:
    modality = named_modality(options.get("modality"), readers.read(train.X))
    features = int(np.prod(modality.infer(train.X).shape))
    if n_latents is None:
        return [size for size in SIZES if size < features] or [1]
    wrong = [size for size in n_latents if size < 1]
    if wrong or not len(n_latents):
        raise ValueError(f"n_latents={list(n_latents)} must be whole numbers of at least 1")
    return sorted(set(n_latents))


def _kept(folder: Path | None, identity: str) -> list[dict[str, Any]]:
    if folder is None:
        raise ValueError("resume=True needs folder=, where the comparison to go on with is kept")
    if not (folder / RESULTS).exists():
        return []
    try:
        kept = json.loads((folder / RESULTS).read_text())
        rows, before = list(kept["rows"]), kept["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / RESULTS} is damaged or foreign ({error}); start anew") from error
    if before != identity:
        raise ValueError(f"{folder} holds a comparison of other data, recipes or options; start anew in another folder")
    return rows


@contextmanager
def _bar(n_fits: int, verbose: bool) -> Iterator[Any]:
    """(begin, watch): one bar over all fits, which moves within each."""
    if not verbose:
        yield (lambda number, what: None), None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=n_fits)
        started = [0]

        def begin(number: int, what: str) -> None:
            started[0] = number
            progress.update(task, completed=number, description=f"fit {number + 1}/{n_fits}: {what}")

        def watch(state: TrainingState) -> None:
            progress.update(task, completed=started[0] + state.progress.epoch / state.settings.max_epochs)

        yield begin, watch
        progress.update(task, completed=n_fits)
