"""Denoiser: noisy pictures in, clean pictures out."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from hourglass.assemble import Architecture
from hourglass.denoising.noise import WHITE, Noise, estimate, psnr
from hourglass.denoising.patches import Patches
from hourglass.denoising.pictures import Pictures
from hourglass.denoising.tiles import through_tiles
from hourglass.diagnostics.summary import Summary
from hourglass.estimators.estimator import AutoencoderEstimator
from hourglass.estimators.fitting import train
from hourglass.estimators.settings import settings_for
from hourglass.estimators.training_data import TrainingData
from hourglass.fingerprint import fingerprint
from hourglass.modalities import Modality, modality_in_words
from hourglass.networks.unet import STRIDE
from hourglass.parameters import Denoising, documented
from hourglass.recipe import Recipe
from hourglass.run_files import Run
from hourglass.training import Rows, mixed_precision, threads
from hourglass.training.loop import Watch
from hourglass.training.progress import of_fit
from hourglass.variants import AE

MIN_PATCH = 16
PER_EPOCH, BATCH = 1_600, 16  # patches
EPOCHS = 60
HELD_OUT, MAX_HELD_OUT = 0.05, 20  # of the pictures
HELD_OUT_PATCHES = 96
LATENT = 112  # channels of the coarsest features


@dataclass(frozen=True, eq=False)
class Quality:
    """Decibels (PSNR) on held-out patches, before and after; the error before is that of what is shown."""

    before: float
    after: float

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"decibels": np.array([self.before, self.after])}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Quality:
        return cls(*arrays["decibels"].tolist())


@documented
@dataclass(eq=False, repr=False)
class Denoiser(TransformerMixin, Denoising, AutoencoderEstimator):
    """Takes noise off pictures of any size.

    Three ways to learn: from clean pictures and a model of their noise (`noise="gaussian:25"`); from noisy pictures and
    clean ones of the same things (`fit(noisy, clean)`); and from noisy pictures alone (`noise=None`), if the noise of
    neighbouring pixels is independent.

    Attributes
    ----------
    quality_ : decibels on held-out patches, before and after.
    model_, history_, summary_, advice_, modality_, recipe_, settings_ : as of `Embedder`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clean = [np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8) for _ in range(3)]
    >>> denoiser = Denoiser(noise="gaussian:25", patch=32, max_epochs=1, random_state=0).fit(clean)
    >>> denoiser.transform(clean[0]).shape
    (60, 80)
    """

    recipe: Any = "ae"
    learned: ClassVar[dict[str, type]] = {"quality_": Quality}
    sections: ClassVar[tuple[str, ...]] = ("training",)

    def check_parameters(self) -> None:
        """Raises ValueError or TypeError for constructor arguments that no fit can have; `fit` begins with it."""
        super().check_parameters()
        if self.noise is not None:
            Noise.parse(self.noise)
        if not isinstance(self.patch, int) or isinstance(self.patch, bool) or self.patch < MIN_PATCH:
            raise ValueError(f"patch={self.patch!r} must be a number of pixels, at least {MIN_PATCH}")
        if self.patch % STRIDE:
            raise ValueError(f"patch={self.patch} must be a multiple of {STRIDE}")

    def fit(self, X: Any, y: Any = None, **options: Any) -> Denoiser:
        """Learns from pictures X; with y, X are noisy ones and y clean ones of the same things.

        Parameters
        ----------
        X : a folder, an array (N, H, W), (N, C, H, W) or (N, H, W, C), or a list of arrays of any sizes.
        y : of the same sizes, or None.
        **options : `run`, `resume` and `watch`, as of `Embedder.fit`.
        """
        self._clean = y
        try:
            return super().fit(X, None, **options)
        finally:
            del self._clean

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        return tags

    def _recipe(self) -> Recipe:
        return AE

    def _fit(self, X: Any, condition: Any, run: Run | None, resume: bool, watch: Watch | None) -> None:
        self.check_parameters()
        if condition is not None:
            raise ValueError("condition= is not for a Denoiser")
        self.recipe_, self.condition_ = self._recipe(), None
        self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        pictures = Pictures.of(X)
        clean = None if self._clean is None else Pictures.of(self._clean)
        with threads(self.n_threads) as n_threads:
            data = self._training_data(pictures, clean)
            self.modality_, self.fingerprint_ = data.modality, data.fingerprint
            self.n_features_in_ = math.prod(data.modality.shape)
            self.architecture_ = Architecture(n_latent=LATENT, network="unet", activation="relu")
            self.model_ = self._assemble()
            wish = replace(self, max_epochs=self.max_epochs or EPOCHS, batch_size=self.batch_size or BATCH)
            self.settings_ = settings_for(wish, data, self.model_, self.seed_, n_threads)
            shown: AbstractContextManager[Watch | None] = of_fit() if self.verbose and not watch else nullcontext(watch)
            with shown as watch:
                state = train(
                    self.model_, self.recipe_, data, self.settings_,
                    identity=self._identity(len(data.rows)), run=run, resume=resume, watch=watch,
                )  # fmt: skip
            self.history_, self.origin_ = state.progress.history, state.origin
            assert data.held_out is not None
            self.quality_ = self._judged(data.held_out)
            progress = state.progress
            self.summary_ = _summary(
                self.quality_, data.held_out, ended=progress.ended, epochs=progress.epoch, seconds=progress.seconds,
                max_epochs=self.settings_.max_epochs, best_epoch=progress.best_epoch, recipe=repr(self.recipe_),
            )  # fmt: skip
            self.advice_ = self._advice()

    def _training_data(self, pictures: Pictures, clean: Pictures | None) -> TrainingData:
        """Patches of most pictures, and fixed ones of the others to judge by."""
        noise = None if self.noise is None else Noise.parse(self.noise)
        least = self.patch if noise is not None or clean is not None else 2 * self.patch
        if clean is not None:
            if noise is not None:
                raise ValueError("noise= is what is added to clean pictures; with clean counterparts leave it out")
            clean.check_same_sizes(pictures)
        pictures, clean = pictures.at_least(least), None if clean is None else clean.at_least(least)
        modality = _modality(pictures.channels, self.patch)
        order = np.random.default_rng((self.seed_, 1)).permutation(len(pictures))
        n = min(MAX_HELD_OUT, round(HELD_OUT * len(order))) if len(order) > 1 else 0
        held = order[: max(n, 1)] if len(order) > 1 else order  # of a single picture patches of its own
        train_on = order[len(held) :] if len(order) > 1 else order

        def source(which: np.ndarray, n: int) -> Patches:
            shown = None if clean is None else pictures.take(which)
            return Patches((clean or pictures).take(which), noise, shown, self.patch, n)

        judged = source(held, HELD_OUT_PATCHES).draw(HELD_OUT_PATCHES, np.random.default_rng((self.seed_, 2)))
        rows = source(train_on, PER_EPOCH)
        few = rows.draw(2 * BATCH, np.random.default_rng((self.seed_, 3)))
        sample = Rows(few.raw, encoder_input=few.encoder_input)
        return TrainingData(
            modality=modality,
            condition=None,
            rows=rows,
            held_out=Rows(judged.raw, encoder_input=judged.encoder_input),
            sample=sample,
            independent=np.arange(len(sample)),
            groups=None,
            fingerprint=fingerprint(judged.raw, few.raw, [self.noise, self.patch]),
            n_independent=PER_EPOCH,
        )

    @torch.no_grad()
    def _judged(self, held_out: Rows) -> Quality:
        clean, shown = held_out.raw.numpy(), held_out.encoder_input
        assert shown is not None
        made = torch.cat([self._network(part) for part in shown.split(BATCH)]).numpy()
        return Quality(psnr(clean, shown.numpy()), psnr(clean, made))

    @torch.no_grad()
    def _network(self, levels: torch.Tensor) -> torch.Tensor:
        """Noisy grey levels (B, C, H, W), white being 255, sides multiples of the stride -> clean ones.

        In the precision of the training: bfloat16 is twice as fast, and costs less than 0.01 dB.
        """
        model = self.model_.eval()
        x = model.scaling(levels)
        with mixed_precision(self.settings_.precision, levels.device):
            posterior = model.encode(x)
            made = model.decode.parameters_of(posterior.mode, None, posterior.shallow, tuple(x.shape[2:]))
        clean: torch.Tensor = model.scaling.inverse(made)  # type: ignore[operator]
        return clean.float()

    def _advice(self) -> list[str]:
        before, after = self.quality_.before, self.quality_.after
        target = "clean patches" if self.noise is not None else "patches they are compared with"
        return [
            f"Held-out patches have {before:.2f} dB (PSNR) against the {target} before, and {after:.2f} dB after.",
            "More training helps for a long time: max_epochs says how much.",
        ]

    # ---- use -----------------------------------------------------------------------------------------------------

    def transform(self, X: Any, *, strength: float = 1.0) -> Any:
        """Pictures without noise, of the kind, the type and the range that came in.

        Parameters
        ----------
        X : pictures as in `fit`, or a single one (H, W).
        strength : how much of the noise is taken off; 0 gives the pictures back, and 0.5 half of it.
        """
        check_is_fitted(self, "model_")
        if not 0 <= strength <= 2:
            raise ValueError(f"strength={strength!r} must lie between 0 and 2")
        pictures = Pictures.of(X)
        with threads(self.n_threads):
            return pictures.back([self._clean_one(levels, strength) for levels in pictures])

    def _clean_one(self, levels: np.ndarray, strength: float) -> np.ndarray:
        """A picture (C, H, W) in grey levels; where the model knows other channels, each by itself."""
        known = self.modality_.shape[0]
        if len(levels) == known:
            made = through_tiles(self._network, levels)
        elif known == 1:
            made = np.concatenate([through_tiles(self._network, channel[None]) for channel in levels])
        else:
            made = through_tiles(self._network, np.repeat(levels.mean(0, keepdims=True), known, 0))
            made = np.repeat(made.mean(0, keepdims=True), len(levels), 0)
        return np.asarray(levels + strength * (made - levels))

    def noise_levels(self, X: Any) -> np.ndarray:
        """The estimated standard deviation of the noise of each picture, in grey levels where white is 255, (N,)."""
        return np.array([estimate(levels) for levels in Pictures.of(X)])

    def score(self, X: Any, y: Any = None, *, condition: Any = None) -> float:
        """The mean PSNR in decibels of pictures X without noise, against clean ones y."""
        if y is None or condition is not None:
            raise ValueError("score compares with clean pictures: give y, and no condition")
        made = (self._clean_one(levels, 1.0) for levels in Pictures.of(X))
        return float(np.mean([psnr(c, m) for c, m in zip(Pictures.of(y), made, strict=True)]))


def _modality(channels: int, patch: int) -> Modality:
    """Levels up to 255, whose scale is fixed so that brightness times two is brightness times two."""
    return replace(  # type: ignore[type-var]
        modality_in_words("images"), shape=(channels, patch, patch), black=0.0, white=WHITE, mean=(0.0,) * channels,
        scale=(WHITE / 4,) * channels, dtype="float32",
    )  # fmt: skip


def _summary(quality: Quality, held_out: Rows, **facts: Any) -> Summary:
    """The record of a fit: errors relative to the variance of clean patches."""
    variance = float(held_out.raw.var())
    error = WHITE**2 / 10 ** (quality.after / 10)
    cells = math.prod(held_out.raw.shape[1:])
    nan = math.nan
    return Summary(
        n_rows=len(held_out), n_latent=LATENT, n_numeric=cells, n_categorical=0, n_values=cells, cells="cell",
        unexplained_variance=error / max(variance, 1e-12), unexplained_categories=nan, pca_unexplained_variance=nan,
        unexplained_standard_error=nan, reconstruction=nan, categorical_reconstruction=nan, baseline=nan,
        categorical_baseline=nan, kl=nan, negative_elbo=nan, gain_standard_error=nan, training_gain=nan, **facts,
    )  # fmt: skip
