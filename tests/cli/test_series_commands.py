"""Every command on series: one table, a folder of them, sound."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

RNG = np.random.default_rng(0)
FIT = ("--max-epochs", 2, "--n-latent", 2, "--hidden", 16)
WORDS = ("--modality", "series window=24")


def write(path, n, first=0):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    hours = [f"2024-01-{1 + i // 24:02}T{i % 24:02}:00" for i in range(first, first + n)]
    rows = [f"{hours[i]},{np.sin(i / 4) + 0.1 * RNG.normal():.3f},{i // 9 % 2}" for i in range(n)]
    path.write_text("time,x,on\n" + "\n".join(rows) + "\n")
    return path


def rows_of(path):
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def test_every_command_on_one_table(hourglass) -> None:
    write("log.csv", 300)
    done = hourglass("fit", "log.csv", *FIT, *WORDS, "--out", "run")
    assert done.code == 0, done.err
    for command in (
        ("embed", "--out", "codes.csv"), ("score", "--out", "scores.csv", "--keep", "time"),
        ("reconstruct", "--out", "back.csv"), ("sample", "-n", 3, "--out", "new.csv"), ("report",),
        ("sample", "-n", 3, "--out", "new.npy"),
    ):  # fmt: skip
        answer = hourglass(command[0], "run", *command[1:])
        assert answer.code == 0, answer.err
    assert [row["name"] for row in rows_of("codes.csv")][:3] == ["0@0", "0@6", "0@12"]
    scores = rows_of("scores.csv")
    assert len(scores) == 300 and scores[2]["time"].startswith("2024-01-01T02:00")
    assert [row["time"] for row in rows_of("back.csv")] == [row["time"] for row in rows_of("log.csv")]
    new = rows_of("new.csv")
    assert list(new[0]) == ["series", "instant", "x", "on"] and len(new) == 3 * 24
    assert np.load("new.npy").shape == (3, 24, 2)


def test_holes_are_filled_in(hourglass) -> None:
    path = write("log.csv", 200)
    lines = path.read_text().splitlines()
    lines[50:56] = [line.rsplit(",", 2)[0] + "," + "," for line in lines[50:56]]
    path.write_text("\n".join(lines) + "\n")
    assert hourglass("fit", "log.csv", *FIT, *WORDS, "--out", "run").code == 0
    answer = hourglass("impute", "run", "--out", "full.csv")
    assert answer.code == 0, answer.err
    assert "12 cells filled in" in answer.out
    full = rows_of("full.csv")
    assert all(row["x"] and row["on"] in ("0", "1") for row in full) and full[3]["x"] == rows_of("log.csv")[3]["x"]


def test_a_folder_of_tables(hourglass) -> None:
    for i, n in enumerate((90, 60, 120, 75)):
        write(f"days/{'ab'[i % 2]}/{i}.csv", n)
    assert hourglass("fit", "days", *FIT, *WORDS, "--condition", "labels", "--out", "run").code == 0
    answer = hourglass("reconstruct", "run", "--out", "back")
    assert answer.code == 0, answer.err
    assert len(rows_of("back/a/2.csv")) == 120
    assert hourglass("embed", "run", "--per-record", "--out", "means.csv").code == 0
    assert [row["name"] for row in rows_of("means.csv")] == ["a/0.csv", "a/2.csv", "b/1.csv", "b/3.csv"]
    assert hourglass("score", "run", "--out", "scores.csv").code == 0
    names = [row["name"] for row in rows_of("scores.csv")]
    assert len(names) == 345 and names[0] == "a/0.csv@0" and names[-1] == "b/3.csv@74"
    assert hourglass("report", "run").code == 0
    assert hourglass("sample", "run", "-n", 2, "--condition", "a", "--out", "new").code == 0
    assert sorted(path.name for path in Path("new").iterdir()) == ["00000.csv", "00001.csv"]
    answer = hourglass("compare", "days", "--n-latents", 2, "--max-epochs", 1, "--hidden", 16, *WORDS, "--json")
    assert answer.code == 0, answer.err
    assert {row["recipe"] for row in json.loads(answer.out)["rows"]} == {"baseline", "pca", "ae", "vae"}


def test_sound_comes_back_as_sound(hourglass) -> None:
    wave = (8000 * np.sin(np.arange(2000) / 5)).astype(np.int16)
    wavfile.write("a.wav", 8000, wave)
    assert hourglass("fit", "a.wav", *FIT, "--out", "run").code == 0
    answer = hourglass("reconstruct", "run", "--out", "back.wav")
    assert answer.code == 0, answer.err
    rate, back = wavfile.read("back.wav")
    assert rate == 8000 and back.shape == wave.shape and back.dtype == np.int16


def test_labels_of_instants_are_taken_out_again(hourglass) -> None:
    path = write("log.csv", 200)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(f"{line},{'label' if i == 0 else int(i > 150)}" for i, line in enumerate(lines)) + "\n")
    assert hourglass("fit", "log.csv", *FIT, *WORDS, "--labels", "label", "--out", "run").code == 0
    used = (("score", "run", "--out", "a.csv"), ("report", "run"), ("score", "run", "log.csv", "--out", "b.csv"))
    for command in used:
        answer = hourglass(*command)
        assert answer.code == 0, answer.err
    assert "are the 2 classes" in Path("run/report.html").read_text()


@pytest.mark.parametrize("words", ["series time=when", "series record=who"])
def test_columns_that_are_not_there(hourglass, words) -> None:
    write("log.csv", 100)
    answer = hourglass("fit", "log.csv", *FIT, "--modality", words)
    assert answer.code == 1 and "is not a column" in answer.err
