"""recipes, datasets, report, compare and demo."""

import json
from pathlib import Path

import pytest

from hourglass.datasets import names
from hourglass.variants import ABOUT, RECIPES


def test_every_recipe_is_listed_with_its_words(hourglass) -> None:
    found = json.loads(hourglass("recipes", "--json").out)
    listed = {r["name"]: r for r in found}
    assert set(listed) == set(RECIPES) == set(ABOUT)
    assert list(listed) == ["ae", "denoising", "sparse", "sparse_kl", "contractive", "vae", "beta_vae"]
    for recipe in listed.values():
        assert recipe["what"]
        assert "reconstruction" in recipe["minimises"]
    assert len({recipe["what"] for recipe in found}) == len(found), "each has a sentence of its own"
    assert "Vincent" in listed["denoising"]["source"]


@pytest.mark.parametrize("command", ["recipes", "datasets"])
def test_lists_fit_a_hundred_columns_in_a_pipe(hourglass, command) -> None:
    lines = hourglass(command).out.splitlines()
    assert max(map(len, lines)) <= 100
    known = list(RECIPES if command == "recipes" else names())
    assert [line.split(" ")[0] for line in lines if line.split(" ")[0] in known] == known


def test_every_data_set_is_listed_with_its_licence(hourglass, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("HOURGLASS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    listed = {d["name"]: d for d in json.loads(hourglass("datasets", "--json").out)}
    assert set(listed) == set(names())
    assert all(d["licence"] for d in listed.values())
    assert listed["digits"]["where"].startswith("here")
    assert listed["mnist"]["where"] == "to be downloaded, 12 MB"
    assert "mnist" in hourglass("datasets").out


def test_report_of_a_run(hourglass, people) -> None:
    hourglass("fit", people, "--max-epochs", 2, "--n-latent", 2, "--drop", "id", "--labels", "kind", "--out", "run")
    assert json.loads(hourglass("report", "run", "--json").out) == {"report": "run/report.html"}
    assert "<html" in Path("run/report.html").read_text()
    assert hourglass("report", "run", people, "--out", "page.html", "--title", "People").code == 0
    assert "People" in Path("page.html").read_text()


def test_compare_writes_all_and_goes_on(hourglass) -> None:
    quick = ("--max-epochs", 2, "--hidden", 8)
    answer = hourglass("compare", "wine", "--n-latents", 1, 2, *quick)
    assert answer.code == 0, answer.err
    assert "Recommended: " in answer.out
    written = sorted(p.name for p in Path("runs/wine-compare").iterdir())
    assert written == ["compare.csv", "compare.html", "compare.json", "compare.png", "compare.svg"]
    assert "--resume" in hourglass("compare", "wine", *quick).err
    more = hourglass("compare", "wine", "--n-latents", 1, 2, 3, *quick, "--resume", "--json")
    found = json.loads(more.out)
    assert {row["n_latent"] for row in found["rows"] if row["recipe"] != "baseline"} == {1, 2, 3}
    assert "other data" in hourglass("compare", "wine", "--max-epochs", 3, "--resume").err


def test_the_demo_says_where_the_page_is_and_what_comes_next(hourglass) -> None:
    answer = hourglass("demo", "--max-epochs", 2)
    assert answer.code == 0, answer.err
    assert Path("runs/demo/report.html").is_file()
    assert str(Path("runs/demo/report.html").resolve()) in answer.out
    assert "hourglass sample runs/demo" in answer.out
    assert hourglass("demo", "--max-epochs", 2).code == 0, "a second demo replaces the first"
    hourglass("fit", "wine", "--max-epochs", 1, "--out", "other")
    assert hourglass("demo", "--out", "other").code == 1


def test_the_demo_of_text(hourglass) -> None:
    answer = hourglass("demo", "--data", "text", "--max-epochs", 1, "--out", "log")
    assert answer.code == 0, answer.err
    page = Path("log/report.html").read_text()
    assert "A log, line by line" in page and "Least typical lines" in page
    assert "--out log/samples.txt" in answer.out
    assert hourglass("demo", "--data", "pictures", "--max-epochs", 1, "--out", "log").code == 0


def test_the_demo_of_levels(hourglass) -> None:
    answer = hourglass("demo", "--data", "levels", "--max-epochs", 1)
    assert answer.code == 0, answer.err
    assert "hourglass embed runs/demo toy_levels" in answer.out
    assert hourglass("sample", "runs/demo", "-n", 2, "--out", "new.txt").code == 0
    assert [len(level.splitlines()) for level in Path("new.txt").read_text().split("\n\n")] == [14, 14]
    wrong = hourglass("demo", "--data", "level")
    assert wrong.code == 2 and "--data level: there is no such demo; did you mean 'levels'?" in wrong.err


def test_the_demo_of_series(hourglass) -> None:
    answer = hourglass("demo", "--data", "series", "--max-epochs", 1, "--out", "machine")
    assert answer.code == 0, answer.err
    assert "--out machine/samples.csv" in answer.out


def test_the_demo_of_anomalies(hourglass) -> None:
    answer = hourglass("demo", "--task", "detect", "--max-epochs", 1)
    assert answer.code == 0, answer.err
    assert "hourglass detect runs/demo toy_payments --split test" in answer.out
    assert 'id="detection"' in Path("runs/demo/report.html").read_text()


def test_a_demo_of_another_version_is_named_with_a_remedy(hourglass, monkeypatch) -> None:
    from hourglass.run_files import MODEL_FORMAT

    assert hourglass("demo", "--max-epochs", 1, "--out", "old").code == 0
    monkeypatch.setattr("hourglass.run_files.MODEL_FORMAT", MODEL_FORMAT + 1)
    answer = hourglass("demo", "--max-epochs", 1, "--out", "old")
    assert answer.code == 1
    assert "delete the folder, or name another --out" in answer.err
