"""Dates and times: learned from as numbers with cycles, and given back as they came in."""

import datetime
import re
import subprocess
import sys
import warnings

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
import torch

from hourglass import Embedder, Tables, load, plots, readers
from hourglass.exploration.maps import map_of_codes
from hourglass.modalities.columns import UnusableColumnsError
from hourglass.plots import LIGHT
from hourglass.readers.date_texts import DateNotation, day_and_month, read_dates, write_dates
from hourglass.report.cells import groups_of
from hourglass.report.report_data import report_data

N = 80
RNG = np.random.default_rng(0)
WHEN = pandas.Timestamp("2021-01-01") + pandas.to_timedelta(RNG.integers(0, 24 * 800, N), unit="h")
FRAME = pandas.DataFrame(
    {
        "ns": WHEN.astype("datetime64[ns]"),
        "zone": WHEN.tz_localize("UTC").tz_convert("Europe/Berlin"),
        "date": WHEN.date,
        "iso": WHEN.strftime("%Y-%m-%d"),
        "minutes": WHEN.strftime("%Y-%m-%dT%H:%MZ"),
        "born": WHEN.strftime("%d/%m/%Y"),
        "clock": WHEN.strftime("%H:%M:%S"),
        "took": WHEN - WHEN[0],
        "x": np.sin(2 * np.pi * WHEN.hour / 24),
    }
)
HOLED = FRAME.mask((np.arange(N) % 9 == 3)[:, None] & (FRAME.columns != "x")[None])
TABLES = Tables(day_first=("born",))
FITTED = Embedder(2, modality=TABLES, max_epochs=2, hidden=(8,), random_state=0, n_threads=1).fit(HOLED)


def in_container(kind):
    if kind == "pandas":
        return HOLED
    return polars.from_pandas(HOLED) if kind == "polars" else pyarrow.Table.from_pandas(HOLED, preserve_index=False)


def types_of(table):
    return table.schema.types if isinstance(table, pyarrow.Table) else list(table.dtypes)


# ---- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "order", "notation"),
    [
        (["2024-02-29", "1899-12-31"], None, "%Y-%m-%d"),
        (["2024-03-01 12:30", "1969-12-31 23:59"], None, "%Y-%m-%d %H:%M"),
        (["2024-03-01T12:30:05.123", "1969-12-31T23:59:59.500"], None, "%Y-%m-%dT%H:%M:%S.%3f"),
        (["2024-03-01T12:30:05Z"], None, "%Y-%m-%dT%H:%M:%SZ"),
        (["2024-03-01 12:30:05+01:00"], None, "%Y-%m-%d %H:%M:%S+01:00"),
        (["31/12/2024", "1/2/2024"], "day-first", "%-d/%-m/%Y"),
        (["31.12.24", "01.02.69"], "day-first", "%d.%m.%y"),
        (["12/31/2024 09:05"], "month-first", "%m/%d/%Y %H:%M"),
        (["23:59:59", "00:00:00"], None, "%H:%M:%S"),
    ],
)
def test_texts_are_read_and_written_as_they_were(texts, order, notation):
    seconds, found = read_dates(pyarrow.array(texts), order)
    assert str(found) == notation and DateNotation.parse(notation) == found
    assert write_dates(np.append(seconds, np.nan), found).tolist() == [*texts, None]


@pytest.mark.parametrize("text", ["2024-02-30", "2024-13-01", "31/12/2024", "12", "25:00", "1.2.3", "2024-01-01 24:30"])
def test_texts_that_are_not_iso_dates(text):
    assert read_dates(pyarrow.array([text])) is None


def test_seconds_are_those_of_the_clock_in_utc_and_offsets_are_brought_together():
    texts = ["1970-01-02T00:00:00+01:00", "1970-01-02T00:00:00+02:00"]
    seconds, found = read_dates(pyarrow.array(texts))
    assert seconds.tolist() == [86400, 86400 - 3600] and found.zone == "+01:00"


def test_day_or_month_first():
    assert day_and_month(["31/12/2024"]) == ("day-first",)
    assert day_and_month(["12/31/2024"]) == ("month-first",)
    assert day_and_month(["01/02/2024"]) == ("day-first", "month-first")
    assert day_and_month(["2024-01-02"]) == day_and_month(["31/31/2024"]) == ()


# ---- columns -----------------------------------------------------------------------------------------------------


