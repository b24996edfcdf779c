"""Tables at the command line: how files are read, and what is said of their columns."""

import re
from pathlib import Path

import numpy as np

QUICK = ("--max-epochs", 1, "--n-latent", 1, "--hidden", 4)


def test_columns_of_an_array_keep_their_places_in_the_file_as_names(hourglass) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 4)).round(2)
    np.save("rows.npy", rows)
    rows[3, 2] = np.inf
    np.save("odd.npy", rows)
    odd = hourglass("fit", "odd.npy", *QUICK, "--drop", "x0")
    assert odd.code == 1
    assert "odd.npy: column 'x2', row 3 is inf" in odd.err
    assert hourglass("fit", "rows.npy", *QUICK, "--drop", "x0", "--out", "run").code == 0
    assert "odd.npy: column 'x2', row 3 is inf" in hourglass("embed", "run", "odd.npy", "--out", "c.csv").err
    assert hourglass("reconstruct", "run", "--out", "back.csv").code == 0
    assert Path("back.csv").read_text().splitlines()[0] == '"x1","x2","x3"'
    assert re.fullmatch(r"-?\d\.\d\d,-?\d\.\d\d,-?\d\.\d\d", Path("back.csv").read_text().splitlines()[1])


def test_a_condition_with_missing_cells_is_named_counted_and_comes_with_a_remedy(hourglass) -> None:
    lines = ["a,b,group"] + [f"{k % 7}.5,{k % 5}.25,{'' if k in (3, 9) else 'xy'[k % 2]}" for k in range(40)]
    Path("rows.tsv").write_text("\n".join(lines).replace(",", "\t"))
    answer = hourglass("fit", "rows.tsv", *QUICK, "--condition", "group")
    assert answer.code == 1
    assert "rows.tsv: condition: column 'group' is missing in 2 of 40 rows, the first of them row 3" in answer.err
    assert "leave these rows out" in answer.err


def test_header_and_null_words_are_kept_with_the_run(hourglass) -> None:
    lines = [f"{k},{k * 3 % 7},{'unknown' if k == 5 else 'xyz'[k % 3]}" for k in range(1, 60)]
    Path("rows.csv").write_text("\n".join(lines) + "\n")
    options = ("--header", "no", "--null-words", "unknown,NA")
    fitted = hourglass("fit", "rows.csv", *QUICK, *options, "--identifiers", "x0", "--out", "run")
    assert fitted.code == 0, fitted.err
    assert "first line" not in fitted.err
    answer = hourglass("impute", "run", "--out", "full.csv")
    assert "59 rows, 1 cells filled in" in answer.out
    full = Path("full.csv").read_text().splitlines()
    assert [a == b for a, b in zip(full, lines, strict=True)].count(False) == 1
    assert hourglass("embed", "run", "wine", "--header", "no", "--out", "c.csv").code == 2


def test_advice_and_notes_name_options_here_and_arguments_in_python(hourglass) -> None:
    from hourglass import load

    rng = np.random.default_rng(0)
    lines = ["size,store code"] + [f"{rng.normal():.2f},{rng.integers(101, 104)}" for _ in range(300)]
    Path("shop.csv").write_text("\n".join(lines))
    fitted = hourglass("fit", "shop.csv", *QUICK, "--out", "run")
    assert 'if they are codes, give --categories "store code"' in fitted.err
    assert "--max-epochs 4" in fitted.out
    assert "=" not in fitted.out
    assert hourglass("report", "run").code == 0
    assert "--max-epochs 4" in Path("run/report.html").read_text()
    assert any("max_epochs=4" in sentence and "--" not in sentence for sentence in load("run").advice_)
