"""Missing cells filled in: by the best answer, by draws, or by the range that holds them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import Tensor

from hourglass.diagnostics.density import CodeDensity
from hourglass.diagnostics.hidden_cells import HiddenCells, weigh
from hourglass.diagnostics.known_cells import central_range
from hourglass.estimators import passes
from hourglass.estimators.training_data import TrainingData
from hourglass.modalities import Examples, Modality
from hourglass.model import Autoencoder
from hourglass.randomness import seeded
from hourglass.readers import containers
from hourglass.recipe import Recipe
from hourglass.training import Rows, threads

DRAWS_FOR_INTERVALS = 200
ROWS_TO_HIDE, MAX_REPEATS = 400, 8  # held-out rows whose cells are hidden, again and again if there are fewer
ROWS_PER_DRAWN, DRAWS_TO_LEARN = 4, 50  # one of so many is drawn so often, to see how wide ranges must be
SHARE_HIDDEN = (0.1, 0.5)  # of the cells of a column, at least and at most
MAX_CELLS = 512  # wider examples have the first estimate alone


class Imputing:
    """What an estimator that fills in missing cells does; it has a density of codes and marginals beside the model."""

    if TYPE_CHECKING:
        model_: Autoencoder
        modality_: Modality
        recipe_: Recipe
        density_: CodeDensity
        hidden_cells_: HiddenCells
        seed_: int
        device: str
        n_threads: int | None

        def _accept(self, X: Any, condition: Any) -> tuple[Any, Any]: ...
        def _condition_of(self, examples: Examples, condition: Any) -> Tensor | None: ...
        def _groups_of(self, condition: Any, n: int) -> np.ndarray | None: ...
        def _draw_missing(self, raw: Tensor, condition: Any, n: int, marginals: str, seed: int) -> Tensor: ...
        def _onto_marginals(self, raw: Tensor, groups: np.ndarray | None, seed: int) -> Tensor: ...

    def impute(
        self,
        X: Any,
        *,
        condition: Any = None,
        rounds: int | None = None,
        n_draws: int | None = None,
        interval: float | None = None,
        random_state: Any = None,
    ) -> Any:
        """X with its missing cells filled in by the reconstruction; every other cell is left as it is.

        The answer is of the kind of X, and its columns of the types they had. What is filled in could have been there:
        whole numbers where there was nothing else at fit, one of two values where there were two, the most probable
        category; other numbers are filled in with the expected value. A column that had nothing but missing cells at
        fit keeps them, with a warning.

        Missing cells are reconstructed from the code of the known ones, in a second round from the code of the row so
        filled in, and so on. Numbers of a table are a mean of that and of the value expected given the known cells,
        with the weights that filled hidden cells of held-out rows best; see `hourglass.diagnostics.hidden_cells`.

        Parameters
        ----------
        X, condition : as in `fit`.
        rounds : how many, of the code's reconstruction alone; None takes 3 for recipes that have a prior and 1 for the
            others, which drift in later ones, and then the mean.
        n_draws : instead of the one best filling, so many that could be: each row's missing cells drawn together given
            its known ones, numbers mapped as `sample` does. What is computed on each of them varies as much as the data
            leave it open (multiple imputation).
        interval : instead of the one best filling, two: the lower and the upper end of the range that holds the value
            with this probability, of each missing cell by itself, from 200 draws as `n_draws` makes them. Which range
            of the draws that is was learned from hidden cells of held-out rows, where there were any. A category has no
            ends: both are the one drawn most often.
        random_state : int, RandomState or None, of the draws.

        Returns
        -------
        What X is; with `n_draws` a list of so many, with `interval` a list of two.

        Raises
        ------
        TypeError : for data without missing cells, such as pictures.

        Sources: Rezende, Mohamed, Wierstra 2014, arXiv:1401.4082, appendix F, who draw where this takes the mode; Rubin
        1987, Multiple Imputation for Nonresponse in Surveys.
        """
        if n_draws is not None or interval is not None:
            return self._impute_draws(X, condition, rounds, n_draws, interval, random_state)
        X, condition = self._accept(X, condition)
        if rounds is not None and rounds < 1:
            raise ValueError(f"rounds={rounds} must be at least 1, or None")
        examples = self.modality_.examples(X)
        raw = filled = examples.rows()
        if self.modality_.has_missing:
            given = self._condition_of(examples, condition)
            with threads(self.n_threads):
                filled = self._filled(raw, given, rounds)
        return self.modality_.fill(X, examples, filled)

    def _rounds(self) -> int:
        return 1 if self.recipe_.prior is None else 3

    def _filled(self, raw: Tensor, given: Tensor | None, rounds: int | None) -> Tensor:
        """Rows with their missing cells filled in: by so many rounds alone, or as hidden cells have taught."""
        missing = raw.isnan()
        first = after_rounds(self.model_, raw, given, rounds or self._rounds(), self.device)
        open_ = missing.flatten(1).any(1)
        if rounds is not None or self.hidden_cells_.trusts_one or not bool(open_.any()):
            return first
        of_open = None if given is None else given[open_]
        second = passes.expected(self.model_, self.density_, raw[open_], of_open, self.seed_, self.device)
        scaling = self.model_.scaling
        blend = self.hidden_cells_.fill(scaling(first[open_]).flatten(1), second.flatten(1))
        made = scaling.inverse(blend.float().reshape(second.shape)).to(raw.dtype)  # type: ignore[operator]
        filled = first.clone()
        filled[open_] = torch.where(missing[open_] & self._numbers(), made, first[open_])
        return filled

    def _numbers(self) -> Tensor:
        """Which cells are numbers, (*S) bool."""
        return ~self.model_.decode.likelihood.categorical.expand(self.modality_.shape)

    def _learn_to_fill(self, data: TrainingData) -> HiddenCells:
        """Hides cells of rows that were not learned from, and compares what is filled in.

        Not where codes have a density for each condition, or lie on a grid: there the first estimate stands alone.
        """
        size = math.prod(self.modality_.shape)
        flat = len(self.model_.sizes.code) == 1 and self.density_.groups == [None]
        if size > MAX_CELLS or not flat or not bool(self.modality_.marginal_mask().any()):
            return HiddenCells.unknown(size)
        trials = []
        if data.held_out is not None:
            trials.append(self._trial(self.model_, self.density_, data.held_out, ROWS_TO_HIDE))
        for model, learned_from, held_out in data.folds_trained:
            codes = [passes.encode(model, part.raw, part.condition) for part in learned_from.batches(16_384)]
            density = CodeDensity.fit(torch.cat(codes).flatten(1).numpy(), seed=self.seed_)
            trials.append(self._trial(model, density, held_out, ROWS_TO_HIDE // len(data.folds_trained)))
        if not trials:
            return HiddenCells.unknown(size)
        first, second, truth, x = (np.concatenate([getattr(t, name) for t in trials]) for name in _Trial.rows)
        draws, drawn = np.concatenate([t.draws for t in trials], 1), np.concatenate([t.drawn for t in trials])
        return weigh(first, second, truth, x, self._numbers().flatten().numpy()).with_ranges(draws, drawn)

    @torch.no_grad()
    def _trial(self, model: Autoencoder, density: CodeDensity, held_out: Rows, n: int) -> _Trial:
        """What is filled into hidden cells of n rows that the model did not learn from: again and again of few."""
        rng = np.random.default_rng((self.seed_, 6))
        rows = held_out[torch.arange(min(n, MAX_REPEATS * len(held_out))) % len(held_out)]
        share = held_out.raw.isnan().double().mean(0).clamp(*SHARE_HIDDEN)
        hidden = (torch.from_numpy(rng.random(rows.raw.shape)) < share) & rows.raw.isfinite()
        shown, scaling, device = rows.raw.masked_fill(hidden, torch.nan), model.scaling, self.device
        first = scaling(after_rounds(model, shown, rows.condition, self._rounds(), device))
        second = passes.expected(model, density, shown, rows.condition, self.seed_, device)
        truth = scaling(rows.raw).masked_fill(~hidden, torch.nan)
        some = slice(0, n // ROWS_PER_DRAWN)
        with seeded(self.seed_):
            draws = passes.draw_missing(
                model, density, shown[some], rows[some].condition, None, DRAWS_TO_LEARN, self.seed_, device
            )
        draws = torch.stack([self._onto_marginals(each, None, self.seed_ + k) for k, each in enumerate(draws)])
        known = hidden[some] & self._numbers()
        drawn = rows.raw[some][known].double().numpy()
        x = _flat(scaling(held_out.raw))
        return _Trial(_flat(first), _flat(second), _flat(truth), x, _flat(draws[:, known]), drawn)

    def _impute_draws(
        self,
        X: Any,
        condition: Any,
        rounds: int | None,
        n_draws: int | None,
        interval: float | None,
        random_state: Any,
    ) -> list[Any]:
        if n_draws is not None and interval is not None:
            raise ValueError("n_draws gives draws and interval the range they lie in; give one of them")
        if interval is not None and not 0 < interval < 1:
            raise ValueError(f"interval={interval!r} is a probability and must lie between 0 and 1, such as 0.9")
        n = DRAWS_FOR_INTERVALS if n_draws is None else n_draws
        if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 1:
            raise ValueError(f"n_draws={n!r} must be a whole number of at least 1, or None for the best filling")
        if rounds is not None:
            raise ValueError(f"rounds={rounds} is of the one best filling; leave it out where draws are asked for")
        X, condition = self._accept(X, condition)
        examples = self.modality_.examples(X)
        raw = examples.rows()
        if not self.modality_.has_missing:
            return [self.modality_.fill(X, examples, raw)]  # says that there is nothing to fill in
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        draws = self._draws_of(raw, condition, n, seed)
        if interval is not None:
            level = self.hidden_cells_.level(interval)
            draws = central_range(draws, level, self.model_.decode.likelihood.categorical)
        return [self.modality_.fill(X, examples, each) for each in draws]

    def _draws_of(self, raw: Tensor, condition: Any, n: int, seed: int) -> Tensor:
        """Rows with missing cells drawn n times, complete rows as they are: (n, N, *S)."""
        open_ = raw.isnan().flatten(1).any(1)
        draws = raw.double().expand(n, *raw.shape).clone()
        if bool(open_.any()):
            of_open = condition
            if condition is not None and not containers.is_single(condition):
                of_open = containers.take(containers.canonical(condition), open_.nonzero().flatten().numpy())
            draws[:, open_] = self._draw_missing(raw[open_].double(), of_open, n, "data", seed)
        return draws


@dataclass(frozen=True, eq=False)
class _Trial:
    """Two estimates, the truth of hidden cells, and rows to take scales from, (N, D); draws (n, M) and their truth."""

    rows: ClassVar[tuple[str, ...]] = ("first", "second", "truth", "x")
    first: np.ndarray
    second: np.ndarray
    truth: np.ndarray
    x: np.ndarray
    draws: np.ndarray
    drawn: np.ndarray


def _flat(rows: Tensor) -> np.ndarray:
    flat: np.ndarray = rows.double().flatten(1).numpy()
    return flat


def after_rounds(model: Autoencoder, raw: Tensor, given: Tensor | None, rounds: int, device: str) -> Tensor:
    """Rows whose missing cells are those of the reconstruction, made of the row so filled in again and again."""
    filled, missing = raw, raw.isnan()
    for _ in range(rounds):
        made = passes.reconstruct(model, filled, given, device)
        filled = torch.where(missing, made.to(raw.dtype), raw)
    return filled