def test_columns_of_dates_are_numbers_with_cycles_on_a_grid():
    columns = {c.name: c for c in FITTED.modality_.columns}
    assert {c.kind for c in columns.values()} == {"numeric"}
    assert [round(p / 86400) for p in columns["ns"].cycles] == [1, 7, 365] and columns["ns"].unit == 3600
    assert [round(p / 86400) for p in columns["iso"].cycles] == [7, 365] and columns["iso"].unit == 86400
    assert [round(p / 86400) for p in columns["clock"].cycles] == [1] and columns["took"].cycles == ()
    assert columns["born"].text(0.0) == "01/01/1970" and columns["ns"].text(3600.0) == "1970-01-01 01:00"


def test_noon_is_noon_in_summer_and_winter():
    column = pyarrow.chunked_array(
        [pandas.to_datetime(["2024-01-01 12:00", "2024-07-01 12:00"]).tz_localize("Europe/Berlin")]
    )
    seconds = readers.times.to_seconds(column)
    assert (seconds % 86400).tolist() == [43200, 43200]
    assert readers.times.from_seconds(seconds, column.type).to_pylist() == column.to_pylist()


def test_the_encoder_tells_hours_apart_and_a_missing_date_is_no_hour():
    network = FITTED.model_.encode.encoder[0]
    x = torch.zeros(2, len(FITTED.modality_.columns))
    x[1] = np.nan
    column = FITTED.modality_.columns[0]
    shown = []
    for hours in (0, 6):
        x[0, 0] = hours * 3600 / column.scale
        shown.append(network(x))
    assert (shown[0][0] - shown[1][0]).abs().max() > 0.5
    assert torch.equal(shown[0][1], shown[1][1]) and not shown[0].isnan().any()


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_what_comes_back_has_the_types_and_formats_that_came_in(kind, tmp_path):
    X = in_container(kind)
    FITTED.save(tmp_path / "model")
    model = load(tmp_path / "model")
    full, back = model.impute(X), model.reconstruct(X)
    assert types_of(full) == types_of(back) == types_of(X)
    full = pandas.DataFrame(full.to_pandas() if kind != "pandas" else full)
    assert not full.isna().any().any()
    for name, form in {
        "iso": "%Y-%m-%d",
        "minutes": "%Y-%m-%dT%H:%MZ",
        "born": "%d/%m/%Y",
        "clock": "%H:%M:%S",
    }.items():
        known = HOLED[name].notna().to_numpy()
        assert full[name][known].tolist() == HOLED[name][known].tolist()
        assert [datetime.datetime.strptime(text, form) for text in full[name]]
    assert np.isfinite(model.score_samples(X)).all()


def test_samples_lie_on_the_grid_and_within_what_there_was():
    drawn = FITTED.sample(200, random_state=0)
    assert drawn.dtypes.tolist() == HOLED.dtypes.tolist()
    assert (drawn["ns"] == drawn["ns"].dt.floor("h")).all() and drawn["ns"].between(WHEN.min(), WHEN.max()).all()
    around = FITTED.sample(3, given={"iso": "2021-05-01", "ns": "2021-05-01 12:00"}, random_state=0)
    assert set(around["iso"]) == {"2021-05-01"} and set(around["ns"]) == {pandas.Timestamp("2021-05-01 12:00")}


def test_dates_of_the_fit_may_come_as_another_type_later():
    other = HOLED.assign(
        iso=pandas.to_datetime(HOLED["iso"]), ns=HOLED["ns"].astype(str).where(HOLED["ns"].notna(), None)
    )
    assert np.allclose(FITTED.score_samples(other), FITTED.score_samples(HOLED))
    assert FITTED.reconstruct(other).dtypes.tolist() == other.dtypes.tolist()
    with pytest.raises(ValueError, match=r"'iso', row 4 holds 'soon' where there were dates at fit, such as 2021-"):
        FITTED.transform(HOLED.assign(iso=HOLED["iso"].where(np.arange(N) != 4, "soon")))


def test_chunks_of_which_a_later_one_is_not_of_dates():
    chunks = [pandas.DataFrame({"d": ["2024-01-01", "2024-01-02"] * 10, "x": np.arange(20.0)}) for _ in range(2)]
    assert Tables().infer(iter(chunks)).columns[0].is_time
    chunks[1].loc[3, "d"] = "unknown"
    assert Tables().infer(iter(chunks)).columns[0].categories == ("2024-01-01", "2024-01-02", "unknown")
    chunks[1]["d"] = "2024-01-01 10:30"
    assert Tables().infer(iter(chunks)).columns[0].type.notation == "%Y-%m-%d %H:%M"


