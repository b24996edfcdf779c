"""The kind of data said on the command line, in words and by options that are short for them."""

import numpy as np
import pytest
from PIL import Image

from hourglass import load

QUICK = ("--max-epochs", 1, "--n-latent", 1, "--hidden", 4)


@pytest.fixture
def photos(tmp_path):
    """Pictures of two sizes, colour and grey."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        shape = ((8, 12, 3), (12, 8))[i % 2]
        Image.fromarray(rng.integers(0, 255, shape).astype(np.uint8)).save(folder / f"{i:02d}.png")
    return folder


def test_pictures_of_all_forms_are_resized_by_options_or_by_words(hourglass, photos) -> None:
    refused = hourglass("fit", photos, *QUICK, "--out", "x")
    assert refused.code == 1
    assert "01.png" in refused.err
    assert hourglass("fit", photos, *QUICK, "--resize", 6, "--crop", "--grey", "--out", "a").code == 0
    words = "images resize=6 crop=yes grey=yes"
    assert hourglass("fit", photos, *QUICK, "--modality", words, "--out", "b").code == 0
    a, b = load("a"), load("b")
    assert a.modality_ == b.modality_
    assert a.modality_.shape == (1, 6, 6)
    for verb, out in (("embed", "codes.csv"), ("reconstruct", "back"), ("score", "s.csv")):
        answer = hourglass(verb, "a", "--out", out)
        assert answer.code == 0, answer.err
    assert Image.open("back/00.png").size == (6, 6)
    assert hourglass("report", "a").code == 0
    assert hourglass("fit", photos, *QUICK, "--resize", 6, 4, "--grey", "--out", "c").code == 0
    assert load("c").modality_.shape == (1, 6, 4)


def test_words_and_options_go_together(hourglass) -> None:
    rng = np.random.default_rng(0)
    np.save("a.npy", np.column_stack([rng.normal(size=(60, 2)), rng.integers(0, 4, (60, 2))]))
    told = ("--modality", "tables categories=x2", "--counts", "x3")
    assert hourglass("fit", "a.npy", *QUICK, *told, "--out", "run").code == 0
    assert [column.kind for column in load("run").modality_.columns][2:] == ["category", "count"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--binarise", "dynamic", "--counts", "x0"), "--counts is for series or tables and --binarise for"),
        (("--modality", "tables", "--resize", "6"), "--resize is for images, and --modality says tables"),
        (("--modality", "images resize=8", "--resize", "6"), "both set resize; give it once"),
        (("--modality", "tabels"), "--modality tabels: 'tabels' is unknown; did you mean tables?"),
        (("--modality", "tables size=3"), "'size' is not an option of tables"),
        (("--modality", "tables"), "--modality is for tables, and digits holds images"),
        (("--resize", "0"), "--resize 0 must be a side in pixels"),
    ],
)
@pytest.mark.parametrize("command", ["fit", "compare"])
def test_what_is_at_odds_is_named(hourglass, tmp_path, command, options, said) -> None:
    answer = hourglass(command, "digits", *options)
    assert (answer.code, len(answer.err.splitlines())) == (2, 1), answer.err
    assert said in answer.err
    assert not list(tmp_path.iterdir())


def test_compare_hands_every_option_on_and_repeats_it(hourglass, monkeypatch) -> None:
    import hourglass.comparison as comparison

    given, whole = {}, comparison.compare

    def compare(X, **options):
        given.update(options)
        return whole(X, **options)

    monkeypatch.setattr(comparison, "compare", compare)
    told = ("--likelihood", "laplace", "--activation", "relu", "--hidden", 4, "--max-epochs", 1, "--drop", "ash")
    answer = hourglass("compare", "wine", "--recipes", "ae", "--n-latents", 1, *told)
    assert answer.code == 0, answer.err
    assert {given[name] for name in ("likelihood", "activation", "max_epochs")} == {"laplace", "relu", 1}
    line = next(line for line in answer.out.splitlines() if "hourglass fit" in line)
    for name, value in zip(told[::2], told[1::2], strict=True):
        assert f"{name} {value}" in line
    assert hourglass(*line.split()[1:]).code == 0
