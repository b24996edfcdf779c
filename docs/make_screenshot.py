"""Makes docs/images/: reports as a browser shows them, on scikit-learn's digits and on the data of the demos.

    python docs/make_screenshot.py [digits text levels music series ...]

Needs Chromium or Chrome in the PATH. Those of the demos are taken wide and narrow, as on a telephone.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

from hourglass import Embedder, report
from hourglass.cli import main as run_command
from hourglass.cli.demo import DEMOS

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1140, 1950  # down to the latent map and the latent plane
COLOURS, FEW_COLOURS = 256, 64
WIDTHS, TALL = {"wide": 1100, "narrow": 420}, 2400  # of the pages of demos
LARGEST = 400_000  # bytes, so that the repository stays light


def screenshot(page: Path, browser: str, width: int, height: int) -> Image.Image:
    """The page as the browser shows it in a window of that size."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.png"
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={folder}/profile", f"--window-size={width},{height}", f"--screenshot={file}",
             page.resolve().as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        return Image.open(io.BytesIO(file.read_bytes())).convert("RGB")


def save(picture: Image.Image, path: Path, colours: int) -> bool:
    """Writes it with so many colours; False where it is too large."""
    file = io.BytesIO()
    picture.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=4, dither=Image.Dither.NONE).save(
        file, "png", optimize=True
    )
    n = len(file.getvalue())
    if n > LARGEST:
        print(f"{path}: has {n:,} bytes, more than {LARGEST:,}: make it smaller", file=sys.stderr)
        return False
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(file.getvalue())
    print(f"{path}: {n:,} bytes, {picture.width} x {picture.height}")
    return True


def of_digits(folder: Path, browser: str) -> bool:
    embedder = Embedder(n_latent=2, max_epochs=60, random_state=0, n_threads=1).fit(load_digits().images)
    page = report.write(embedder, "digits", folder, title="Handwritten digits in two latent dimensions")
    return save(screenshot(page, browser, WIDTH, HEIGHT), IMAGES / "report.png", COLOURS)


def of_demo(name: str, folder: Path, browser: str) -> bool:
    if run_command(["demo", "--data", name, "--out", str(folder)]) != 0:
        return False
    page = folder / "report.html"
    pictures = {of: screenshot(page, browser, width, TALL) for of, width in WIDTHS.items()}
    return all(save(picture, IMAGES / f"{name}-{of}.png", FEW_COLOURS) for of, picture in pictures.items())


def main() -> int:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        print(f"no browser found (looked for {', '.join(BROWSERS)}); the pictures stay as they are", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        done = []
        for name in sys.argv[1:] or ["digits", *(name for name in DEMOS if name != "pictures")]:
            where = Path(folder) / name
            done.append(of_digits(where, browser) if name == "digits" else of_demo(name, where, browser))
    return 0 if all(done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
