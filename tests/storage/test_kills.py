"""Whatever ends a process that writes a model, and wherever: a model is there afterwards, the old one or the new."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SITUATIONS = ["fresh", "resume", "overwrite", "save over"]
HOWS = ["before", "half", "full"]
pytestmark = pytest.mark.skipif(sys.platform != "linux" or COMPILER is None, reason="needs LD_PRELOAD and a C compiler")


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """A library that kills, or fills the disk, at one call."""
    path = tmp_path_factory.mktemp("shim") / "kill_at_call.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", path, HERE / "kill_at_call.c", "-ldl"], check=True)
    return path


def outcomes(shim, folder, *cases):
    """What `kills.py` saw in each case: (situation, how, every, first)."""
    environment = {**os.environ, "LD_PRELOAD": str(shim), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(HERE / "kills.py"), *(",".join(map(str, case)) for case in cases)]
    run = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=3000)
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    wrong = {name: [entry for entry in found if len(entry) > 3] for name, found in seen.items()}
    assert not any(wrong.values()), wrong
    return seen


def test_some_calls(shim, tmp_path):
    """A few calls of every situation; `test_every_call` takes all."""
    cases = [
        (situation, how, 9 if situation == "save over" else 31, 1 + 4 * i + 3 * j)
        for i, situation in enumerate(SITUATIONS)
        for j, how in enumerate(HOWS)
    ]
    seen = outcomes(shim, tmp_path, *cases)
    assert len(seen) == 12
    assert all(len(found) >= 1 for found in seen.values())


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_call(situation, how, shim, tmp_path):
    (found,) = outcomes(shim, tmp_path, (situation, how, 1, 1)).values()
    states = [there for _, there, _ in found]
    assert set(states) == {None if situation in ("fresh", "resume") else "old", "new"}
    if how != "full":  # the new model takes the place of the old one at one call, and never gives it back
        assert states == sorted(states, key=lambda there: there == "new")
