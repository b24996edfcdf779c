"""Every command on music: a folder of MIDI files, and what is written."""

import json
from pathlib import Path

from scipy.io import wavfile

from hourglass import datasets, readers
from hourglass.readers.music import to_midi

FIT = ("--max-epochs", 2, "--n-latent", 2, "--hidden", 16)


def test_every_command_on_a_folder_of_midi_files(hourglass) -> None:
    for i, piece in enumerate(datasets.load("toy_tunes").X[:8]):
        path = Path("tunes", "ab"[i % 2], f"{i}.mid")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_midi(piece))
    done = hourglass("fit", "tunes", *FIT, "--out", "run")
    assert done.code == 0, done.err
    for command in (
        ("embed", "--out", "codes.csv"), ("score", "--out", "scores.csv"), ("reconstruct", "--out", "back"),
        ("sample", "-n", 2, "--out", "new.mid"), ("sample", "-n", 2, "--out", "new.wav"),
        ("sample", "-n", 2, "--out", "new.json"), ("sample", "-n", 2, "--out", "new.png"), ("report",),
    ):  # fmt: skip
        answer = hourglass(command[0], "run", *command[1:])
        assert answer.code == 0, answer.err
    assert "a/0.mid@0" in Path("codes.csv").read_text()
    assert len(Path("scores.csv").read_text().splitlines()) == 9
    assert sorted(path.name for path in Path("back/a").iterdir()) == ["0.mid", "2.mid", "4.mid", "6.mid"]
    assert wavfile.read("new.wav")[0] == 22_050
    assert len(json.loads(Path("new.json").read_text())) == 2
    answer = hourglass("compare", "tunes", "--n-latents", 2, "--max-epochs", 1, "--hidden", 16, "--json")
    assert answer.code == 0, answer.err
    assert readers.read("tunes").kind == "music"


def test_the_demo_of_music(hourglass) -> None:
    answer = hourglass("demo", "--data", "music", "--max-epochs", 1)
    assert answer.code == 0, answer.err
    assert "--out runs/demo/samples.mid" in answer.out
