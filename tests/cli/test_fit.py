"""Runs: where they go, what they say, and that they survive everything that can happen to them."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from hourglass import Embedder, load
from hourglass.cli import main, sources
from hourglass.run_files import MODEL_FORMAT
from hourglass.storage import sealed
from hourglass.training import Trainer

SOON = """
import sys
import hourglass.training.loop as loop
loop.SECONDS_BETWEEN_CHECKPOINTS = 0.02
from hourglass.cli import main
sys.exit(main(sys.argv[1:]))
"""
LONG = ("fit", "digits", "--n-latent", "2", "--hidden", "256", "--batch-size", "32")
EPOCHS = "30"


def digest(run: Path) -> str:
    """sha256 of all tensors of a saved model, names and bytes."""
    (path,) = run.glob("model-*.safetensors")
    tensors = load_file(path)
    content = b"".join(name.encode() + tensors[name].tobytes() for name in sorted(tensors))
    return hashlib.sha256(content).hexdigest()


def started(folder: Path, *arguments: str, epochs: str = EPOCHS) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SOON, *LONG, "--max-epochs", epochs, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path, process: subprocess.Popen) -> None:
    for _ in range(1200):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise TimeoutError(path)


def test_default_folder_and_next_commands(hourglass, tmp_path) -> None:
    answer = hourglass("fit", "wine", "--max-epochs", 2)
    assert answer.code == 0
    assert (tmp_path / "runs/wine-vae/hourglass.json").is_file()
    assert not (tmp_path / "runs/wine-vae/checkpoint.safetensors").exists()
    assert "hourglass report runs/wine-vae" in answer.out
    assert "the model keeps" in answer.out


def test_json_is_all_there_is_on_stdout(hourglass) -> None:
    about = json.loads(hourglass("fit", "wine", "--max-epochs", 2, "--recipe", "ae", "--json").out)
    assert about["run"] == "runs/wine-ae"
    assert about["ended"] == "max_epochs"
    assert about["summary"]["kl"] is None


def test_a_finished_run_is_not_overwritten_unless_asked_for(hourglass, tmp_path) -> None:
    run = tmp_path / "runs/wine-vae"
    hourglass("fit", "wine", "--max-epochs", 2)
    before = digest(run)
    again = hourglass("fit", "wine", "--max-epochs", 3)
    assert again.code == 1
    assert "--overwrite" in again.err
    finished = hourglass("fit", "--resume", "--out", run)
    assert finished.code == 0
    assert "is finished" in finished.out
    assert digest(run) == before
    assert hourglass("fit", "wine", "--max-epochs", 3, "--overwrite").code == 0
    assert digest(run) != before
    assert [p.suffix for p in sorted(run.iterdir())] == [".json", ".safetensors"]


def test_a_failed_overwrite_keeps_the_run_that_was_there(hourglass, tmp_path) -> None:
    run = tmp_path / "runs/wine-vae"
    hourglass("fit", "wine", "--max-epochs", 2)
    before = digest(run)
    assert hourglass("fit", "wine", "--learning-rate", 1e30, "--overwrite").code == 1
    assert digest(run) == before
    assert [p.suffix for p in sorted(run.iterdir())] == [".json", ".safetensors"]


def test_a_folder_with_other_things_is_left_alone(hourglass, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("all of it")
    answer = hourglass("fit", "wine", "--out", "mine")
    assert answer.code == 1
    assert "other files" in answer.err


def test_the_same_arguments_give_the_same_weights(hourglass, tmp_path) -> None:
    for name in ("a", "b"):
        hourglass("fit", "wine", "--max-epochs", 2, "--out", name)
    hourglass("fit", "wine", "--max-epochs", 2, "--out", "c", "--seed", 1)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_killed_and_resumed_is_the_uninterrupted_run(hourglass, tmp_path) -> None:
    assert hourglass(*LONG, "--max-epochs", EPOCHS, "--out", "whole").code == 0
    process = started(tmp_path, "--out", "killed")
    wait_for(tmp_path / "killed/checkpoint.safetensors", process)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run = tmp_path / "killed"
    assert not (run / "hourglass.json").exists(), "it finished before it was killed"

    assert "--resume" in hourglass("embed", run, "--out", "x.csv").err
    assert "--resume continues it" in hourglass("fit", "digits", "--out", run).err
    other = hourglass("fit", "--resume", "--out", run, "--batch-size", 64)
    assert (other.code, "--batch-size is 64" in other.err) == (2, True)

    answer = hourglass("fit", "--resume", "--out", run)
    assert answer.code == 0
    assert digest(run) == digest(tmp_path / "whole")
    assert not (run / "checkpoint.safetensors").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_interrupt_finishes_with_what_there_is(tmp_path, number: signal.Signals) -> None:
    process = started(tmp_path, "--out", "run", "--patience", "3000", epochs="3000")
    wait_for(tmp_path / "run/checkpoint.safetensors", process)
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "interrupted after" in out
    assert "the best model is kept; continue with\n  hourglass fit --resume --out run" in out
    assert (tmp_path / "run/hourglass.json").exists()
    assert (tmp_path / "run/checkpoint.safetensors").exists(), "what --resume continues it from"
    command = [sys.executable, "-m", "hourglass", *LONG, "--out", "run"]
    again = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert again.returncode == 1
    assert b"run holds an interrupted run; --resume continues it" in again.stderr


def test_a_second_interrupt_aborts(hourglass, monkeypatch, tmp_path) -> None:
    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hourglass.Embedder.save", stopped)
    answer = hourglass("fit", "wine", "--max-epochs", 2)
    assert answer.code == 130
    assert answer.err.splitlines()[-1] == "hourglass: stopped"


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "another place"), (errno.EROFS, "another")]
)
def test_a_disk_that_will_not_do(hourglass, monkeypatch, tmp_path, number: int, said: str) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number), "runs/wine-vae/model.safetensors")

    monkeypatch.setattr("hourglass.Embedder.save", refuse)
    monkeypatch.setattr("hourglass.training.state.TrainingState.save", lambda *_: None)
    answer = hourglass("fit", "wine", "--max-epochs", 2)
    assert answer.code == 1
    last = answer.err.splitlines()[-1]
    assert os.strerror(number) in last
    assert said in last
    assert not (tmp_path / "runs/wine-vae").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "arguments.data is missing"),
        ({"data": 3}, "arguments.data: expected str"),
        ({"data": "wine", "drop": "alcohol"}, "arguments.drop: expected list"),
        ({"data": "wine", "surprise": 1}, "arguments.surprise: there is no such argument"),
    ],
)
def test_arguments_that_fit_does_not_take_are_named(hourglass, tmp_path, arguments, said) -> None:
    hourglass("fit", "wine", "--max-epochs", 1)
    path = tmp_path / "runs/wine-vae/hourglass.json"
    about = json.loads(path.read_text())
    assert about["origin"]["arguments"] == {"data": "wine", "max_epochs": 1}
    path.write_text(json.dumps(sealed({**about, "origin": {**about["origin"], "arguments": arguments}})))
    answer = hourglass("embed", "runs/wine-vae", "wine", "--out", "x.csv")
    assert answer.code == 1
    assert "runs/wine-vae is corrupt" in answer.err
    assert said in answer.err


def test_a_run_remembers_what_was_given_and_nothing_else(hourglass, tmp_path) -> None:
    told = ("--seed", 3, "--threads", 1, "--hidden", 8, 4, "--resize", 6, "--grey")
    assert hourglass("fit", "digits", "--max-epochs", 1, *told, "--labels", "labels", "--out", "run").code == 0
    kept = json.loads(Path("run/hourglass.json").read_text())["origin"]["arguments"]
    assert kept == {
        "data": "digits", "labels": "labels", "max_epochs": 1, "seed": 3, "threads": 1, "hidden": [8, 4],
        "resize": [6], "grey": True,
    }  # fmt: skip
    again = hourglass("fit", "--resume", "--out", "run", "--resize", 6, "--grey", "--hidden", 8, 4)
    assert (again.code, "is finished" in again.out) == (0, True), again.err
    other = hourglass("fit", "--resume", "--out", "run", "--threads", 2)
    assert (other.code, "--threads is 2, but the run in run was started with 1" in other.err) == (2, True)


def test_a_run_killed_before_its_first_checkpoint_starts_again(hourglass, tmp_path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / ".hourglass.lock").write_text("fit (process 1)")  # what kill -9 leaves
    answer = hourglass("fit", "--resume", "--out", run)
    assert (answer.code, "ended before its first checkpoint" in answer.err) == (1, True)
    run.mkdir(exist_ok=True)
    (run / ".hourglass.lock").touch()
    answer = hourglass("fit", "wine", "--max-epochs", 1, "--resume", "--out", run)
    assert (answer.code, "it starts from its beginning" in answer.err) == (0, True)
    assert [p.suffix for p in sorted(run.iterdir())] == [".json", ".safetensors"]


def test_a_run_killed_before_its_first_checkpoint_keeps_its_arguments(hourglass, tmp_path, monkeypatch) -> None:
    """It can be resumed without them, and from its beginning, whatever run was in the folder before."""
    run = tmp_path / "run"
    assert hourglass("fit", "wine", "--max-epochs", 1, "--n-latent", 3, "--seed", 5, "--out", run).code == 0
    pid = os.fork()
    if pid == 0:  # killed before training begins
        monkeypatch.setattr(Embedder, "fit", lambda *arguments, **options: os.kill(os.getpid(), signal.SIGKILL))
        main(["fit", "wine", "--overwrite", "--max-epochs", "2", "--n-latent", "2", "--threads", "1", "--out", "run"])
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert load(run).n_latent_ == 3, "the model that was there can be used meanwhile"
    other = hourglass("fit", "--resume", "--out", run, "--n-latent", 4)
    assert (other.code, f"--n-latent is 4, but the run in {run} was started with 2" in other.err) == (2, True)
    answer = hourglass("fit", "--resume", "--out", run)
    assert (answer.code, "starts from its beginning" in answer.err) == (0, True), answer.err
    resumed = load(run)
    assert (resumed.n_latent_, resumed.summary_.epochs) == (2, 2)
    assert [p.suffix for p in sorted(run.iterdir())] == [".json", ".safetensors"]
    assert "is finished" in hourglass("fit", "--resume", "--out", run).out


def test_what_cannot_be_read_leaves_no_run_behind(hourglass, tmp_path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    assert hourglass("fit", "bad.csv", "--out", "run").code == 1
    assert not (tmp_path / "run").exists()


def test_an_interrupted_run_of_an_older_version_says_so(hourglass, tmp_path) -> None:
    run = tmp_path / "run"
    assert hourglass("fit", "wine", "--max-epochs", 1, "--out", run).code == 0
    about = json.loads((run / "hourglass.json").read_text())
    about["summary"]["ended"] = "interrupted"
    (run / "hourglass.json").write_text(json.dumps({**about, "format": 9}))
    for words in (("fit", "--resume", "--out", run), ("embed", run, "--out", "codes.csv")):
        answer = hourglass(*words)
        assert answer.code == 1
        said = f"was written by an older Hourglass (format 9; this one reads {MODEL_FORMAT}): fit the model again"
        assert said in answer.err


def test_a_run_of_python_is_continued_there(hourglass, tmp_path) -> None:
    Embedder(2, max_epochs=1).fit(np.random.default_rng(0).normal(size=(40, 3)), run=tmp_path / "run")
    answer = hourglass("fit", "--resume", "--out", "run")
    assert answer.code == 2
    assert "was started in Python: continue it there" in answer.err
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_a_model_is_in_use_while_another_is_trained_over_it(hourglass, tmp_path, monkeypatch) -> None:
    run, seen = tmp_path / "runs/wine-vae", []
    hourglass("fit", "wine", "--max-epochs", 2)
    before = digest(run)
    step = Trainer._step

    def look(self, batch):
        if not seen:
            seen.append((digest(run), load(run).origin_.arguments))
        step(self, batch)

    monkeypatch.setattr(Trainer, "_step", look)
    assert hourglass("fit", "wine", "--max-epochs", 3, "--overwrite").code == 0
    assert seen == [(before, {"data": "wine", "max_epochs": 2})]
    assert digest(run) != before
    assert load(run).origin_.arguments == {"data": "wine", "max_epochs": 3}


def test_a_recipe_changed_by_words(hourglass) -> None:
    answer = hourglass("fit", "digits", "--recipe", "vae kl=0.1 Masking=0.2", "--max-epochs", 1, "--n-latent", 2)
    assert answer.code == 0
    run = Path("runs/digits-vae-kl-0.1-masking-0.2")
    assert repr(load(run).recipe_) == "Recipe(Sampled; prior Standard; reconstruction + 0.1 kl; sees Masking(rate=0.2))"
    assert hourglass("report", run).code == 0
    assert "Variational autoencoder with kl=0.1, Masking=0.2" in (run / "report.html").read_text()
    answer = hourglass("fit", "digits", "--recipe", "vae kll=1")
    assert (answer.code, "did you mean kl" in answer.err) == (2, True)


def test_a_parquet_table_is_streamed(hourglass, tmp_path) -> None:
    from hourglass.readers import write

    X = np.random.default_rng(0).normal(size=(300, 4))
    write("rows.parquet", X, columns=["a", "b", "c", "d"])
    options = ("--stream", "--max-epochs", 2, "--n-latent", 2, "--condition", "d", "--drop", "c")
    assert hourglass("fit", "rows.parquet", *options).code == 0
    assert hourglass("embed", "runs/rows-vae", "--out", "codes.npy").code == 0
    assert np.load("codes.npy").shape == (300, 2)
    assert "did you mean" in hourglass("fit", "rows.parquet", "--stream", "--drop", "aa", "--out", "x").err


def test_large_parquet_tables_stream_by_themselves(hourglass, monkeypatch) -> None:
    from hourglass import readers

    readers.write("rows.parquet", np.random.default_rng(0).normal(size=(60, 3)))
    monkeypatch.setattr(sources, "STREAMED", 10)
    monkeypatch.setattr(readers, "read", None)  # what would hold all of it
    assert hourglass("fit", "rows.parquet", "--max-epochs", 1, "--n-latent", 1).code == 0


def test_declared_columns_of_an_array_go_by_their_place_in_it(hourglass) -> None:
    generator = np.random.default_rng(0)
    np.save("a.npy", np.column_stack([generator.normal(size=(60, 3)), generator.integers(0, 4, 60)]))
    told = ("--drop", "x1", "--categories", "x3", "--max-epochs", 1, "--hidden", 4)
    assert hourglass("fit", "a.npy", *told, "--n-latent", 1, "--out", "run").code == 0
    assert [column.kind for column in load("run").modality_.columns] == ["numeric", "numeric", "category"]
    compared = hourglass("compare", "a.npy", *told, "--n-latents", 1, "--recipes", "ae")
    assert compared.code == 0
    assert "fit a.npy --drop x1 --categories x3 --hidden 4 --max-epochs 1 --recipe ae" in compared.out
    assert "its columns are x0, x2, x3" in hourglass("fit", "a.npy", *told[:3], "x1", "--out", "other").err
