"""`hourglass sample --given` and `hourglass impute --n-draws`: what is known stays, the rest is drawn."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hourglass.cli.impute import numbered

FITTED = ("--max-epochs", 2, "--n-latent", 2, "--hidden", 8, "--threads", 1, "--drop", "id")


@pytest.fixture
def run(hourglass, people):
    assert hourglass("fit", people, *FITTED, "--out", "run").code == 0
    return "run"


def test_rows_around_given_cells(hourglass, run) -> None:
    answer = hourglass("sample", run, "-n", 5, "--given", "age=41.5 city=Oslo", "--out", "new.csv")
    assert answer.code == 0 and "5 samples" in answer.out, answer.err
    made = pd.read_csv("new.csv")
    assert (made["age"] == 41.5).all() and (made["city"] == "Oslo").all() and made["height"].nunique() > 1
    assert hourglass("sample", run, "-n", 5, "--given", "age=41.5", "city=Oslo", "--out", "same.csv").code == 0
    assert Path("same.csv").read_text() == Path("new.csv").read_text()
    Path("known.csv").write_text("city,age\nRome,\nLima,33\n")
    assert hourglass("sample", run, "-n", 2, "--given", "known.csv", "--out", "of_file.csv").code == 0
    made = pd.read_csv("of_file.csv")
    assert made["city"].tolist() == ["Rome", "Rome", "Lima", "Lima"] and made["age"].tolist()[2:] == [33, 33]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("aeg=3", "knows no column 'aeg'; did you mean 'age'?"),
        ("age=old", "age holds numbers"),
        ("city=Paris", "'city' is 'Paris', which was not there at fit; known values: Lima, Oslo, Rome"),
        ("nowhere", "give COLUMN=VALUE, or a file"),
    ],
)
def test_what_cannot_be_given(hourglass, run, given, message) -> None:
    answer = hourglass("sample", run, "--given", given, "--out", "new.csv")
    assert answer.code != 0 and message in answer.err and not Path("new.csv").exists()


def test_marginals_of_the_model(hourglass, run) -> None:
    for name in ("data", "model"):
        assert hourglass("sample", run, "-n", 30, "--marginals", name, "--out", f"{name}.csv").code == 0
    one, other = (pd.read_csv(f"{name}.csv") for name in ("data", "model"))
    assert one["city"].equals(other["city"]) and not one["age"].equals(other["age"])
    np.testing.assert_array_equal(one["age"], one["age"].round(1))


def test_several_fillings(hourglass, run, people) -> None:
    answer = hourglass("impute", run, "--n-draws", 3, "--out", "filled.csv")
    assert answer.code == 0 and answer.out.count("cells filled in") == 3, answer.err
    before = pd.read_csv(people)
    draws = [pd.read_csv(f"filled.{k}.csv") for k in (1, 2, 3)]
    for draw in draws:
        assert draw.notna().all().all()
        for name in before:
            assert (draw[name] == before[name])[before[name].notna()].all()
    assert not draws[0].equals(draws[1])
    assert hourglass("impute", run, "--n-draws", 0, "--out", "x.csv").code == 2
    both = hourglass("impute", run, "--n-draws", 2, "--rounds", 2, "--out", "x.csv")
    assert "--rounds is for the best filling" in both.err


def test_files_of_draws_have_numbers() -> None:
    assert numbered(Path("a/b.csv.gz"), 2) == Path("a/b.2.csv.gz")
    assert numbered(Path("b.parquet"), 10) == Path("b.10.parquet")
