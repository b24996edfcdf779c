"""Every command on levels of mixed sizes: what comes out is what came in."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

RNG = np.random.default_rng(0)
FIT = ("--max-epochs", 2, "--n-latent", 2, "--hidden", 16)


@pytest.fixture
def games():
    for game, sizes in (("one", ((7, 30), (7, 44))), ("two", ((5, 40), (9, 33)))):
        for i, (height, width) in enumerate(sizes):
            lines = ["-" * width] * (height - 2) + ["".join(RNG.choice(list("--X"), width)), "X" * width]
            path = Path("games") / game / f"{i}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n")
    Path("games/legend.json").write_text(json.dumps({"tiles": {"X": ["solid", "ground"], "-": ["empty"]}}))
    return Path("games")


def test_every_command_on_a_folder_of_levels(hourglass, games):
    done = hourglass("fit", "games", *FIT, "--out", "run", "--modality", "tilemaps window=6x12 stride=2")
    assert done.code == 0, done.err
    assert "hourglass sample run -n 16 --out samples.txt" in done.out
    for command in (
        ("embed", "--out", "codes.csv"), ("score", "--out", "scores.csv"), ("reconstruct", "--out", "back"),
        ("reconstruct", "--out", "back.png"), ("sample", "-n", 3, "--out", "new.txt"), ("report",),
    ):  # fmt: skip
        answer = hourglass(command[0], "run", *command[1:])
        assert answer.code == 0, answer.err
    names = [row["name"] for row in csv.DictReader(Path("codes.csv").read_text().splitlines())]
    assert names[:2] == ["one/0.txt@0,0", "one/0.txt@0,2"] and len(set(names)) == len(names) > 60
    assert "two/0.txt@-1,0" in names
    scored = [row["name"] for row in csv.DictReader(Path("scores.csv").read_text().splitlines())]
    assert scored == ["one/0.txt", "one/1.txt", "two/0.txt", "two/1.txt"]
    for path in games.rglob("*.txt"):
        before, after = path.read_text(), Path("back", path.relative_to(games)).read_text()
        assert [len(line) for line in after.split("\n")] == [len(line) for line in before.split("\n")]
        assert set(after) <= set("-X\n")
    assert "X solid, ground" in Path("run/report.html").read_text()
    assert hourglass("fit", "new.txt", *FIT, "--modality", "tilemaps window=6x6").code == 0


def test_unknown_tiles_are_filled_in(hourglass, games):
    assert hourglass("fit", "games", *FIT, "--out", "run", "--modality", "tilemaps missing=?").code == 0
    path = games / "one/0.txt"
    path.write_text(path.read_text().replace("--", "?-", 7))
    answer = hourglass("impute", "run", "games", "--out", "full")
    assert answer.code == 0, answer.err
    assert "4 records, 7 cells filled in" in answer.out
    full = Path("full/one/0.txt").read_text()
    assert "?" not in full and all(b in ("?", a) for a, b in zip(full, path.read_text(), strict=True))


def test_a_condition_for_each_level(hourglass, games):
    assert hourglass("fit", "games", *FIT, "--out", "run", "--condition", "labels").code == 0
    answer = hourglass("sample", "run", "-n", 2, "--condition", "two", "--out", "new.png")
    assert answer.code == 0, answer.err


def test_recipes_are_compared_on_whole_levels(hourglass, games):
    answer = hourglass("compare", "games", "--n-latents", 2, "--max-epochs", 1, "--hidden", 16, "--json")
    assert answer.code == 0, answer.err
    rows = json.loads(answer.out)["rows"]
    assert {row["recipe"] for row in rows} == {"baseline", "ae", "vae"}


@pytest.mark.parametrize("ending", [".csv", ".tmj"])
def test_maps_of_numbers_come_back_as_they_were(hourglass, ending):
    cells = np.where(RNG.random((12, 40)) < 0.7, 0, 5)
    if ending == ".csv":
        content = "".join(",".join(map(str, row)) + "\n" for row in cells.tolist())
    else:
        layer = {"type": "tilelayer", "data": cells.ravel().tolist()}
        tilesets = [{"firstgid": 1, "source": "cave.tsx"}]
        content = json.dumps({"width": 40, "height": 12, "layers": [layer], "tilesets": tilesets})
    Path(f"map{ending}").write_text(content)
    done = hourglass("fit", f"map{ending}", *FIT, "--out", "run", "--modality", "tilemaps window=8")
    assert done.code == 0, done.err
    assert hourglass("reconstruct", "run", "--out", f"back{ending}").code == 0
    assert hourglass("sample", "run", "-n", 3, "--out", "new").code == 0
    assert [path.name for path in sorted(Path("new").iterdir())] == [f"0000{i}{ending}" for i in range(3)]
    assert "holds one map, and there are 3" in hourglass("sample", "run", "-n", 3, "--out", f"new{ending}").err
    if ending == ".csv":
        assert np.loadtxt("back.csv", delimiter=",").shape == (12, 40)
    else:
        back = json.loads(Path("back.tmj").read_text())
        assert (back["width"], back["height"], back["tilesets"]) == (40, 12, tilesets)
        assert set(back["layers"][0]["data"]) <= {0, 5}
