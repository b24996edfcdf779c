"""Embedder: data in, code out, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from hourglass import readers
from hourglass.diagnostics.density import MAX_ROWS, CodeDensity
from hourglass.diagnostics.hidden_cells import HiddenCells
from hourglass.diagnostics.marginals import Marginals
from hourglass.estimators import passes
from hourglass.estimators.conditions import condition_tensor
from hourglass.estimators.estimator import AutoencoderEstimator
from hourglass.estimators.imputation import Imputing
from hourglass.estimators.training_data import TrainingData
from hourglass.parameters import documented
from hourglass.randomness import seeded
from hourglass.training import Rows, threads

MAX_DRAWS, MIN_MARGINAL_ROWS = 10_000, 1_000  # that the distributions of drawn numbers are estimated from
MARGINAL_CELLS = 2**24  # wide tables have fewer rows there


@documented
@dataclass(eq=False, repr=False)
class Embedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Imputing, AutoencoderEstimator):
    """Learns a small code for every example of a table, a set of pictures, or other data.

    Attributes
    ----------
    model_ : Autoencoder
    history_ : list of dict, one per epoch: every term's mean, unweighted, in nats per example.
    summary_ : Summary, figures on held-out rows.
    advice_ : list of str, what the figures mean.
    n_latent_, modality_, recipe_, density_, settings_ : what was resolved and learned.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from hourglass import Embedder
    >>> X = load_digits().images
    >>> embedder = Embedder(n_latent=2, max_epochs=3, random_state=0).fit(X)
    >>> embedder.transform(X).shape
    (1797, 2)
    >>> embedder.sample(5, random_state=0).shape
    (5, 8, 8)
    """

    learned: ClassVar[dict[str, type]] = {
        "density_": CodeDensity, "marginals_": Marginals, "hidden_cells_": HiddenCells,
    }  # fmt: skip
    sections: ClassVar[tuple[str, ...]] = ("reconstructions", "map", "dimensions", "samples", "training")

    @property
    def _n_features_out(self) -> int:
        return self.n_latent_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _after_training(self, data: TrainingData) -> None:
        """Fits a density to the codes of training examples, and the distributions of drawn numbers."""
        some = data.independent[np.random.default_rng(self.seed_).permutation(len(data.independent))[:MAX_ROWS]]
        rows = data.sample.view(torch.from_numpy(some))  # never a copy of all rows
        codes = [passes.encode(self.model_, part.raw, part.condition, self.device) for part in rows.batches(16_384)]
        groups = None if data.groups is None else data.groups[some]
        known = [] if groups is None or self.condition_ is None else self.condition_.all_groups
        Z = torch.cat(codes).flatten(1).numpy()
        self.density_ = CodeDensity.fit(Z, groups, known=known, seed=self.seed_)
        self.marginals_ = self._fit_marginals(rows, groups)
        self.hidden_cells_ = self._learn_to_fill(data)

    @torch.no_grad()
    def _fit_marginals(self, rows: Rows, groups: np.ndarray | None) -> Marginals:
        """The distributions of numbers in training rows, and in rows drawn under the same conditions."""
        cells = self.modality_.marginal_mask().flatten().nonzero().flatten()
        if not len(cells):
            return Marginals.fit([], np.empty((0, 0)), np.empty((0, 0)))
        some = slice(0, max(MIN_MARGINAL_ROWS, MARGINAL_CELLS // math.prod(self.modality_.shape)))
        real = rows[some]
        n = max(MIN_MARGINAL_ROWS, min(MAX_DRAWS, 4 * len(real), MARGINAL_CELLS // math.prod(self.modality_.shape)))
        like = np.random.default_rng(self.seed_).integers(len(real), size=n)
        given = None if real.condition is None else real.condition[torch.from_numpy(like)]
        of_draws = None if groups is None else groups[like]
        with seeded(self.seed_):
            z = self.density_.sample(n, of_draws if self.density_.groups != [None] else None, seed=self.seed_)
            drawn = passes.decode(self.model_, torch.from_numpy(z), given, self.device, noise=True)
        data, draws = (raw.flatten(1)[:, cells].numpy() for raw in (real.raw, drawn))
        return Marginals.fit(cells.numpy(), data, draws, None if groups is None else groups[some], of_draws)

    def transform(self, X: Any, *, condition: Any = None, per_record: bool = False) -> np.ndarray:
        """The code of every example: the posterior's mode.

        Parameters
        ----------
        X : as in `fit`.
        condition : as in `fit`; needed if and only if the model was fitted with one.
        per_record : one code for each series, level or piece, the mean of those of its windows, instead of one for each
            window.

        Returns
        -------
        (N, L) float32; (N, L, *G) for codes on a grid; R rows `per_record`.
        """
        X, condition = self._accept(X, condition)
        examples = self.modality_.examples(X)
        with threads(self.n_threads):
            given = self._condition_of(examples, condition)
            codes = passes.encode(self.model_, examples.rows(), given, self.device).numpy()
        return examples.mean_per_record(codes) if per_record else codes

    def fit_transform(self, X: Any, y: Any = None, *, condition: Any = None, **options: Any) -> np.ndarray:
        """`fit`, with all of its options, then the codes of the same examples, (N, L) float32.

        Raises TypeError for a ParquetStream, before training: its codes come batch by batch from `transform`.
        """
        if isinstance(X, readers.ParquetStream):
            raise TypeError(
                "X is a ParquetStream: call fit, then transform on each of its batches, from X.batches(group)"
            )
        return self.fit(X, y, condition=condition, **options).transform(X, condition=condition)

    def inverse_transform(self, Z: Any, *, condition: Any = None) -> Any:
        """Codes back to examples: the mean of p(x | z), for categories the most probable one.

        Parameters
        ----------
        Z : (N, L) codes.
        condition : as in `fit`, one per code.

        Returns
        -------
        What `fit` was given, in its own units: an array, a frame, or pictures (float32). The columns of a frame are of
        the types at fit, but for whole numbers, which are expected values in floating point.
        """
        check_is_fitted(self, "model_")
        z = self._codes(Z)
        given = condition_tensor(self.condition_, condition, len(z))
        with threads(self.n_threads):
            return self.modality_.restore(passes.decode(self.model_, z, given, self.device))

    def _codes(self, Z: Any) -> torch.Tensor:
        z = torch.from_numpy(np.array(Z, dtype=np.float32))
        if z.ndim < 2 or z.shape[1] != self.n_latent_:
            raise ValueError(f"Z has shape {tuple(z.shape)}; codes of this model are (N, {self.n_latent_})")
        if not bool(z.isfinite().all()):
            raise ValueError("Z holds NaN or infinity; codes must be finite")
        return z

    @torch.no_grad()
    def sample(
        self,
        n: int = 1,
        *,
        condition: Any = None,
        given: Any = None,
        prior: bool = False,
        noise: bool | None = None,
        marginals: Literal["data", "model"] = "data",
        random_state: Any = None,
    ) -> Any:
        """New examples.

        Parameters
        ----------
        n : how many; of each row of `given`, where this is a table.
        condition : one value for all, or one for each; needed if and only if the model was fitted with one. With
            `given`, one for each row of it.
        given : values of some columns, {"age": 40, "town": "Oslo"}, or a table of some columns, a missing cell being
            one that is not given: the other cells are drawn given these, which come back as they are. n rows for each
            row in turn. See `hourglass.diagnostics.known_cells` for how.
        prior : draw codes from the recipe's prior instead of the density fitted to the codes after training (per
            condition, where there is one). Only for recipes that have a prior.
        noise : draw x from p(x | z) instead of taking its mean; None draws for tables and not for pictures.
        marginals : "data" maps the numbers of drawn rows, by their rank among all that the model draws, onto the
            distribution that the column had at fit, per condition where this is made of categories and had 100 rows:
            its bounds, levels and decimals come back, and how columns go together stays the model's. "model" leaves
            them as drawn. Means (`noise`), draws from the prior and pictures are never mapped.
        random_state : int, RandomState or None.

        Raises
        ------
        ValueError : for a condition, or a given value, unknown at fit, and prior=True with a recipe that has none.
        TypeError : for `given` with data without columns.

        Source: Ghosh et al. 2020, arXiv:1903.12436, for the density fitted after training.
        """
        check_is_fitted(self, "model_")
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"n={n!r} must be a whole number of at least 1")
        if marginals not in ("data", "model"):
            raise ValueError(f"marginals={marginals!r} is unknown; choose 'data' or 'model'")
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        if given is not None:
            if prior or noise is False:
                raise ValueError("given= draws rows from the fitted density: leave out prior=True and noise=False")
            return self._sample_given(n, given, condition, marginals, seed)
        beside = condition_tensor(self.condition_, condition, n)
        noise = self.modality_.samples_noise if noise is None else noise
        with seeded(seed), threads(self.n_threads):
            z = self._prior_codes(n, beside) if prior else self._density_codes(n, condition, seed)
            raw = passes.decode(self.model_, z, beside, self.device, noise)
            if marginals == "data" and noise and not prior:
                raw = self._onto_marginals(raw, self._groups_of(condition, n), seed)
            return self.modality_.restore(raw, sampled=noise)

    def _sample_given(self, n: int, given: Any, condition: Any, marginals: str, seed: int) -> Any:
        """n rows for each row of `given`."""
        raw, hand_out = self.modality_.given(given)
        drawn = self._draw_missing(raw, condition, n, marginals, seed)
        return hand_out(drawn.transpose(0, 1).flatten(0, 1))

    def _draw_missing(self, raw: torch.Tensor, condition: Any, n: int, marginals: str, seed: int) -> torch.Tensor:
        """Raw rows (N, *S) with their missing cells drawn given the others, n times: (n, N, *S)."""
        beside, groups = condition_tensor(self.condition_, condition, len(raw)), self._groups_of(condition, len(raw))
        of_density = None if self.density_.groups == [None] else groups
        with seeded(seed), threads(self.n_threads):
            draws = passes.draw_missing(
                self.model_, self.density_, raw, beside, of_density, n, seed, self.device
            )  # fmt: skip
        if marginals == "data":
            draws = torch.stack([self._onto_marginals(each, groups, seed + k) for k, each in enumerate(draws)])
        return torch.where(raw.isnan(), draws.to(raw.dtype), raw)

    def _onto_marginals(self, raw: torch.Tensor, groups: np.ndarray | None, seed: int) -> torch.Tensor:
        if not len(self.marginals_):
            return raw
        return torch.from_numpy(self.marginals_.apply(raw.numpy(), groups, seed))

    def _groups_of(self, condition: Any, n: int) -> np.ndarray | None:
        return None if self.condition_ is None else self.condition_.groups(condition, n)

    def _prior_codes(self, n: int, condition: torch.Tensor | None) -> torch.Tensor:
        prior = self.model_.encode.prior(condition)
        if prior is None:
            raise ValueError("prior=True, but this recipe has no prior; leave it out to use the fitted density")
        return prior.sample(n)

    def _density_codes(self, n: int, condition: Any, seed: int) -> torch.Tensor:
        grouped = self.condition_ is not None and self.density_.groups != [None]
        groups = self.condition_.groups(condition, n) if grouped else None  # type: ignore[union-attr]
        z = torch.from_numpy(self.density_.sample(n, groups, seed=seed))
        return z.reshape(n, *self.model_.sizes.code)
