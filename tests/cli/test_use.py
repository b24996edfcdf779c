"""What is done with a run: every command on tables with holes, on pictures and with conditions."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest
from PIL import Image

from hourglass import load, report
from hourglass.cli import sources
from hourglass.readers import read

QUICK = ("--max-epochs", 2, "--n-latent", 2, "--hidden", 8)


@pytest.fixture
def run(hourglass, people) -> str:
    """A model of people, told their kind."""
    answer = hourglass("fit", people, *QUICK, "--drop", "id", "--condition", "kind", "--out", "run")
    assert answer.code == 0, answer.err
    return "run"


@pytest.fixture
def picture_run(hourglass, pictures) -> str:
    answer = hourglass("fit", pictures, *QUICK, "--out", "run")
    assert answer.code == 0, answer.err
    assert "skipped" in answer.err
    assert "broken.png" in answer.err
    return "run"


def test_embed_is_transform(hourglass, run, people) -> None:
    assert hourglass("embed", run, people, "--out", "codes.csv").code == 0
    table = pyarrow.csv.read_csv("codes.csv")
    assert table.column_names == ["code0", "code1"]
    data = read(people).X
    codes = load(run).transform(data.select(["age", "height", "city"]), condition=data.select(["kind"]))
    np.testing.assert_allclose(np.column_stack([c.to_numpy() for c in table.columns]), codes, atol=1e-6)


def test_data_may_be_left_out_and_columns_may_be_moved(hourglass, run, people) -> None:
    hourglass("embed", run, people, "--out", "a.npy")
    hourglass("embed", run, "--out", "b.npy")
    table = read(people).X
    pyarrow.csv.write_csv(table.select(["kind", "city", "age", "height", "id"]), "moved.csv")
    assert hourglass("embed", run, "moved.csv", "--out", "c.npy").code == 0
    assert (np.load("a.npy") == np.load("b.npy")).all()
    assert (np.load("a.npy") == np.load("c.npy")).all()


def test_what_comes_next_names_the_condition_and_what_was_dropped(hourglass, people) -> None:
    told = ("--condition", "kind", "--drop", "id")
    fitted = hourglass("fit", people, *QUICK, *told, "--out", "run")
    line = next(line for line in fitted.out.splitlines() if "hourglass sample" in line)
    assert hourglass(*line.split()[1:]).code == 0
    compared = hourglass("compare", people, *told, "--n-latents", 2, "--max-epochs", 1, "--hidden", 8)
    assert f"fit {people} --condition kind --drop id --hidden 8 --max-epochs 1 --recipe" in compared.out


def test_a_table_is_no_picture(hourglass, run) -> None:
    answer = hourglass("sample", run, "--condition", "a", "--out", "new.png")
    assert (answer.code, "--out new.png: rows are not written to a *.png file" in answer.err) == (2, True)


def test_a_condition_from_a_file(hourglass, run, people) -> None:
    table = read(people).X
    pyarrow.csv.write_csv(table.select(["age", "height", "city"]), "bare.csv")
    pyarrow.csv.write_csv(table.select(["kind"]).rename_columns(["anything"]), "kinds.csv")
    forgotten = hourglass("embed", run, "bare.csv", "--out", "a.npy")
    assert (forgotten.code, "fitted with a condition (kind)" in forgotten.err) == (2, True)
    assert hourglass("embed", run, "bare.csv", "--condition", "kinds.csv", "--out", "a.npy").code == 0
    hourglass("embed", run, people, "--out", "b.npy")
    assert (np.load("a.npy") == np.load("b.npy")).all()


def test_a_missing_and_a_strange_column(hourglass, run, people) -> None:
    table = read(people).X
    pyarrow.csv.write_csv(table.rename_columns(["id", "age", "hight", "city", "kind"]), "strange.csv")
    answer = hourglass("embed", run, "strange.csv", "--out", "a.npy")
    assert answer.code == 1
    assert "no column 'height' (is it 'hight'?)" in answer.err
    pyarrow.csv.write_csv(table.append_column("extra", table.column("age")), "more.csv")
    answer = hourglass("embed", run, "more.csv", "--out", "a.npy")
    assert answer.code == 0
    assert "not used: extra" in answer.err


def test_text_where_numbers_were(hourglass, run, people) -> None:
    lines = people.read_text().splitlines()
    Path("texts.csv").write_text("\n".join([lines[0], *(line.replace(",3", ",old3", 1) for line in lines[1:])]))
    answer = hourglass("embed", run, "texts.csv", "--out", "a.npy")
    assert answer.code == 1
    assert "'age'" in answer.err
    assert len(answer.err.splitlines()) == 1


def test_impute_fills_every_hole_and_changes_nothing_else(hourglass, run, people) -> None:
    assert hourglass("impute", run, people, "--out", "filled.csv").code == 0
    before, after = read(people).X, read("filled.csv").X
    assert after.column_names == before.column_names
    for name in after.column_names:
        assert after.column(name).null_count == 0
        for old, new in zip(before.column(name).to_pylist(), after.column(name).to_pylist(), strict=True):
            assert old is None or old == new or new == pytest.approx(old, rel=1e-5)


def test_impute_writes_what_the_model_never_saw_as_it_stands(hourglass) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{i:03d},{'' if i % 7 == 1 else round(rng.normal(), 2)},{round(rng.normal(), 2)},NA" for i in range(40)]
    Path("t.csv").write_text("\n".join(["code,a,b,note", *rows]) + "\n")
    fitted = ("--max-epochs", 1, "--n-latent", 1, "--hidden", 4)
    assert hourglass("fit", "t.csv", "--drop", "code", "note", *fitted, "--out", "run").code == 0
    assert hourglass("impute", "run", "--out", "full.csv").code == 0
    fields = [line.split(",") for line in Path("full.csv").read_text().replace('"', "").splitlines()]
    assert fields[0] == ["code", "a", "b", "note"]
    assert [(line[0], line[3]) for line in fields[1:]] == [(f"{i:03d}", "NA") for i in range(40)]
    assert all(line[1] for line in fields)
    assert hourglass("impute", "run", "--out", "full.npy").code == 0
    assert np.load("full.npy").shape == (40, 2)

    X = np.where(rng.random((40, 3)) < 0.1, np.nan, rng.normal(size=(40, 3)))
    np.save("x.npy", X)
    assert hourglass("fit", "x.npy", "--drop", "x0", *fitted, "--out", "bare").code == 0
    assert hourglass("impute", "bare", "--out", "whole.npy").code == 0
    whole = np.load("whole.npy")
    np.testing.assert_array_equal(whole[:, 0], X[:, 0])
    assert not np.isnan(whole[:, 1:]).any()


def test_large_tables_are_used_piece_by_piece(hourglass, monkeypatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hourglass import load, readers

    rng = np.random.default_rng(0)
    height = rng.normal(size=300)
    holes = np.where(rng.random(300) < 0.2, None, height + 0.1 * rng.normal(size=300))
    town = np.array(["Rome", "Oslo"])[(height > 0).astype(int)]
    table = pa.table({"height": height, "weight": pa.array(holes.tolist(), pa.float64()), "town": town})
    pq.write_table(table, "rows.parquet", row_group_size=70)
    options = ("--max-epochs", 2, "--n-latent", 1, "--condition", "town", "--out", "run")
    assert hourglass("fit", "rows.parquet", "--stream", *options).code == 0
    model, X = load("run"), table.select(["height", "weight"])

    monkeypatch.setattr(readers, "read", None)  # what would hold all of it
    for ending in ("csv", "parquet", "npy"):
        answer = hourglass("embed", "run", "--out", f"codes.{ending}")
        assert (answer.code, "300 codes of 1 numbers" in answer.out) == (0, True), answer.err
    codes = model.transform(X, condition=town)
    np.testing.assert_allclose(np.load("codes.npy"), codes, atol=1e-6)
    np.testing.assert_allclose(pq.read_table("codes.parquet")["code0"].to_numpy(), codes[:, 0], atol=1e-6)
    assert len(Path("codes.csv").read_text().splitlines()) == 301
    assert hourglass("impute", "run", "rows.parquet", "--out", "full.parquet").code == 0
    full = pq.read_table("full.parquet")
    assert full["weight"].null_count == 0
    assert full["height"].equals(table["height"])
    answer = hourglass("score", "run", "--out", "scores.csv")
    lowest = int(np.argmin(model.score_samples(X, condition=town)))
    assert f"lowest scores: rows {lowest}, " in answer.out
    monkeypatch.setattr(report, "MAX_EXAMPLES", 100)
    answer = hourglass("report", "run", "--labels", "town")
    assert answer.code == 0
    assert "rows.parquet has 300 rows; 100 of them, from every part of it, are used" in answer.err

    monkeypatch.setattr(sources, "STREAMED", 10)
    answer = hourglass("embed", "run", "rows.parquet", "--condition", "twon", "--out", "codes.csv")
    assert answer.code == 2
    assert "--condition twon: a table read in chunks needs a column of it" in answer.err
    answer = hourglass("embed", "run", "rows.parquet", "--out", "codes.xyz")
    assert (answer.code, "cannot write *.xyz" in answer.err) == (1, True)
    answer = hourglass("embed", "run", "rows.parquet", "--out", "codes")
    assert (answer.code, "give a .csv" in answer.err) == (2, True)


def test_the_pieces_of_a_filled_in_table_are_alike(hourglass) -> None:
    """Holes that come late: every piece has the types of the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    size = rng.normal(size=200)
    late = (np.arange(200) > 100) & (rng.random(200) < 0.4)
    columns = {
        "size": pa.array(size),
        "age": pa.array(np.rint(40 + 10 * size).astype(int), mask=late),
        "tall": pa.array(size > 0, mask=late),
        "town": pa.array(np.where(size > 0, "Rome", "Oslo"), mask=late),
        "team": pa.array(np.where(size > 0, "red", "blue"), mask=late).dictionary_encode(),
    }
    table = pa.table(columns)
    pq.write_table(table, "late.parquet", row_group_size=50)
    assert hourglass("fit", "late.parquet", "--stream", "--max-epochs", 2, "--n-latent", 1, "--out", "run").code == 0
    answer = hourglass("impute", "run", "--out", "full.parquet")
    assert answer.code == 0, answer.err
    full, whole = pq.read_table("full.parquet"), load("run").impute(table)
    assert full.schema.types == whole.schema.types == table.schema.types
    for name in columns:
        made, expected = (np.array(t[name].to_pylist(), dtype=None) for t in (full, whole))
        if name in ("town", "team"):
            assert made.tolist() == expected.tolist()
        else:
            np.testing.assert_allclose(made, expected, rtol=1e-5)


