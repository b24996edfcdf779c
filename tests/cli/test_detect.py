"""`fit --task detect` and `detect`: alarms with reasons in a file, and what another task's run cannot do."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

QUICK = ("--max-epochs", 10, "--n-latent", 2, "--hidden", 16)


@pytest.fixture
def payments(tmp_path) -> Path:
    """Amounts that go with the shop; two of 402 rows are odd, and labelled so."""
    rng = np.random.default_rng(0)
    shops = rng.choice(["grocer", "jeweller"], 400)
    rows = [
        [f"p{i}", shop, rng.normal(1000 if shop == "jeweller" else 20, 4), "normal"] for i, shop in enumerate(shops)
    ]
    rows += [["p400", "grocer", 990.0, "fraud"], ["p401", "jeweller", 15.0, "fraud"]]
    text = "\n".join(",".join(map(str, row)) for row in [["id", "shop", "amount", "class"], *rows])
    (tmp_path / "payments.csv").write_text(text + "\n")
    return tmp_path / "payments.csv"


@pytest.fixture
def run(hourglass, payments) -> str:
    words = ("fit", payments, "--task", "detect", "--drop", "id", "--labels", "class", "--normal", "normal", *QUICK)
    answer = hourglass(*words)
    assert answer.code == 0, answer.err
    assert "hourglass detect runs/payments-detect NEW-DATA --out alarms.csv" in answer.out
    return "runs/payments-detect"


def rows_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_alarms_are_written_with_their_reasons(hourglass, payments, run) -> None:
    answer = hourglass("detect", run, payments, "--keep", "id", "--out", "alarms.csv")
    assert answer.code == 0, answer.err
    assert (
        "2 of 402 are anomalies by their labels: AUROC 1.000" in answer.out
        and "realised false-alarm rate" in answer.out
    )
    found = rows_of("alarms.csv")
    assert list(found[0]) == ["id", "score", "p_value", "alarm", "reason"]
    assert [row["alarm"] for row in found[-2:]] == ["true", "true"]
    assert any(word in found[-2]["reason"] for word in ("amount is 990, expected", "shop is grocer, expected jeweller"))
    assert all(bool(row["reason"]) == (row["alarm"] == "true") for row in found)


def test_other_rates_and_alarms_alone(hourglass, payments, run) -> None:
    answer = hourglass(
        "detect", run, payments, "--false-alarm-rate", 0.2, "--only-alarms", "--out", "few.csv", "--json"
    )
    told, found = json.loads(answer.out), rows_of("few.csv")
    assert told["false_alarm_rate"] == 0.2 and told["alarms"] == len(found) == told["rows"]
    assert {"400", "401"} <= {row["row"] for row in found}
    assert told["labels"]["recall"] == 1 and 0.05 < told["labels"]["false_alarm_rate"] < 0.4
    discovered = hourglass("detect", run, payments, "--false-discovery-rate", 0.6, "--out", "some.csv")
    assert (
        "0 of 402 raised an alarm" in discovered.out
        and "at most 0.6 of them are expected to be false" in discovered.out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fit", "DATA", "--false-alarm-rate", 0.1), "--false-alarm-rate is for --task detect"),
        (
            ("fit", "DATA", "--task", "detect", "--false-alarm-rate", 2),
            "--false-alarm-rate 2.0 must lie between 0 and 1",
        ),
        (("fit", "DATA", "--normal", "normal"), "--normal normal: the data have no labels"),
        (("fit", "DATA", "--labels", "class", "--normal", "usual"), "no record has this label; known: fraud, normal"),
        (("detect", "RUN", "DATA", "--out", "x.npy"), "no place for texts"),
        (("detect", "RUN", "DATA", "--out", "x.csv", "--false-discovery-rate", 3), "must lie between 0 and 1"),
        (("embed", "RUN", "DATA", "--out", "x.csv"), "hourglass embed needs a run of --task embed"),
    ],
)
def test_what_goes_wrong_is_said(hourglass, payments, run, words, said) -> None:
    answer = hourglass(*({"DATA": payments, "RUN": run}.get(word, word) for word in words))
    assert answer.code in (1, 2) and said in answer.err, answer.err


def test_trimming_and_groups_are_options(hourglass, payments) -> None:
    words = ("fit", payments, "--task", "detect", "--drop", "id", "class", *QUICK, "--out", "run")
    assert hourglass(*words, "--trim", 0.01, "--groups", "shop").code == 0
    assert hourglass("detect", "run", payments, "--out", "alarms.csv").code == 0
    assert [row["alarm"] for row in rows_of("alarms.csv")[-2:]] == ["true", "true"]
    assert "--groups shops is not a column" in hourglass(*words, "--groups", "shops", "--overwrite").err


def test_a_run_of_another_task_detects_nothing(hourglass, payments) -> None:
    hourglass("fit", payments, "--drop", "id", *QUICK, "--out", "run")
    assert "hourglass detect needs a run of --task detect" in hourglass("detect", "run", "--out", "x.csv").err


def test_a_growing_file_is_followed_with_the_scores_of_the_whole(hourglass, payments, run) -> None:
    text = payments.read_text()
    Path("live.csv").write_text(text + "p402,grocer,twenty,normal\np403,gro")
    words = ("detect", run, "live.csv", "--follow", "--until-idle", 0.3, "--keep", "id", "--out", "live-alarms.csv")
    answer = hourglass(*words)
    assert answer.code == 0, answer.err
    assert "line 404 is left out: " in answer.err and "the last line has no end yet" in answer.err
    assert "row 400 (" in answer.out and "row 401 (" in answer.out
    hourglass("detect", run, payments, "--keep", "id", "--out", "whole.csv")
    live, whole = rows_of("live-alarms.csv"), rows_of("whole.csv")
    assert [row["id"] for row in live] == [row["id"] for row in whole]
    np.testing.assert_allclose([float(r["score"]) for r in live], [float(r["score"]) for r in whole], atol=1e-5)
    merged = hourglass(*words, "--gap", 1, "--json")
    assert '"first": 400, "last": 401, "alarms": 2' in merged.out


def test_lines_of_json_are_followed(hourglass, payments, run) -> None:
    rows = [{"shop": "grocer", "amount": 20.5}, {"amount": 990.0, "shop": "grocer"}]
    Path("live.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "[1]\n")
    answer = hourglass("detect", run, "live.jsonl", "--follow", "--until-idle", 0, "--only-alarms", "--out", "a.csv")
    assert answer.code == 0 and "line 3 is left out: a line of JSON must be an object" in answer.err
    assert [row["row"] for row in rows_of("a.csv")] == ["1"]


def test_lines_come_from_another_program(hourglass, payments, run, monkeypatch) -> None:
    import io
    import sys

    lines = b"amount,shop\n20.1,grocer\n990,grocer"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    answer = hourglass("detect", run, "stdin", "--follow", "--out", "a.csv")
    assert answer.code == 0, answer.err
    assert [row["alarm"] for row in rows_of("a.csv")] == ["false", "true"]
