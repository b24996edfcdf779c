"""Resumed = uninterrupted, bit for bit, wherever the run was cut."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass

import example_recipes
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from safetensors.torch import load_file

from hourglass import Embedder, ParquetStream
from hourglass.training import CheckpointError, Trainer, loop, read_about
from hourglass.variants import DENOISING, RECIPES, VAE, GaussianNoise, kl

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5))
PICTURES = RNG.random((90, 6, 5))
GROUP = np.arange(90) % 3


def contents(folder):
    """Every tensor of a checkpoint and every number of its progress, times of the clock left out."""
    path = folder / "checkpoint.safetensors"
    progress = asdict(read_about(path).progress)
    del progress["seconds"]
    for entry in progress["history"]:
        del entry["seconds"]
    return load_file(path), progress


def assert_the_same_run(one, other):
    (tensors, progress), (tensors_too, progress_too) = contents(one), contents(other)
    groups = {key.partition("/")[0].partition(".")[0] for key in tensors}
    assert {"model", "averaged", "best", "optimiser", "random"} <= groups
    assert tensors.keys() == tensors_too.keys()
    different = [k for k, v in tensors.items() if not torch.equal(v, tensors_too[k])]
    assert not different
    assert progress == progress_too


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "rows.parquet"
    table = pyarrow.table({"kind": [str(g) for g in GROUP], **{f"c{i}": X[:, i] for i in range(5)}})
    pyarrow.parquet.write_table(table, path, row_group_size=25)
    return path


@pytest.fixture(autouse=True)
def a_disk_without_delay(monkeypatch):
    """The end of a process, unlike that of the power, does not need the disk's word: fsync may take a second."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


class Crash(Exception):
    """Stands for the end of the process."""


@dataclass(frozen=True)
class Pursuit:
    """An objective with a state of its own, as a controller of the weight has."""

    def __call__(self, mean, weight, progress, state):
        state["integral"] = state.get("integral", 0.0) + 0.1 * (float(mean.detach()) - 1.0)
        return weight * (1 + state["integral"]) * mean

    def judged(self, mean, weight):
        return weight * abs(mean - 1.0)


CASES = {
    **{name: ({"recipe": recipe}, False) for name, recipe in {**RECIPES, **example_recipes.RECIPES}.items()},
    "an objective with state": ({"recipe": VAE.with_term(kl, objective=Pursuit())}, False),
    "noise and sampling": ({"recipe": VAE.with_corruption(GaussianNoise(0.5))}, False),
    "fitted variance of each column": ({"variance": "feature"}, False),
    "no held-out rows": ({"validation_fraction": 0.0}, False),
    "early stopping": ({"patience": 1, "learning_rate": 0.1, "max_epochs": 12}, False),
    "half precision": ({"precision": "bfloat16"}, False),
    "convolutions that begin at the plane of PCA": ({"network": "conv"}, False),
    "residual convolutions": ({"network": "residual", "recipe": "ae"}, False),
    "streamed": ({}, True),
    "streamed with noise": ({"recipe": DENOISING}, True),
}


@pytest.mark.parametrize("name", CASES)
def test_cut_after_any_step(name, tmp_path, parquet, monkeypatch):
    """Cut after the steps 1, 7 and 11 (in the first, second and third epoch), in one run."""
    options, streamed = CASES[name]
    settings = {"hidden": (8,), "max_epochs": 4, "batch_size": 16, "random_state": 0, "n_threads": 1, **options}

    def fit(folder, resume=False):
        rows = PICTURES if "network" in options else X
        data, condition = (ParquetStream(parquet), "kind") if streamed else (rows, GROUP)
        return Embedder(2, **settings).fit(data, condition=condition, run=tmp_path / folder, resume=resume)

    whole = fit("whole")
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)  # after every step
    step = Trainer._step
    cuts = [1, 7, 11]

    def cut(self, batch):
        if cuts and self.state.progress.step == cuts[0]:
            cuts.pop(0)
            raise Crash
        step(self, batch)

    monkeypatch.setattr(Trainer, "_step", cut)
    for _ in range(3):
        with pytest.raises(Crash):
            fit("cut", resume=True)
    torch.manual_seed(99)  # whatever the new process has drawn before
    resumed = fit("cut", resume=True)
    assert not cuts
    assert_the_same_run(tmp_path / "whole", tmp_path / "cut")
    for key, value in whole.model_.state_dict().items():
        assert torch.equal(value, resumed.model_.state_dict()[key]), key
    assert whole.advice_ == resumed.advice_


def test_cut_after_the_best_epoch(tmp_path, monkeypatch):
    """The best weights lie behind the cut: they come from the checkpoint or from nowhere."""

    def fit(folder, resume=False):
        return Embedder(
            2, recipe="ae", hidden=(128,), max_epochs=400, patience=12, batch_size=8, learning_rate=1e-2,
            validation_fraction=0.5, random_state=0, n_threads=1,
        ).fit(X, run=tmp_path / folder, resume=resume)  # fmt: skip

    whole = fit("whole").summary_
    assert whole.ended == "early_stopping"
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    step, cuts = Trainer._step, [whole.best_epoch + 5]

    def cut(self, batch):
        if cuts and self.state.progress.epoch == cuts[0]:
            cuts.pop()
            raise Crash
        step(self, batch)

    monkeypatch.setattr(Trainer, "_step", cut)
    with pytest.raises(Crash):
        fit("cut")
    fit("cut", resume=True)
    assert_the_same_run(tmp_path / "whole", tmp_path / "cut")