def test_every_part_of_a_sorted_stream_is_looked_at(hourglass, monkeypatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    town = np.repeat(["A", "B", "C"], 50)
    shift = np.repeat([-5.0, 0.0, 5.0], 50)
    height = shift + np.random.default_rng(0).normal(size=150)
    pq.write_table(pa.table({"height": height, "weight": 2 * height, "town": town}), "s.parquet", row_group_size=4)
    options = ("--stream", "--max-epochs", 2, "--n-latent", 1, "--condition", "town", "--out", "run")
    assert hourglass("fit", "s.parquet", *options).code == 0
    monkeypatch.setattr(report, "MAX_EXAMPLES", 60)
    answer = hourglass("report", "run")
    assert (answer.code, "60 of them" in answer.err) == (0, True), answer.err
    assert hourglass("sample", "run", "-n", 3, "--condition", "C", "--out", "new.csv").code == 0


def test_score_is_higher_for_the_typical(hourglass, run, people) -> None:
    odd = people.read_text().splitlines()
    odd[1] = "person0,3000,1,Rome,a"
    Path("odd.csv").write_text("\n".join(odd))
    answer = hourglass("score", run, "odd.csv", "--out", "scores.csv", "--samples", 3)
    assert answer.code == 0
    table = pyarrow.csv.read_csv("scores.csv")
    assert table.column_names == ["score"]
    assert int(np.argmin(table.column("score").to_numpy())) == 0
    assert "lowest scores: rows 0, " in answer.out


def test_scores_and_codes_keep_columns_of_the_data(hourglass, run, people) -> None:
    assert hourglass("score", run, people, "--out", "s.csv", "--keep", "id", "age").code == 0
    scores, whole = pyarrow.csv.read_csv("s.csv"), read(people).X
    assert scores.column_names == ["id", "age", "score"]
    assert scores.column("id").to_pylist() == whole.column("id").to_pylist()
    assert hourglass("embed", run, people, "--out", "c.parquet", "--keep", "kind").code == 0
    assert read("c.parquet").X.column_names == ["kind", "code0", "code1"]
    hourglass("embed", run, people, "--out", "c.npy")
    codes = read("c.parquet").X.select(["code0", "code1"]).to_pandas().to_numpy()
    np.testing.assert_array_equal(codes, np.load("c.npy"))
    assert "did you mean 'height'?" in hourglass("score", run, people, "--out", "s.csv", "--keep", "hight").err
    refused = hourglass("embed", run, people, "--out", "c.npy", "--keep", "id")
    assert (refused.code, "give a .csv or .parquet file" in refused.err) == (2, True)


def test_scores_say_how_rows_are_counted(hourglass, run, people, pictures) -> None:
    answer = hourglass("score", run, people, "--out", "s.csv")
    scores = pyarrow.csv.read_csv("s.csv").column("score").to_numpy()
    lowest = ", ".join(map(str, scores.argsort()[:3]))
    assert f"lowest scores: rows {lowest} (counting from 0)" in answer.out
    about = json.loads(hourglass("score", run, people, "--out", "s.csv", "--json").out)
    assert about["lowest"] == scores.argsort()[:3].tolist()
    assert about["mean"] == pytest.approx(scores.mean())


def test_impute_counts_what_is_filled_and_what_stays_empty(hourglass) -> None:
    rng = np.random.default_rng(0)
    a = ["" if i < 7 else round(rng.normal(), 2) for i in range(40)]
    rows = [f"{a[i]},{round(rng.normal(), 2)},{'' if i < 9 else 'x'}" for i in range(40)]
    Path("t.csv").write_text("\n".join(["a,b,note", *rows]) + "\n")
    assert hourglass("fit", "t.csv", "--drop", "note", *QUICK, "--out", "run").code == 0
    answer = hourglass("impute", "run", "--out", "full.csv")
    assert "Wrote full.csv: 40 rows, 7 cells filled in, 9 still empty (the model does not know them)" in answer.out
    about = json.loads(hourglass("impute", "run", "--out", "full.csv", "--json").out)
    assert (about["filled"], about["empty"]) == (7, 9)


def test_many_samples_come_in_chunks(hourglass, run, monkeypatch) -> None:
    told = ("--condition", "b", "--out")
    hourglass("sample", run, "-n", 10, *told, "few.csv")
    hourglass("sample", run, "-n", 25, *told, "whole.csv")
    monkeypatch.setattr(sys.modules["hourglass.cli.sample"], "CELLS_PER_CHUNK", 30)
    assert hourglass("sample", run, "-n", 25, *told, "many.csv").code == 0
    few, many, whole = (Path(f"{name}.csv").read_text().splitlines() for name in ("few", "many", "whole"))
    assert len(many) == len(whole) == 26
    assert many[:11] == few
    assert len(set(many)) > 20, "each chunk has a seed of its own"
    refused = hourglass("sample", run, "-n", 10**12, *told, "x.npy")
    assert (refused.code, "-n 1000000000000: 1,000,000,000,000 times 3 numbers" in refused.err) == (2, True)
    assert hourglass("sample", run, "-n", 0, *told, "x.csv").code == 2


def test_samples_of_a_table_with_a_condition(hourglass, run) -> None:
    answer = hourglass("sample", run, "-n", 5, "--condition", "b", "--out", "new.csv", "--json")
    assert json.loads(answer.out) == {"out": "new.csv", "rows": 5}
    assert read("new.csv").X.column_names == ["age", "height", "city"]
    assert "pass --condition; known values: kind (a, b, c)" in hourglass("sample", run, "--out", "x.csv").err
    assert "not known from the fit" in hourglass("sample", run, "--condition", "z", "--out", "x.csv").err


def test_the_seed_is_the_draw(hourglass, run) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        hourglass("sample", run, "--condition", "b", "--seed", seed, "--out", f"{name}.csv")
    a, b, c = (Path(f"{name}.csv").read_text() for name in "abc")
    assert a == b != c


def test_labels_of_the_data_as_condition(hourglass) -> None:
    assert hourglass("fit", "digits", *QUICK, "--condition", "labels").code == 0
    assert hourglass("sample", "runs/digits-vae", "-n", 4, "--condition", 3, "--out", "threes.png").code == 0
    assert hourglass("embed", "runs/digits-vae", "--out", "codes.npy").code == 0
    assert np.load("codes.npy").shape == (1797, 2)


def test_columns_of_an_array_by_position(hourglass) -> None:
    X = np.random.default_rng(0).normal(size=(60, 4))
    np.save("rows.npy", X)
    np.save("wide.npy", np.ones((60, 2)))
    np.save("y.npy", np.arange(60) % 2)
    assert hourglass("fit", "rows.npy", *QUICK, "--drop", 1, "--condition", "y.npy").code == 0
    assert load("runs/rows-vae").n_features_in_ == 3
    assert hourglass("embed", "runs/rows-vae", "--out", "codes.npy").code == 0
    answer = hourglass("embed", "runs/rows-vae", "wide.npy", "--condition", "y.npy", "--out", "x.npy")
    assert answer.code == 1


def test_arrays_of_pictures_come_back_with_the_axes_they_had(hourglass) -> None:
    np.save("grey.npy", np.random.default_rng(0).integers(0, 255, (40, 6, 5)).astype(np.uint8))
    assert hourglass("fit", "grey.npy", "--n-latent", 2, "--max-epochs", 1, "--hidden", 4, "--out", "run").code == 0
    assert hourglass("reconstruct", "run", "--out", "back.npy").code == 0
    assert np.load("back.npy").shape == (40, 6, 5)


def test_pictures_to_sheets_folders_and_arrays(hourglass, picture_run) -> None:
    assert hourglass("sample", picture_run, "-n", 6, "--out", "sheet.png").code == 0
    assert min(Image.open("sheet.png").size) > 100
    assert hourglass("sample", picture_run, "-n", 3, "--out", "single").code == 0
    assert [p.name for p in sorted(Path("single").iterdir())] == ["00000.png", "00001.png", "00002.png"]
    assert hourglass("reconstruct", picture_run, "--out", "made").code == 0
    assert Image.open("made/up/00000.png").size == (12, 12)
    assert hourglass("reconstruct", picture_run, "--out", "made.npy").code == 0
    assert np.load("made.npy").shape == (30, 1, 12, 12)
    refused = hourglass("sample", picture_run, "-n", 2, "--out", "x.csv")
    assert (refused.code, ".npy" in refused.err) == (2, True)


def test_codes_of_pictures_carry_their_names(hourglass, picture_run) -> None:
    hourglass("embed", picture_run, "pictures", "--out", "codes.parquet")
    names = read("codes.parquet").X.column("name").to_pylist()
    assert names[:2] == ["down/00000.png", "down/00001.png"]
    hourglass("embed", picture_run, "pictures", "--out", "codes.npz")
    assert np.load("codes.npz")["names"].tolist() == names


def test_other_kinds_of_data_are_told_apart(hourglass, picture_run) -> None:
    assert "holds tables, but run was fitted on grey" in hourglass("embed", "run", "wine", "--out", "x.npy").err
    assert "fitted on (1, 12, 12)" in hourglass("embed", "run", "digits", "--out", "x.npy").err
    assert "no missing cells to fill in" in hourglass("impute", "run", "--out", "x.csv").err
    assert "without a condition" in hourglass("sample", "run", "--condition", 1, "--out", "x.npy").err


def test_writing_that_fails_leaves_the_old_file(hourglass, run, people, monkeypatch) -> None:
    Path("codes.csv").write_text("precious")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hourglass.readers.writing._write_tables", full)
    answer = hourglass("embed", run, people, "--out", "codes.csv")
    assert answer.code == 1
    assert "free some space" in answer.err
    assert Path("codes.csv").read_text() == "precious"
    assert not list(Path().glob(".*part*"))


@pytest.mark.parametrize("command", ["embed", "impute", "reconstruct", "score"])
def test_the_data_are_not_written_over(hourglass, run, people, command) -> None:
    before = people.read_text()
    answer = hourglass(command, run, people, "--out", people)
    assert (answer.code, "would overwrite the input" in answer.err) == (2, True)
    assert hourglass(command, run, "--out", people).code == 2
    assert people.read_text() == before
