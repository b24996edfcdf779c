"""`hourglass fit --task denoise` and `hourglass denoise`."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RNG = np.random.default_rng(0)
FIT = ("--task", "denoise", "--noise", "gaussian:25", "--max-epochs", 1, "--patch", 32)


@pytest.fixture
def photos():
    for i, size in enumerate([(70, 90, 3), (80, 66), (64, 100)]):
        path = Path("photos", "ab"[i % 2], f"{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(60, 200, size).astype(np.uint8)).save(path)
    return Path("photos")


def test_a_folder_of_noisy_pictures(hourglass, photos) -> None:
    done = hourglass("fit", photos, *FIT, "--out", "run")
    assert done.code == 0, done.err
    assert "dB" in done.out and "hourglass denoise run NOISY CLEAN" in done.out
    (photos / "broken.png").write_bytes(b"no picture")
    answer = hourglass("denoise", "run", photos, "clean")
    assert answer.code == 0, answer.err
    assert "Wrote 3 of 4 files" in answer.out and "noise of" in answer.out and "broken.png" in answer.err
    assert Image.open("clean/a/0.png").size == (90, 70) and Image.open("clean/a/0.png").mode == "RGB"
    again = hourglass("denoise", "run", photos, "clean")
    assert again.code == 1 and "exists already; --overwrite replaces it" in again.err
    Path("clean/a/0.png").unlink()
    more = hourglass("denoise", "run", photos, "clean", "--resume", "--json")
    assert list(json.loads(more.out)["written"]) == ["clean/a/0.png"]
    one = hourglass("denoise", "run", photos / "b/1.png", "one.png", "--strength", 0.5, "--report", "page.html")
    page = Path("page.html").read_text()
    assert "taken off" in page and "1.png" in page and "Noise of" in page
    assert one.code == 0 and Path("one.png").is_file()
    assert "would overwrite the input" in hourglass("denoise", "run", photos, photos).err
    page = hourglass("report", "run")
    assert page.code == 2 and "hourglass denoise run NOISY CLEAN --report page.html" in page.err
    wrong = hourglass("embed", "run", photos, "--out", "codes.csv")
    assert wrong.code == 2 and "--task denoise" in wrong.err


def test_noise_is_for_denoising(hourglass, photos) -> None:
    answer = hourglass("fit", photos, "--noise", "gaussian:25")
    assert answer.code == 2 and "--noise is for --task denoise" in answer.err
    answer = hourglass("fit", photos, "--task", "denoise", "--noise", "fog")
    assert answer.code == 2 and "'fog' is unknown" in answer.err


def test_the_demo(hourglass, monkeypatch) -> None:
    monkeypatch.setattr("hourglass.estimators.denoiser.PER_EPOCH", 32)
    answer = hourglass("demo", "--task", "denoise", "--max-epochs", 1)
    assert answer.code == 0, answer.err
    assert "dB" in answer.out and "hourglass denoise runs/demo NOISY-PICTURES CLEAN-PICTURES" in answer.out
    assert "taken off" in Path("runs/demo/report.html").read_text()


def test_without_a_model_one_is_learned_from_the_pictures(hourglass, photos, monkeypatch) -> None:
    monkeypatch.setattr(importlib.import_module("hourglass.cli.denoise"), "QUICK_EPOCHS", 1)
    monkeypatch.setattr("hourglass.estimators.denoiser.PER_EPOCH", 16)
    ran = hourglass("denoise", photos, "quick")
    assert ran.code == 0, ran.err
    assert "no model was given: one is learned from" in ran.err and "files" in ran.err
    assert {p.name for p in Path().iterdir()} == {"photos", "quick"}
    assert sorted(p.name for p in Path("quick").rglob("*.png")) == ["0.png", "1.png", "2.png"]
