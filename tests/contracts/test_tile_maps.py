"""Maps of tiles: levels of any size cut into windows and stitched together again, in the form that they came in."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from hourglass import Embedder, load, readers
from hourglass.modalities import TileMaps, named_modality
from hourglass.modalities.windows import Windows

RNG = np.random.default_rng(0)
VGLC = Path(os.environ.get("HOURGLASS_DATA", "")) / "levels"


def level(height, width, letters="-X?E"):
    return "\n".join("".join(row) for row in RNG.choice(list(letters), (height, width)))


LEVELS = [level(h, w) for h, w in ((14, 60), (16, 40), (9, 33), (12, 12), (16, 90))]


def there_and_back(modality, X):
    modality = modality.infer(X)
    examples = modality.examples(X)
    return modality, examples, modality.stitch(examples, examples.rows(), X)


@pytest.mark.skipif(not VGLC.is_dir(), reason="HOURGLASS_DATA has no levels")
@pytest.mark.parametrize(
    ("game", "n", "size"),
    [("Super Mario Bros 2 (Japan)", 22, (16, 32)), ("Super Mario Bros", 15, (14, 28)), ("Kid Icarus", 6, (32, 16))],
)
def test_levels_of_a_game_come_back_from_cutting_and_stitching(game, n, size):
    data = readers.read(VGLC / game)
    modality = named_modality(None, data)
    modality, _, back = there_and_back(modality, modality.accept(data))
    assert len(data.X) == n and list(back) == list(data.X)
    assert modality.size == size
    assert sum(map(bool, modality.legend)) > len(modality.tiles) / 2


@pytest.mark.parametrize("words", ["", "window=8", "window=8x20 stride=3", "window=20x50 stride=2x7", "window=5x100"])
def test_levels_of_mixed_sizes_come_back_identical(words):
    _, examples, back = there_and_back(named_modality(f"tilemaps {words}", None), LEVELS)
    assert list(back) == LEVELS
    assert examples.rows().shape[1:] == examples.raw.shape[1:]


def test_cells_beyond_a_level_are_missing_and_those_within_are_not():
    modality = TileMaps(window=(16, 20)).infer(LEVELS)
    examples = modality.examples(LEVELS)
    known = examples.rows().isfinite().sum((1, 2, 3)).numpy()
    extents = examples.extents[examples.record]
    np.testing.assert_array_equal(known, np.minimum(extents[:, 0], 16) * np.minimum(extents[:, 1], 20))


def test_windows_are_a_view_of_the_maps():
    modality = TileMaps().infer(LEVELS)
    examples = modality.examples(LEVELS)
    assert examples.raw.data_ptr() == examples.store.data_ptr()
    assert examples.store.numel() < 2 * 90 * (14 + 16 + 16 + 16 + 16)


@pytest.mark.parametrize(
    ("extents", "size"),
    [
        ([[14, 200], [14, 90]], (14, 28)),
        ([[12, 200], [16, 90]], (16, 32)),
        ([[300, 16], [90, 16]], (32, 16)),
        ([[100, 120]], (16, 16)),
        ([[11, 16], [11, 16]], (11, 16)),
        ([[11, 16], [9, 20]], (11, 20)),
    ],
)
def test_a_window_suits_the_maps(extents, size):
    windows = Windows.of(np.array(extents))
    assert windows.size == size
    assert windows.cut == any(tuple(extent) != size for extent in extents)


def test_many_windows_make_the_step_larger():
    assert Windows.of(np.array([[400, 400]])).step == (3, 3)
    assert Windows.of(np.array([[400, 400]]), step=(1, 1)).step == (1, 1)


def test_short_lines_and_unknown_tiles():
    texts = ["---X\n-X\nXXXX", "----\n-?XX\nXXXX"]
    modality, examples, back = there_and_back(TileMaps(missing="?"), texts)
    assert modality.tiles == ("-", "X") and list(back) == texts
    assert int(examples.rows().isnan().sum()) == 3
    filled = modality.fill(texts, examples, torch.zeros(2, 1, 3, 4))
    assert list(filled) == [texts[0], texts[1].replace("?", "-")]


def test_new_tiles_are_named_with_the_legend_and_count_as_unknown():
    modality = TileMaps().infer(readers.tile_maps.Maps(["-X\nXX", "--\nXX"], {"X": "solid, ground"}))
    with pytest.warns(UserWarning, match=r"tiles that were not there at fit: 'Z' \(known: -; X solid, ground\)"):
        codes = modality.examples(["-Z\nXX"]).rows()
    assert bool(codes.isinf().sum() == 1)


def test_votes_and_not_means_where_windows_overlap():
    texts = ["-XE-XE\nXXXXXX"]
    modality = TileMaps(window=(2, 4)).infer(texts)
    examples = modality.examples(texts)
    raw = examples.rows().clone()
    raw[0, 0, 0, 2] = 0.0  # one of three windows says otherwise
    assert list(modality.stitch(examples, raw, texts)) == texts


@pytest.mark.parametrize("n", [1, 5])
def test_a_split_is_of_whole_maps_or_of_the_end_of_one(n):
    X = LEVELS[:n]
    modality = TileMaps(window=8).infer(X)
    (train, _), (test, rows) = modality.split(X, 0.3, 5000, np.random.default_rng(0))
    if n == 1:
        lines = zip(train[0].split("\n"), test[0].split("\n"), strict=True)
        assert ["".join(pair) for pair in lines] == X[0].split("\n")
    else:
        assert sorted([*train, *test]) == sorted(X) and [X[i] for i in rows] == list(test)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("window=14y28", "window='14y28' must be tiles, height x width, such as 14x28"),
        ("stride=0", "stride=0 must be tiles"),
        ("windows=3", "did you mean window"),
    ],
)
def test_wrong_options_are_named(words, message):
    with pytest.raises(ValueError, match=message):
        named_modality(f"tilemaps {words}", None)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (RNG.normal(size=(3, 4, 5)), "whole numbers"),
        (["--\n--"], "1 kind of tile"),
        ([np.arange(900).reshape(30, 30)], "900 kinds of tile"),
    ],
)
def test_what_is_not_a_map_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        Embedder(2, modality="tilemaps", max_epochs=1).fit(X)


@pytest.mark.parametrize("recipe", ["vae", "ae", "denoising"])
def test_a_model_of_levels(recipe, tmp_path):
    rows = ["-" * 40] * 4 + ["--X-" * 10] + ["X" * 40]
    levels = ["\n".join(rows), "\n".join(["-" * 30, *(row[:30] for row in rows)])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        embedder = Embedder(2, recipe=recipe, max_epochs=60, hidden=(16,), random_state=0).fit(levels)
    assert embedder.modality_.name == "tilemaps"
    codes = embedder.transform(levels)
    assert len(codes) == len(embedder.examples(levels)) > 2
    back = embedder.reconstruct(levels)
    assert [[len(line) for line in text.split("\n")] for text in back] == [[40] * 6, [30] * 7]
    assert back[0].endswith("X" * 40)
    assert embedder.score_samples(levels).shape == (2,)
    assert {len(text.split("\n")) for text in embedder.sample(3, random_state=0)} == {7}
    again = load(embedder.save(tmp_path / "run"))
    np.testing.assert_array_equal(again.transform(levels), codes)
    assert list(again.reconstruct(levels)) == list(back)
    missing = [text.replace("X-", "?-", 1) for text in levels]
    embedder.modality_ = TileMaps.from_json({**embedder.modality_.to_json(), "missing": "?"})
    assert all("?" not in text for text in embedder.impute(missing))
