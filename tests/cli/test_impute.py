"""`hourglass impute` from CSV to CSV: only missing cells change; from Parquet the index of pandas stays."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

FITTED = ("--max-epochs", 1, "--n-latent", 1, "--hidden", 4, "--threads", 1)
RNG = np.random.default_rng(0)


def test_every_byte_but_the_holes_stays(hourglass) -> None:
    rows = []
    for i in range(40):
        hole = i % 8 == 1
        cells = [f"{501 + i:05d}", f"{123456789012345678901234 + i}", ("NA", '"DE"', "FR", "US")[i % 4]]
        cells += ["" if hole else f"{RNG.normal():.2f}".replace(".", ","), "True" if i % 2 else "False", f"{i},50"]
        rows.append(";".join(cells))
    lines = ["zip;account;country;x;y;z", *rows]
    Path("t.csv").write_bytes(("\r\n".join(lines) + "\r\n").encode())
    fitted = hourglass("fit", "t.csv", *FITTED, "--out", "run")
    assert fitted.code == 0, fitted.err
    assert "zip (00501), account" in fitted.err and "10 cells 'NA' of country kept as texts" in fitted.err
    answer = hourglass("impute", "run", "--out", "full.csv")
    assert (answer.code, "40 rows, 5 cells filled in" in answer.out) == (0, True), answer.err
    after = Path("full.csv").read_bytes().decode().split("\r\n")
    assert len(after) == 42 and after[-1] == ""
    for i, (old, new) in enumerate(zip(lines, after, strict=False)):
        if i % 8 != 2:
            assert old == new
        else:
            before, cells = old.split(";"), new.split(";")
            assert cells[:3] + cells[4:] == before[:3] + before[4:] and float(cells[3].replace(",", ".")) < 10
    assert hourglass("impute", "run", "--out", "full.tsv").code == 0
    assert Path("full.tsv").read_text().splitlines()[1] == rows[0].replace(";", "\t")


def test_the_index_of_pandas_stays(hourglass) -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=40), "b": RNG.normal(size=40)})
    frame.loc[::5, "a"] = np.nan
    frame.index = pd.Index([f"c{i}" for i in range(40)], name="customer")
    frame.to_parquet("t.parquet")
    for stream in ((), ("--stream",)):
        assert hourglass("fit", "t.parquet", *FITTED, *stream, "--overwrite", "--out", "run").code == 0
        answer = hourglass("impute", "run", "--out", "full.parquet")
        assert (answer.code, "8 cells filled in" in answer.out) == (0, True), answer.err
        full = pd.read_parquet("full.parquet")
        assert full.index.equals(frame.index) and full.columns.tolist() == ["a", "b"]
        known = frame["a"].notna()
        assert full.notna().all().all() and (full.loc[known, "a"] == frame.loc[known, "a"]).all()
        assert pq.read_table("full.parquet")["b"].to_pylist() == frame["b"].tolist()
    assert hourglass("embed", "run", "t.parquet", "--out", "codes.parquet").code == 0


def test_intervals_go_into_two_files(hourglass) -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=40), "b": RNG.normal(size=40)})
    frame.loc[::5, "a"] = np.nan
    frame.to_csv("t.csv", index=False)
    assert hourglass("fit", "t.csv", *FITTED, "--overwrite", "--out", "run").code == 0
    assert hourglass("impute", "run", "--interval", "0.9", "--out", "full.csv").code == 0
    lower, upper = pd.read_csv("full.lower.csv"), pd.read_csv("full.upper.csv")
    missing = frame["a"].isna()
    assert (lower["a"] < upper["a"])[missing].all() and (lower[~missing] == upper[~missing])["a"][~missing].all()
    answer = hourglass("impute", "run", "--interval", "90", "--out", "full.csv")
    assert answer.code == 2 and "--interval 90.0 is a probability" in answer.err
    answer = hourglass("impute", "run", "--interval", "0.9", "--n-draws", "2", "--out", "full.csv")
    assert answer.code == 2 and "leave out --rounds and --n-draws" in answer.err
