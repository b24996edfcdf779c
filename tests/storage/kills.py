"""Runs situations again and again, each time with the process killed or the disk full at another call that writes.

    LD_PRELOAD=shim python kills.py SITUATION,HOW,EVERY,FIRST ...     (see test_kills.py)

Prints as JSON for each: a list of [call, what could be loaded afterwards, whether it was continued, what was wrong].
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

import hourglass
from hourglass.cli import main
from hourglass.storage import ModelFolderError
from hourglass.training import loop

FOLDER, DATA = Path("watched_run"), "data.csv"
COMMON = ["--batch-size", "64", "--n-latent", "2", "--hidden", "4", "--threads", "1"]
OLD, NEW = ["--seed", "5", "--max-epochs", "1", *COMMON], ["--max-epochs", "2", *COMMON]


def forked(act, **environment):
    """The exit code (negative for a signal) of `act` in a process of its own, and what it said on stderr."""
    said = Path("said")
    if (pid := os.fork()) == 0:
        os.environ.update(environment)
        with said.open("w") as err, contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
            try:
                code = act()
            except BaseException as error:
                code = 1
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(code or 0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code, said.read_text()


def fit(*words):
    return lambda: main(["fit", *words, "--out", str(FOLDER)])


def save_over():
    hourglass.load("new").save(FOLDER)


def digest(folder):
    """Of the weights that the folder's model names."""
    about = json.loads((folder / "hourglass.json").read_text())
    tensors = load_file(folder / about["weights"]["file"])
    return hashlib.sha256(b"".join(k.encode() + tensors[k].tobytes() for k in sorted(tensors))).hexdigest()


def loaded():
    """Which model can be loaded; the arguments it is said to come from must be its own."""
    try:
        model = hourglass.load(FOLDER)
    except ModelFolderError:
        return None
    name = NAMES[digest(FOLDER)]
    seed = {"old": 5, "new": 0}[name]
    assert (model.origin_.arguments or {}).get("seed", 0) == seed, f"{name} with the arguments of another"
    return name


def strays():
    """Files that are left although nothing is to be continued."""
    named = json.loads((FOLDER / "hourglass.json").read_text())["weights"]["file"]
    return sorted({p.name for p in FOLDER.iterdir()} - {"hourglass.json", named})


def restore(state):
    shutil.rmtree(FOLDER, ignore_errors=True)
    if state:
        shutil.copytree(state, FOLDER)


def tried(k, start, act, how):
    """[what could be loaded afterwards, whether it was continued], or None where there is no k-th call."""
    restore(start)
    log = Path("calls")
    log.unlink(missing_ok=True)
    code, said = forked(act, KILL_BELOW=FOLDER.name, KILL_AT=str(k), KILL_HOW=how, KILL_LOG=str(log))
    if not log.exists() or len(log.read_text().splitlines()) < k:
        return None
    assert code == -9 if how != "full" else code in (0, 1), (code, said)
    assert how != "full" or code == 0 or "No space left" in said, said
    assert "Traceback" not in said, said
    there = loaded()
    assert there in {"fresh": (None, "new"), "resume": (None, "new")}.get(SITUATION, ("old", "new")), there
    if SITUATION == "save over":
        forked(lambda: hourglass.load(FOLDER).save(FOLDER))  # whatever was left is swept by the next save
        assert loaded() == there
        assert not strays(), strays()
        return there, None
    code, said = forked(fit("--resume"))
    continued = code == 0
    if continued:
        assert loaded() == ("new" if there == "new" or "finished" not in said else there) or there == "old", loaded()
    else:  # nothing was there to continue: it can be started again
        assert there is None and "no run to resume" in said and len(said.splitlines()) == 1, said
        code, said = forked(fit(DATA, *NEW))
        assert (code, loaded()) == (0, "new"), said
    assert not strays(), strays()
    return there, continued


def prepare():
    """The two models and a run that was cut short; and everything that a fit imports, before anything forks."""
    np.savetxt(DATA, np.random.default_rng(0).normal(size=(140, 4)), delimiter=",", header="a,b,c,d", comments="")
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        for name, words in (("new", NEW), ("old", OLD)):
            assert fit(DATA, *words)() == 0
            NAMES[digest(FOLDER)] = name
            shutil.move(FOLDER, name)
    code, said = forked(fit(DATA, *NEW), KILL_BELOW=FOLDER.name, KILL_AT="22")
    assert code == -9 and (FOLDER / "checkpoint.safetensors").exists(), said
    shutil.move(FOLDER, "part")


if __name__ == "__main__":
    torch.set_num_threads(1)
    loop.SECONDS_TO_FIRST_CHECKPOINT = loop.SECONDS_BETWEEN_CHECKPOINTS = -1.0  # after every step
    NAMES, seen = {}, {}
    prepare()
    for words in sys.argv[1:]:
        SITUATION, how, every, first = words.split(",")
        start, act = {
            "fresh": (None, fit(DATA, *NEW)),
            "overwrite": ("old", fit(DATA, *NEW, "--overwrite")),
            "resume": ("part", fit("--resume")),
            "save over": ("old", save_over),
        }[SITUATION]
        seen[f"{SITUATION}, {how}"] = found = []
        for k in range(int(first), 10_000, int(every)):
            try:
                outcome = tried(k, start, act, how)
            except AssertionError as error:
                outcome = (None, None, repr(error))
            if outcome is None:
                break
            found.append([k, *outcome])
    print(json.dumps(seen))