def test_declared_orders_and_categories():
    table = pandas.DataFrame({"d": ["31/12/2024", "01/02/2024"] * 10, "iso": ["2024-01-02", "2024-01-03"] * 10})
    assert Tables(day_first=["d"], categories=["iso"]).infer(table).columns[1].categories == (
        "2024-01-02",
        "2024-01-03",
    )
    with pytest.raises(UnusableColumnsError, match="'d' is declared month-first and holds '31/12/2024'"):
        Tables(month_first=["d"]).infer(table)
    with pytest.raises(ValueError, match="both a date with the day first and a date with the month first"):
        Tables(day_first=["d"], month_first=["d"]).infer(table)


def test_many_undeclared_dates_are_left_out_with_the_remedy():
    table = pandas.DataFrame(
        {"d": pandas.date_range("1990-01-01", periods=1500).strftime("%d/%m/%Y"), "x": np.arange(1500.0) % 7}
    )
    with pytest.warns(UserWarning, match=r"'d' \(dates; give modality=Tables\(day_first=\['d'\]\) to have them read\)"):
        assert [c.name for c in Tables().infer(table).columns] == ["x"]


def test_a_condition_of_a_date():
    model = Embedder(2, max_epochs=2, hidden=(8,), random_state=0, n_threads=1)
    model.fit(FRAME[["x", "took"]], condition=FRAME[["iso"]])
    assert len(model.sample(2, condition=pandas.DataFrame({"iso": ["2021-05-01", "2022-05-01"]}))) == 2


# ---- files and the shell -----------------------------------------------------------------------------------------


def hourglass(*words):
    done = subprocess.run([sys.executable, "-m", "hourglass", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_files_from_the_shell(tmp_path):
    texts = HOLED[["iso", "minutes", "born", "x"]]
    texts.fillna({"born": "NA"}).to_csv(tmp_path / "rows.csv", index=False)
    HOLED.to_parquet(tmp_path / "rows.parquet", row_group_size=30)
    small = ("--max-epochs", 1, "--hidden", 8, "--n-latent", 2)
    hourglass("fit", tmp_path / "rows.csv", "--out", tmp_path / "run", "--day-first", "born", *small)
    hourglass("impute", tmp_path / "run", "--out", tmp_path / "full.csv")
    before, full = ((tmp_path / name).read_text().splitlines() for name in ("rows.csv", "full.csv"))
    assert [a for a, b in zip(before, full, strict=True) if a != b] == before[4::9]
    assert "NA" not in (tmp_path / "full.csv").read_text()
    streamed = ("--stream", "--modality", "tables day-first=born")
    hourglass("fit", tmp_path / "rows.parquet", *streamed, "--out", tmp_path / "streamed", *small)
    hourglass("sample", tmp_path / "streamed", "-n", 4, "--given", "iso=2021-05-01", "--out", tmp_path / "new.parquet")
    new = pyarrow.parquet.read_table(tmp_path / "new.parquet")
    assert new.schema.types == pyarrow.parquet.read_schema(tmp_path / "rows.parquet").types
    assert set(new.column("iso").to_pylist()) == {"2021-05-01"}


def test_nothing_is_said_of_plain_dates():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Tables().infer(HOLED[["ns", "date", "iso", "minutes", "clock", "x"]])


def test_figures_and_descriptions_say_dates_and_not_seconds(tmp_path):
    assert "date or time" in FITTED.modality_.describe()
    data = report_data(FITTED, HOLED)
    days = next(i for i, c in enumerate(data.originals.columns) if c.name == "iso")
    column, values = data.originals.columns[days], data.originals.values[:, days]
    assert groups_of(column, values).text(0.0) == "1970-01-01"
    figure = plots.latent_scatter(map_of_codes(data.codes[:, :2], "code"), groups_of(column, values), LIGHT)
    figure.draw_without_rendering()
    bar = figure.axes[-1]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", label.get_text()) for label in bar.get_yticklabels())
    figure = plots.cells.samples(data.originals, data.originals)
    figure.draw_without_rendering()
    (panel,) = (axes for axes in figure.axes if axes.get_title(loc="left") == "ns" or axes.get_title() == "ns")
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", label.get_text()) for label in panel.get_xticklabels())
