"""Makes docs/images/report.png: a report on scikit-learn's digits, seen by a browser.

    python docs/make_screenshot.py

Needs Chromium or Chrome in the PATH; the page itself is written without it.
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

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
IMAGE = Path(__file__).parent / "images" / "report.png"
WIDTH, HEIGHT = 1140, 1950  # down to the latent map and the latent plane
COLOURS = 256
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


def main() -> int:
    digits = load_digits()
    embedder = Embedder(n_latent=2, max_epochs=60, random_state=0, n_threads=1).fit(digits.images)
    with tempfile.TemporaryDirectory() as folder:
        page = report.write(embedder, "digits", folder, title="Handwritten digits in two latent dimensions")
        browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        if browser is None:
            print(f"no browser found (looked for {', '.join(BROWSERS)}); {IMAGE} is left as it is", file=sys.stderr)
            return 1
        picture = screenshot(page, browser, WIDTH, HEIGHT)
    file = io.BytesIO()
    picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=4, dither=Image.Dither.NONE).save(
        file, "png", optimize=True
    )
    if len(file.getvalue()) > LARGEST:
        print(
            f"the picture has {len(file.getvalue()):,} bytes, more than {LARGEST:,}: make it smaller", file=sys.stderr
        )
        return 1
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_bytes(file.getvalue())
    print(f"{IMAGE}: {len(file.getvalue()):,} bytes, {picture.width} x {picture.height}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
