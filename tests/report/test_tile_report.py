"""The page about maps of tiles: pictures that can be seen, names of the legend, and how well each tile comes back."""

import re
import warnings

import numpy as np
import pytest

from hourglass import Embedder
from hourglass.readers import Data
from hourglass.readers.tile_maps import Maps
from hourglass.report import write
from hourglass.report.pictures import _columns

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def fitted():
    rows = ["-" * 60] * 4 + ["".join(RNG.choice(list("--X"), 60)) for _ in range(2)] + ["X" * 60]
    maps = Maps(["\n".join(rows), "\n".join(row[::-1] for row in rows)], {"X": "solid <ground>", "-": "empty"})
    X = Data(maps, kind="tilemaps", source="levels")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Embedder(3, max_epochs=3, hidden=(16,), random_state=0).fit(X), X


def test_the_page_of_levels(fitted, tmp_path):
    embedder, X = fitted
    page = write(embedder, X, tmp_path / "a.html", names=["a.txt", "b.txt"]).read_text()
    titles = re.findall("<h3>(.*?)</h3>", page)
    assert {"The hardest windows", "The kinds of tile", "Windows on the map", "From one window to another"} <= {*titles}
    assert "X solid &lt;ground&gt;" in page
    assert "picture" not in re.sub("<style>.*?</style>|<[^>]*>", "", page, flags=re.DOTALL).lower()
    assert re.search("a.txt@0,[0-9]+", page)


def test_wide_pictures_stand_in_rows_of_fewer():
    class Shown:
        class originals:
            size = (0, 0)

    for size, columns in (((28, 28), 8), ((10, 12), 8), ((14, 28), 3), ((10, 60), 1), ((32, 16), 8)):
        Shown.originals.size = size
        assert _columns(Shown) == columns
