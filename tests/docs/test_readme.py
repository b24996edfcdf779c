"""The README's commands and code run as they stand, with two epochs instead of as many as the data want."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from hourglass import datasets
from hourglass.cli import main
from hourglass.estimators import denoiser
from hourglass.readers.music import to_midi
from hourglass.training import machine

README = (Path(__file__).parents[2] / "README.md").read_text()


def code(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def quick(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine, "MAX_EPOCHS", 2)
    monkeypatch.setattr(machine, "MIN_STEPS", 2)
    monkeypatch.setattr(denoiser, "EPOCHS", 1)
    monkeypatch.setattr(denoiser, "PER_EPOCH", 32)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
def test_python_examples_run_one_after_the_other(quick):
    namespace = {}
    for block in code("python"):
        exec(compile(block, "README.md", "exec"), namespace)
    assert namespace["Z"].shape == (1797, 2) and namespace["sevens"].shape == (16, 8, 8)
    full = namespace["full"].to_pydict()
    assert not np.isnan(full["age"]).any() and set(full["job"]) == {"manager", "clerk"}
    assert len(namespace["found"]) == 500


def write_people(path):
    rng = np.random.default_rng(0)
    zips, countries = rng.choice(["101", "204", "330"], 60), rng.choice(["IT", "FR"], 60)
    rows = zip(range(60), rng.normal(40, 9, 60).round(1), zips, countries, strict=True)
    path.write_text("\n".join(["id,age,zip,country", *(",".join(map(str, row)) for row in rows)]) + "\n")


def write_photos(folder):
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(0)
    for i, size in enumerate([(80, 70, 3), (66, 90, 3), (70, 70)] * 4):
        Image.fromarray(rng.integers(0, 255, size).astype(np.uint8)).save(folder / f"{i}.png")


def test_commands_run_one_after_the_other(quick, capsys):
    write_people(quick / "people.csv")
    write_photos(quick / "photos")
    lines = [f"12:{i:02}:07 user{i % 3} from 10.0.0.{i} {'logged in' if i % 2 else 'refused'}" for i in range(60)]
    (quick / "server.log").write_text("\n".join(lines))
    times = [f"2026-01-{1 + i // 24:02} {i % 24:02}:00" for i in range(300)]
    rows = [f"{time},{np.sin(i / 4):.3f}" for i, time in enumerate(times)]
    (quick / "sensors.csv").write_text("\n".join(["time,load", *rows]) + "\n")
    (quick / "tunes").mkdir()
    for i, piece in enumerate(datasets.load("toy_tunes").X[:6]):
        (quick / f"tunes/{i}.mid").write_bytes(to_midi(piece))
    (quick / "levels").mkdir()
    for i in range(3):
        sky, gap = "\n".join(["-" * 40] * 12), "X" * (10 + i) + "---" + "X" * (27 - i)
        (quick / f"levels/{i}.txt").write_text(f"{sky}\n{gap}\n{gap}\n")
    commands = [shlex.split(line, comments=True) for block in code("sh") for line in block.splitlines()]
    commands = [words for words in commands if words]
    assert len(commands) > 8 and all(words[0] == "hourglass" for words in commands)
    for n, (_, *words) in enumerate(commands):
        if words[0] == "fit" and "--out" not in words:
            words += ["--out", f"runs/{n}"]
        assert main(words) == 0, (words, capsys.readouterr().err)
    for name in (
        "runs/digits/report.html",
        "codes.csv",
        "new.png",
        "scores.csv",
        "alarms.csv",
        "runs/digits-compare/compare.csv",
    ):
        assert (quick / name).stat().st_size > 0
