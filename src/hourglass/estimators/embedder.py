"""Embedder: data in, code out, and back."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from hourglass.diagnostics.evidence import log_evidence
from hourglass.estimators.conditions import condition_tensor
from hourglass.estimators.estimator import AutoencoderEstimator
from hourglass.modalities.columns import fill_missing, frame_kind
from hourglass.randomness import seeded
from hourglass.readers import ParquetStream
from hourglass.training import threads

DECODE_BATCH = 2048


class Embedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, AutoencoderEstimator):
    """Learns a small code for every example of a table or a set of pictures.

    Parameters
    ----------
    n_latent : int, "map" or None
        Size of the code. "map" is 2. None estimates it: twice the intrinsic dimension (TwoNN), from 2 to 64, never
        above half the number of features.
    recipe : str or Recipe
        The kind of autoencoder: "ae", "denoising", "sparse", "sparse_kl", "contractive", "vae", "beta_vae", with words
        for what is to be different ("vae kl=0.1", "ae RandomAffine GaussianNoise=1"), or a value.
    modality : str, Modality or None
        "tables", "images", or a value such as `Images(binarise="dynamic")`; None looks at X.
    likelihood : str or None
        "gaussian", "laplace" or "bernoulli"; None infers it: Bernoulli for two values only, categories by themselves.
        Asked for with grey pictures, the Bernoulli takes a grey level, between the least and the largest at fit, as the
        probability that is to be given back.
    variance : "shared", "feature" or float
        The Gaussian's variance: fitted as one number, one per feature, or fixed (in units of the data's own variance).
    hidden : tuple of int or None
        Widths of the encoder's hidden layers; the decoder mirrors them. () makes both ends linear.
    network : "mlp", "conv" or None
        None takes convolutions for pictures above 32 pixels a side.
    activation : str
        "silu", "relu", "gelu", "tanh" or "sigmoid".
    max_epochs, batch_size, learning_rate, patience : number or None
        None chooses by the number of rows. `max_epochs` is also the horizon of the learning rate's cosine.
    validation_fraction : float
        Share of rows held out for early stopping (at most 2,500); 0 trains on all rows to the end.
    precision : "auto", "float32" or "bfloat16"
        Of training; "auto" takes bfloat16 for large networks where the processor is made for it.
    n_threads : int or None
        Threads of torch and numpy; None leaves them as they are.
    device : "auto", "cpu" or "cuda"
    random_state : int, RandomState or None
    verbose : bool
        Show a progress bar.

    Attributes
    ----------
    model_ : Autoencoder
    history_ : list of dict, one an epoch: every term's mean, unweighted, in nats per sample.
    summary_ : Summary, figures on held-out rows.
    advice_ : list of str, what the figures mean.
    n_latent_, modality_, recipe_, density_, settings_ : what was resolved and learnt.

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

    @property
    def _n_features_out(self) -> int:
        return self.n_latent_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def transform(self, X: Any, *, condition: Any = None) -> np.ndarray:
        """The code of every example: the posterior's mode.

        Parameters
        ----------
        X : as in `fit`.
        condition : as in `fit`; needed if and only if the model was fitted with one.

        Returns
        -------
        (N, L) float32
        """
        check_is_fitted(self, "model_")
        raw = self.modality_.tensor(self._examples(X))
        with threads(self.n_threads):
            return self._pass(raw, condition_tensor(self.condition_, condition, len(raw))).numpy()

    def fit_transform(self, X: Any, y: Any = None, *, condition: Any = None, **options: Any) -> np.ndarray:
        """`fit`, with all of its options, then the codes of the same examples, (N, L) float32.

        Raises TypeError for a ParquetStream, before training: its codes come batch by batch from `transform`.
        """
        if isinstance(X, ParquetStream):
            raise TypeError(
                "X is a ParquetStream: call fit, then transform on each of its batches, from X.batches(group)"
            )
        return self.fit(X, y, condition=condition, **options).transform(X, condition=condition)

    @torch.no_grad()
    def inverse_transform(self, Z: Any, *, condition: Any = None) -> Any:
        """Codes back to examples: the mean of p(x | z), for categories the most probable one.

        Parameters
        ----------
        Z : (N, L) codes.
        condition : as in `fit`.

        Returns
        -------
        What `fit` was given, in its own units: an array, a frame, or pictures (float32).
        """
        check_is_fitted(self, "model_")
        z = self._codes(Z)
        return self.modality_.restore(self._decode(z, condition_tensor(self.condition_, condition, len(z)), False))

    def _codes(self, Z: Any) -> torch.Tensor:
        z = torch.from_numpy(np.array(Z, dtype=np.float32))
        if z.ndim != 2 or z.shape[1] != self.n_latent_:
            raise ValueError(f"Z has shape {tuple(z.shape)}; codes of this model are (N, {self.n_latent_})")
        if not bool(z.isfinite().all()):
            raise ValueError("Z holds NaN or infinity; codes must be finite")
        return z

    def _decode(self, z: torch.Tensor, condition: torch.Tensor | None, noise: bool) -> torch.Tensor:
        """Codes -> raw units (N, *S): the reconstruction, or a draw of x with the likelihood's noise."""
        parts = []
        with threads(self.n_threads):
            for i in range(0, len(z), DECODE_BATCH):
                given = None if condition is None else condition[i : i + DECODE_BATCH]
                output = self.model_.decode(z[i : i + DECODE_BATCH], given)
                parts.append(self.model_.scaling.inverse(output.sample() if noise else output.reconstruction))  # type: ignore[operator]
        return torch.cat(parts) if parts else torch.empty(0, *self.modality_.shape)

    def reconstruct(self, X: Any, *, condition: Any = None) -> Any:
        """X through the bottleneck and back, in its own units, and with the index of a pandas frame."""
        made = self.inverse_transform(self.transform(X, condition=condition), condition=condition)
        if frame_kind(X) == frame_kind(made) == "pandas":
            made.index = X.index
        return made

    @torch.no_grad()
    def impute(self, X: Any, *, condition: Any = None, rounds: int | None = None) -> Any:
        """A table with its missing cells filled in by the reconstruction; every other cell is left as it is.

        The answer is of the kind of X, and its columns of the types they had: a column of whole numbers or booleans is
        filled in with such, one of floating point with the expected value, one of categories with the likeliest. A
        column that had nothing but missing cells at fit keeps them, with a warning.

        Missing cells are reconstructed from the code of the known ones, in a second round from the code of the row so
        filled in, and so on.

        Parameters
        ----------
        X, condition : as in `fit`.
        rounds : how many; None takes 3 for recipes that have a prior and 1 for the others, which drift in later ones.

        Source: Rezende, Mohamed, Wierstra 2014, arXiv:1401.4082, appendix F, who draw where this takes the mode.
        """
        check_is_fitted(self, "model_")
        if rounds is None:
            rounds = 3 if self.recipe_.prior is not None else 1
        if rounds < 1:
            raise ValueError(f"rounds={rounds} must be at least 1, or None")
        X = self._examples(X)
        raw = self.modality_.tensor(X)
        given = condition_tensor(self.condition_, condition, len(raw))
        hidden, filled = raw.isnan(), raw
        with threads(self.n_threads):
            for _ in range(rounds):
                filled = torch.where(hidden, self._decode(self._pass(filled, given), given, False).to(raw.dtype), raw)
        if raw.ndim > 2:  # pictures have no holes
            return self.modality_.restore(filled)
        table: Any = self.modality_
        if never := [column.name for column in table.columns if column.offset != column.offset]:
            names = ", ".join(never)
            warnings.warn(f"nothing was known of {names} at fit; what is missing there stays missing", stacklevel=2)
        return fill_missing(X, table.restore_columns(filled), table.restore_columns(filled, sampled=True))

    @torch.no_grad()
    def sample(
        self,
        n: int = 1,
        *,
        condition: Any = None,
        prior: bool = False,
        noise: bool | None = None,
        random_state: Any = None,
    ) -> Any:
        """New examples.

        Parameters
        ----------
        n : how many.
        condition : one value for all, or one for each; needed if and only if the model was fitted with one.
        prior : draw codes from the recipe's prior instead of the density fitted to the codes after training (per
            condition, where there is one). Only for recipes that have a prior.
        noise : draw x from p(x | z) instead of taking its mean; None draws for tables and not for pictures.
        random_state : int, RandomState or None.

        Source: Ghosh et al. 2020, arXiv:1903.12436, for the density fitted after training.
        """
        check_is_fitted(self, "model_")
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"n={n!r} must be a whole number of at least 1")
        from sklearn.utils import check_random_state

        seed = int(check_random_state(random_state).randint(2**31 - 1))
        given = condition_tensor(self.condition_, condition, n)
        noise = getattr(self.modality_, "samples_noise", False) if noise is None else noise
        with seeded(seed):
            if prior:
                p = self.model_.encode.prior(given)
                if p is None:
                    raise ValueError("prior=True, but this recipe has no prior; leave it out to use the fitted density")
                z = p.sample(n)
            else:
                grouped = self.condition_ is not None and self.density_.groups != [None]
                groups = self.condition_.groups(condition, n) if grouped else None  # type: ignore[union-attr]
                z = torch.from_numpy(self.density_.sample(n, groups, seed=seed))
            return self.modality_.restore(self._decode(z, given, noise), sampled=noise)

    def score_samples(self, X: Any, *, condition: Any = None, n_samples: int = 1, random_state: int = 0) -> np.ndarray:
        """How normal every example is: higher is more normal.

        For recipes with a prior the importance-weighted bound of log p(x) with `n_samples` samples of the code (1: the
        ELBO); for the others log p(x | code), which is no bound of log p(x): scores of recipes of the two kinds do not
        compare (`hourglass.comparison.compare` does). Nats per sample, of the data in model space (standardised). Of
        grey pictures under a Bernoulli the cross-entropy of their levels, which is no density and favours clear black
        and white; to find odd pictures, leave the likelihood to be inferred.
        Missing cells are left out of the sum, so that only rows with the same cells known are on one scale.

        Returns
        -------
        (N,) float64
        """
        check_is_fitted(self, "model_")
        raw = self.modality_.tensor(self._examples(X))
        given = condition_tensor(self.condition_, condition, len(raw))
        with threads(self.n_threads), torch.no_grad():
            x = self.model_.scaling(raw)
            scores = log_evidence(self.model_, x, given, n_samples=n_samples, seed=random_state)
        return scores.double().numpy()

    def score(self, X: Any, y: Any = None, *, condition: Any = None) -> float:
        """The mean of `score_samples`: nats per sample."""
        return float(self.score_samples(X, condition=condition).mean())
