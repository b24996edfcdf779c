"""Noise taken off the standard test pictures, beside classic filters.

    python benchmarks/denoising.py train --noise gaussian:25 --epochs 75 --precision bfloat16 --to DIR
    python benchmarks/denoising.py judge DIR --sigmas 25
    python benchmarks/denoising.py rivals --sigmas 25
    python benchmarks/denoising.py documents --epochs 30 --precision bfloat16

`train` learns from the 400 pictures of Train400; with `--once` every picture is given its noise once, and the clean
ones are not opened again. `judge` gives PSNR on Set12 and BSD68, mean over pictures, with CPU seconds per megapixel,
and the estimated noise. `rivals` are non-local means, wavelets with cycle spinning, total variation (scikit-image, told
sigma) and BM3D (`bm3d`, told sigma). `documents` learns from pairs of dirty and clean pages, and gives the root mean
square error, of levels from 0 to 1, on pages whose clean form was not learned from (a fourth of the 36), beside
the dirty pages as they are and a median filter's.

The noise is `default_rng([0, sigma, i]).normal(0, sigma)` for picture i by name, not clipped, which gives BM3D the
published 29.97 (sigma 25, Set12). Data: `$HOURGLASS_DATA/denoise`; Zhang et al. 2017, arXiv:1608.03981.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import median_filter

from hourglass import Denoiser, load
from hourglass.denoising.noise import psnr

SETS = ("Set12", "BSD68")
PARTS = ("train", "train_cleaned")


def pictures(folder: str) -> list[np.ndarray]:
    found = sorted((Path(os.environ["HOURGLASS_DATA"]) / "denoise" / folder).iterdir())
    return [np.asarray(Image.open(path).convert("L"), np.float32) for path in found if path.suffix in (".png", ".jpg")]


def with_noise(clean: np.ndarray, sigma: int, i: int) -> np.ndarray:
    return (clean + np.random.default_rng([0, sigma, i]).normal(0, sigma, clean.shape)).astype(np.float32)


def train(noise: str, epochs: int, precision: str, seed: int, once: bool, folders: list[str], to: str) -> None:
    clean = [picture for folder in folders for picture in pictures(folder)]
    if once:
        sigma = int(noise.partition(":")[2])
        clean = [with_noise(picture, sigma, 1_000_000 + i) for i, picture in enumerate(clean)]
    model = Denoiser(
        noise=None if once else noise, max_epochs=epochs, precision=precision, random_state=seed, n_threads=1
    )
    began = time.process_time()
    model.fit([_units(picture) for picture in clean], run=to)
    weights = sum(p.numel() for p in model.model_.parameters())
    print(f"{noise}{' once' if once else ''}: {weights:,} weights, {len(model.history_)} epochs, "
          f"{time.process_time() - began:.0f} CPU s, held out {model.quality_}")  # fmt: skip
    model.save(to)


def _units(levels: np.ndarray) -> np.ndarray:
    """Grey levels as a float picture in 0..1, which is how float pictures are read."""
    return levels / np.float32(255)


def documents(epochs: int, precision: str, seed: int) -> None:
    folder = Path(os.environ["HOURGLASS_DATA"]) / "denoise/dirty_documents"
    names = sorted(path.name for path in (folder / "train").iterdir())
    dirty, clean = ([np.asarray(Image.open(folder / part / name)) for name in names] for part in PARTS)
    pages, of = np.unique([page.tobytes() for page in clean], return_inverse=True)
    held = np.isin(of, np.random.default_rng(seed).permutation(len(pages))[: len(pages) // 4])
    model = Denoiser(max_epochs=epochs, precision=precision, random_state=seed, n_threads=1)
    began = time.process_time()
    learned = [[page for page, h in zip(each, held, strict=True) if not h] for each in (dirty, clean)]
    model.fit(*learned)
    seconds = time.process_time() - began
    shown, truth = ([page for page, h in zip(each, held, strict=True) if h] for each in (dirty, clean))

    def error(answers: list[np.ndarray]) -> float:
        pairs = zip(answers, truth, strict=True)
        return float(np.sqrt(np.mean([np.square((a.astype(float) - t) / 255).mean() for a, t in pairs])))

    background = [np.minimum(255.0, 255.0 + d.astype(float) - median_filter(d, 23)) for d in shown]
    print(f"{len(pages)} clean pages, {held.sum()} dirty ones judged, {seconds:.0f} CPU s: dirty {error(shown):.4f}, "
          f"less their median {error(background):.4f}, denoised {error(model.transform(shown)):.4f}")  # fmt: skip


def judge(name: str, method: Callable[[np.ndarray, int], np.ndarray], sigmas: list[int]) -> None:
    for sigma in sigmas:
        line = f"{name} sigma {sigma}:"
        for folder in SETS:
            found, seconds, pixels = [], 0.0, 0
            for i, clean in enumerate(pictures(folder)):
                noisy = with_noise(clean, sigma, i)
                began = time.process_time()
                made = method(noisy, sigma)
                seconds, pixels = seconds + time.process_time() - began, pixels + clean.size
                found.append(psnr(clean, made))
            line += (
                f"  {folder} {np.mean(found):.2f} dB ({seconds / pixels * 1e6:.2f} s/MP, {seconds / len(found):.2f} s)"
            )
        print(line, flush=True)


def rivals() -> Iterator[tuple[str, Callable[[np.ndarray, int], np.ndarray]]]:
    from bm3d import bm3d
    from skimage.restoration import cycle_spin, denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

    def means(noisy: np.ndarray, sigma: int) -> np.ndarray:
        return denoise_nl_means(noisy / 255, 5, 6, h=0.6 * sigma / 255, sigma=sigma / 255, fast_mode=True) * 255

    def wavelets(noisy: np.ndarray, sigma: int) -> np.ndarray:
        told = {"sigma": sigma / 255, "wavelet": "db2", "mode": "soft", "rescale_sigma": True}
        return cycle_spin(noisy / 255, denoise_wavelet, max_shifts=3, func_kw=told, num_workers=1) * 255

    def variation(noisy: np.ndarray, sigma: int) -> np.ndarray:
        return denoise_tv_chambolle(noisy / 255, weight=0.9 * sigma / 255 * 1.25) * 255

    yield "non-local means", means
    yield "wavelets", wavelets
    yield "total variation", variation
    yield "BM3D", lambda noisy, sigma: np.asarray(bm3d(noisy / 255, sigma / 255)).reshape(noisy.shape) * 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train", "judge", "rivals", "documents"))
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--noise", default="gaussian:25")
    parser.add_argument("--epochs", type=int, default=75)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--folders", nargs="+", default=["Train400"], help="BSD68 lies inside BSDS500/val")
    parser.add_argument("--to", default="runs/denoising")
    parser.add_argument("--sigmas", type=int, nargs="+", default=[25])
    wish = parser.parse_args()
    if wish.what == "train":
        train(wish.noise, wish.epochs, wish.precision, wish.seed, wish.once, wish.folders, wish.to)
    elif wish.what == "documents":
        documents(wish.epochs, wish.precision, wish.seed)
    elif wish.what == "judge":
        model = load(wish.folder)
        model.set_params(n_threads=1)
        judge(wish.folder, lambda noisy, sigma: model.transform(_units(noisy)) * 255, wish.sigmas)
        for sigma in wish.sigmas:
            shown = [_units(with_noise(clean, sigma, i)) for i, clean in enumerate(pictures("BSD68"))]
            guessed = model.noise_levels(shown)
            print(f"sigma {sigma} on BSD68 is estimated as {np.median(guessed):.2f} (median), "
                  f"{np.mean(np.abs(guessed / sigma - 1)):.1%} off on average")  # fmt: skip
    else:
        for name, method in rivals():
            judge(name, method, wish.sigmas)


if __name__ == "__main__":
    main()
