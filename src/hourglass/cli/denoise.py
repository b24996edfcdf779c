"""`hourglass denoise`: noisy picture files in, clean ones out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli.errors import UsageError, note
from hourglass.cli.output import print_result, rows_done
from hourglass.cli.tasks import loaded

if TYPE_CHECKING:
    import numpy as np

MAX_NAMED = 20
QUICK_EPOCHS = 12  # of a model that is not kept: some three minutes of a core
CORRELATED = 0.15  # of what was taken off: more is no white noise


def denoise(
    run: Path,
    source: Path,
    out: Path | None = None,
    *,
    strength: float = 1.0,
    resume: bool = False,
    overwrite: bool = False,
    report: Path | None = None,
    json: bool = False,
) -> None:
    """Take the noise off picture files: the same names, formats and depths come out.

    The model is one of `hourglass fit PICTURES --task denoise`. Without one, as in `hourglass denoise NOISY CLEAN`,
    one is learned from the noisy pictures themselves, which takes minutes. The noise of each picture is estimated
    and printed.
    Files that cannot be read, or not be written as they were, are named at the end; the others are done.

    Example: `hourglass denoise runs/photos-denoise noisy clean`

    Parameters
    ----------
    run
        Folder of a fitted model; or nothing, and then the pictures come first.
    source
        A picture file, or a folder of them: PNG, JPEG, TIFF (of any depth, with all its pages), WebP, BMP, .npy.
    out
        A file for a file; for a folder a folder, in which files are called as they were.
    strength
        How much of the noise is taken off: 0 none, 1 all, 0.5 half of it.
    resume
        Leave files alone that are in OUT already, and do the others.
    overwrite
        Replace files that are in OUT already.
    report
        Write a page that shows up to 24 pictures before and after, and what was taken off.
    json
        Print what was written as JSON.
    """
    from hourglass.denoising.files import SUFFIXES, denoise_file
    from hourglass.denoising.noise import correlation, estimate
    from hourglass.denoising.pictures import Pictures
    from hourglass.readers.decoding import reason_of
    from hourglass.readers.folders import files_below
    from hourglass.report.denoised import MOST, Denoised, write_denoised

    model = run if out is not None else None
    if out is None:
        source, out = run, source
    if resume and overwrite:
        raise UsageError("--resume keeps what is there and --overwrite replaces it; give one of them")
    if not 0 <= strength <= 2:
        raise UsageError(f"--strength {strength:g} must lie between 0 and 2")
    if not source.exists():
        raise FileNotFoundError(f"{source}: there is no such file or folder")
    denoiser: Any = None if model is None else loaded(model, "denoise")
    files = files_below(source) if source.is_dir() else [source]
    known = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not known:
        raise ValueError(f"{source} holds no picture that can be written again; these can: {', '.join(SUFFIXES)}")
    targets = {file: out / file.relative_to(source) if source.is_dir() else out for file in known}
    there = [file for file, target in targets.items() if target.exists()]
    if any(target.exists() and target.samefile(file) for file, target in targets.items()):
        raise UsageError(f"{out} would overwrite the input; give another OUT")
    if there and not resume and not overwrite:
        raise FileExistsError(f"{targets[there[0]]} exists already; --overwrite replaces it, --resume leaves it")
    if denoiser is None and (overwrite or len(there) < len(known)):  # else nothing is left to do
        denoiser = _learned_from(source)
    done: dict[str, float] = {}
    failed: dict[str, str] = {}
    pictures: list[Denoised] = []
    alike: list[str] = []
    with rows_done(len(known), "files") as advance:
        for file, target in targets.items():
            if not (resume and target.exists()):
                sigmas: list[float] = []

                def cleaned(picture: np.ndarray, sigmas: list[float] = sigmas, file: Path = file) -> Any:
                    of = Pictures.of([picture])
                    sigmas.append(estimate(of[0]))
                    made = denoiser.transform(of, strength=strength)[0]
                    clean = Pictures.of([made])[0]
                    found = correlation(of[0] - clean)
                    if found > CORRELATED:
                        alike.append(file.name)
                    if report is not None and len(pictures) < MOST:
                        pictures.append(Denoised(file.name, of[0], clean, sigmas[-1], found))
                    return made

                try:
                    denoise_file(file, target, cleaned)
                    done[str(target)] = sum(sigmas) / len(sigmas)
                except ValueError as error:
                    failed[str(file)] = reason_of(error)
            advance(1)
    for name, reason in list(failed.items())[:MAX_NAMED]:
        note(reason if name in reason else f"{name}: {reason}")
    if alike:
        named = ", ".join(alike[:3]) + (", ..." if len(alike) > 3 else "")
        note(f"what was taken off {len(alike)} pictures ({named}) is alike in neighbouring pixels: noise of grains or "
             "stripes, or too much was taken; try --strength 0.7")  # fmt: skip
    if failed and not done and not there:
        raise ValueError(f"none of {len(known)} files could be denoised")
    shown = [f"{name}: noise of {sigma:.1f} grey levels" for name, sigma in list(done.items())[:MAX_NAMED]]
    more = [f"and {len(done) - MAX_NAMED:,} more"] if len(done) > MAX_NAMED else []
    kept = f", {len(there)} were there" if resume and there else ""
    last = f"Wrote {len(done):,} of {len(known):,} files to {out}{kept}" + (f"; {len(failed)} failed" if failed else "")
    if report is not None and pictures:
        write_denoised(report, pictures, denoiser.advice_[:1], len(done))
        last += f"; the page is {report.resolve()}"
    print_result({"written": done, "failed": failed}, "\n".join([*shown, *more, last]), json)


def _learned_from(source: Path) -> Any:
    """A model of the noisy pictures themselves, or of the one file."""
    from hourglass import Denoiser
    from hourglass.denoising.pictures import Pictures

    note(
        f"no model was given: one is learned from {source} itself, which takes minutes and asks for noise that is "
        "independent from pixel to pixel; hourglass fit PICTURES --task denoise makes one to keep"
    )
    pictures = Pictures.of(str(source))
    largest = max(min(levels.shape[1:]) for levels in pictures)
    patch = next((size for size in (64, 32) if largest >= 2 * size), 16)  # pairs are cut from twice that
    return Denoiser(max_epochs=QUICK_EPOCHS, patch=patch, random_state=0).fit(pictures)
