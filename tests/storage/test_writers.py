"""Several processes at one folder: readers meet a whole model, and there is one writer at a time."""

import os
import signal
import threading
import time

import numpy as np
import pytest

import hourglass
from hourglass import Embedder
from hourglass.folder_lock import FolderInUseError, locked
from hourglass.run_files import LOCK
from hourglass.storage import ModelFolderError

X = np.random.default_rng(0).normal(size=(60, 4))
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, and flock")


def fitted(seed):
    return Embedder(2, hidden=(4,), max_epochs=1, random_state=seed, n_threads=1).fit(X)


def in_background(act):
    """A process of its own, killed when the block ends."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_loads_while_another_process_saves(tmp_path, monkeypatch):
    """Two hundred loads, two hundred whole models, of which each is one of the two that are saved in turn."""
    monkeypatch.setattr(os, "fsync", lambda file: None)
    models = [fitted(0), fitted(1)]
    codes = [model.transform(X) for model in models]
    models[0].save(tmp_path / "model")

    def save_on_and_on():
        while True:
            for model in models:
                model.save(tmp_path / "model")

    pid = in_background(save_on_and_on)
    seen = []
    try:
        for _ in range(200):
            loaded = hourglass.load(tmp_path / "model").transform(X)
            seen.append([np.array_equal(loaded, other) for other in codes].index(True))
    finally:
        end(pid)
    assert set(seen) == {0, 1}
    for model, expected in zip(models, codes, strict=True):  # what the killed saver left behind is no hindrance
        model.save(tmp_path / "model")
        np.testing.assert_array_equal(hourglass.load(tmp_path / "model").transform(X), expected)
        assert len(list((tmp_path / "model").iterdir())) == 2


def test_two_savers_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda file: None)
    models = [fitted(0), fitted(1)]
    pids = [in_background(lambda m=model: [m.save(tmp_path) for _ in range(30)]) for model in models]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
    hourglass.load(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_weights_that_do_not_come_back(tmp_path):
    folder = fitted(0).save(tmp_path)
    next(folder.glob("model-*")).unlink()
    with pytest.raises(ModelFolderError, match=r"model-.*\.safetensors is missing: save the model again"):
        hourglass.load(folder)


# ---- the lock ----------------------------------------------------------------------------------------------------


def test_a_second_fit_is_refused_until_the_first_is_gone(tmp_path):
    from hourglass.cli import main

    folder = tmp_path / "run"

    def train_for_long():
        def watch(state):
            (folder / "training").touch()
            time.sleep(60)

        Embedder(2, hidden=(4,), max_epochs=3, n_threads=1).fit(X, run=folder, watch=watch)

    pid = in_background(train_for_long)
    try:
        while not (folder / "training").exists():
            time.sleep(0.01)
        with pytest.raises(FolderInUseError, match=rf"another fit \(process {pid}\) is writing to .*run"):
            Embedder(2, max_epochs=1).fit(X, run=folder)
        assert main(["fit", "wine", "--out", str(folder), "--overwrite"]) == 1
    finally:
        end(pid)
    assert (folder / LOCK).exists()  # left by the kill, and held by nobody
    Embedder(2, hidden=(4,), max_epochs=1).fit(X, run=folder)
    assert sorted(p.name for p in folder.iterdir()) == ["checkpoint.safetensors", "training"]


def test_another_thread_is_another_writer(tmp_path):
    refused = []

    def other():
        with (
            pytest.raises(FolderInUseError, match=rf"another save \(process {os.getpid()}\) is writing"),
            locked(tmp_path, "fit"),
        ):
            pass
        refused.append(True)

    with locked(tmp_path, "save"), locked(tmp_path, "fit"):  # the same thread may ask again
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert refused
    assert not list(tmp_path.iterdir())
    with locked(tmp_path, "fit"):
        pass


def test_a_save_waits_for_another(tmp_path):
    def hold():
        with locked(tmp_path, "save"):
            (tmp_path / "held").touch()
            time.sleep(0.5)

    pid = in_background(hold)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    fitted(0).save(tmp_path)
    hourglass.load(tmp_path)
    os.waitpid(pid, 0)


def test_the_lock_sweeps_what_killed_writers_left_and_nothing_else(tmp_path):
    strays = [".hourglass.json.0123abcd.part", ".checkpoint.safetensors.01234567.part"]
    strays.append(f".model-{'0' * 16}.safetensors.89abcdef.part")
    others = [".report.html.01234567.part", "hourglass.json.part", ".other.part", "thesis.txt"]
    for name in strays + others:
        (tmp_path / name).touch()
    with locked(tmp_path, "fit"):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(others)


def test_folders_that_nothing_was_put_into_are_unmade(tmp_path):
    with locked(tmp_path / "a" / "b", "fit"):
        assert (tmp_path / "a" / "b").is_dir()
    assert not list(tmp_path.iterdir())


def test_a_link_in_the_place_of_the_lock_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("all of it")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(OSError), locked(tmp_path / "model", "save"):
        pass
    assert (tmp_path / "precious").read_text() == "all of it"