def test_a_finished_run_resumed_is_finished(tmp_path):
    whole = Embedder(2, hidden=(8,), max_epochs=2, random_state=0).fit(X, run=tmp_path)
    before = contents(tmp_path)
    again = Embedder(2, hidden=(8,), max_epochs=2, random_state=0).fit(X, run=tmp_path, resume=True)
    assert contents(tmp_path)[1] == before[1]
    for key, value in whole.model_.state_dict().items():
        assert torch.equal(value, again.model_.state_dict()[key]), key


def test_running_with_a_checkpoint_changes_nothing(tmp_path, monkeypatch):
    plain = Embedder(2, hidden=(8,), max_epochs=2, random_state=0).fit(X)
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    kept = Embedder(2, hidden=(8,), max_epochs=2, random_state=0).fit(X, run=tmp_path)
    for key, value in plain.model_.state_dict().items():
        assert torch.equal(value, kept.model_.state_dict()[key]), key


# The process forks, so that torch is imported once; nothing but imports happens before.
KILLED = """
import json, os, pathlib, random, signal, sys, time
import numpy as np
import torch
from hourglass import Embedder, ParquetStream
from hourglass.training import loop, read_about
from hourglass.variants import VAE, GaussianNoise

loop.SECONDS_BETWEEN_CHECKPOINTS = -1.0  # after every step
os.fsync = lambda file: None
folder, streamed, moments = pathlib.Path(sys.argv[1]), sys.argv[2] == "streamed", random.Random(int(sys.argv[3]))

def child(name):
    pid = os.fork()
    if pid:
        return pid
    try:
        rng = np.random.default_rng(0)
        X = ParquetStream(folder / "rows.parquet") if streamed else rng.normal(size=(600, 5))
        Embedder(
            2, recipe=VAE.with_corruption(GaussianNoise(0.3)), hidden=(32, 32), max_epochs=12, batch_size=16,
            patience=5, random_state=0, n_threads=1,
        ).fit(X, run=folder / name, resume=True).save(folder / name / "model")
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)

def written(checkpoint):
    return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0

assert os.waitpid(child("whole"), 0)[1] == 0
checkpoint, killed_at = folder / "killed" / "checkpoint.safetensors", []
for kills in range(4):
    pid = child("killed")
    if kills < 3:  # after some more checkpoints, and then at any moment: in a step, or while the next is written
        for _ in range(moments.randint(1, 25)):
            last = written(checkpoint)
            while written(checkpoint) == last and not os.waitpid(pid, os.WNOHANG)[0]:
                time.sleep(0.0005)
        time.sleep(moments.uniform(0.0, 0.03))
        os.kill(pid, signal.SIGKILL)
        killed_at.append(read_about(checkpoint).progress.step)
    status = os.waitpid(pid, 0)[1]
assert status == 0
print(json.dumps(killed_at))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("source", ["in memory", "streamed"])
def test_killed_at_random_moments(source, tmp_path):
    rows = np.random.default_rng(0).normal(size=(600, 5))
    table = pyarrow.table({f"c{i}": rows[:, i] for i in range(5)})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=130)
    seed = int(np.random.SeedSequence().entropy % 2**31)  # other moments every time; the message tells which
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), source, str(seed)], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, (seed, run.stderr)
    killed_at = json.loads(run.stdout)
    steps = read_about(tmp_path / "whole" / "checkpoint.safetensors").progress.step
    assert 0 < killed_at[0] < killed_at[1] < killed_at[2] < steps, (seed, killed_at, steps)
    assert_the_same_run(tmp_path / "whole", tmp_path / "killed")
    one, other = (load_file(next((tmp_path / n / "model").glob("model-*"))) for n in ("whole", "killed"))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[key]) for key, value in one.items())
    strays = [p.name for p in (tmp_path / "killed").iterdir() if p.name.endswith(".part")]
    assert not strays  # what a killed write left behind is swept away by the next


def test_another_part_held_out_is_another_run(tmp_path):
    settings = {"hidden": (4,), "max_epochs": 1, "random_state": 0, "n_threads": 1}
    Embedder(1, **settings).fit(X, run=tmp_path)
    with pytest.raises(CheckpointError, match="belongs to a run with other data"):
        Embedder(1, **settings, validation_fraction=0.5, batch_size=32).fit(X, run=tmp_path, resume=True)


def test_a_stream_of_other_rows_is_another_run(tmp_path, parquet):
    settings = {"hidden": (4,), "max_epochs": 1, "random_state": 0, "n_threads": 1}
    Embedder(1, **settings).fit(ParquetStream(parquet), condition="kind", run=tmp_path / "run")
    turned = pyarrow.parquet.read_table(parquet).take(list(range(89, -1, -1)))
    pyarrow.parquet.write_table(turned, parquet, row_group_size=25)
    with pytest.raises(CheckpointError, match="belongs to a run with other data"):
        Embedder(1, **settings).fit(ParquetStream(parquet), condition="kind", run=tmp_path / "run", resume=True)
