"""Each value of a description is checked: what is made up loads or is refused, and does nothing else."""

import contextlib
import random
import re
import shutil
import warnings

import numpy as np
import pytest
import torch
from model_folders import copy_with

import hourglass
from hourglass.storage import ModelFolderError

ODD = [None, True, -1, 0, 1.5, 10**9, 10**30, 1e308, "", "NaN", "os", "__class__", "a.b", "../x", [], {}, [[]], [None]]
ODD += [{"class": "os"}, "x" * 500, "\x1b[2J\n", -(10**9), {"class": "Popen", "own": False, "options": {}}]


def places(value, parent=None, key=None):
    """(holder, key) of every value in a JSON, the outermost left out."""
    if parent is not None:
        yield parent, key
    for k, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, value, k)


def mutate(values, rnd):
    """One place changed, dropped, doubled or renamed."""
    parent, key = rnd.choice(list(places(values)))
    old, what = parent[key], rnd.random()
    if what < 0.2:
        del parent[key]
    elif what < 0.3 and isinstance(parent, list):
        parent.append(old)
    elif what < 0.4 and isinstance(parent, dict):
        parent["surprise"] = parent.pop(key)
    elif what < 0.6 and isinstance(old, (int, float)) and not isinstance(old, bool):
        parent[key] = rnd.choice([-old, old * 1000, old + 1, str(old), 1e300])
    else:
        parent[key] = rnd.choice(ODD)


@pytest.mark.parametrize("kind", ["table", "pictures"])
def test_a_changed_description_loads_or_is_refused(kind, request, tmp_path):
    """Two hundred changes each: never another error; and what loads can be used, or says what is wrong."""
    folder, accepted = request.getfixturevalue(kind), 0
    for i in range(200):
        rnd = random.Random(f"{kind} {i}")

        def change(values, rnd=rnd):
            for _ in range(rnd.choice([1, 1, 1, 2, 3])):
                mutate(values, rnd)

        copy = copy_with(folder, tmp_path / "copy", change)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = hourglass.load(copy)
            except ModelFolderError as error:
                assert str(copy) in str(error)
                assert not re.search(r"[\x00-\x08\x0b-\x1f]", str(error))
                continue
            accepted += 1
            with contextlib.suppress(ValueError, TypeError, OSError, FloatingPointError):
                repr(model), repr(model.recipe_), model.sample(2, condition=None if kind == "pictures" else [0, 1])
    assert 5 < accepted < 100  # some changes mean another model of the same shape


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda v: v["summary"].update(kl="much"), r"summary\.kl: expected float, got 'much'"),
        (lambda v: v["summary"].update(surprise=1), r"summary\.surprise: there is no such field"),
        (lambda v: v["settings"].pop("seed"), r"settings\.seed is missing"),
        (lambda v: v["settings"].update(precision="float8"), r"settings\.precision: expected Literal"),
        (lambda v: v["history"][0].update(train=3), r"history\[0\]\.train: expected dict"),
        (lambda v: v["architecture"].update(hidden=["6"]), r"architecture\.hidden: expected tuple"),
        (lambda v: v["modality"]["options"]["columns"][0].update(kind=10**30), r"columns\[0\]\.kind: expected Literal"),
        (lambda v: v["condition"]["columns"][0].update(kind="x"), r"columns\[0\]\.kind: expected Literal"),
        (lambda v: v["recipe"]["terms"][0].update(weight="1"), r"terms\[0\]\.weight: expected float"),
        (lambda v: v["recipe"].update(corruptions=[dict(v["recipe"]["terms"][1]["schedule"])]), r"'WarmUp'.*not part"),
        (lambda v: v["recipe"]["terms"][0]["objective"].update({"class": "WarmUp"}), r"'WarmUp', which is not part"),
        (lambda v: v["recipe"]["terms"][0]["schedule"].update({"class": "Schedule"}), r"'Schedule'.*not part"),
        (lambda v: v["recipe"]["bottleneck"].update({"class": "kl"}), r"'kl', which is not part"),
        (lambda v: v["recipe"]["bottleneck"]["options"].update(n=1), r"Sampled\.n: there is no such argument"),
        (lambda v: v.update(by_value=["estimator"]), r"by_value\[0\]: expected Literal"),
        (lambda v: v["parameters"].update(max_epochs=[]), r"parameters\.max_epochs: expected"),
        (lambda v: v.update(estimator="Oracle"), r"it holds a 'Oracle'; this version has Denoiser"),
        (lambda v: v.update(condition=None), r"the condition has width 0, and the model takes 3"),
        (lambda v: v["weights"].update(file="../../etc/passwd"), r"weights: .*is not the name of the weights"),
        (lambda v: v.update(versions={"torch": 2}), r"versions\.torch: expected str"),
    ],
)
def test_each_value_is_checked_against_its_type(change, says, table, tmp_path):
    with pytest.raises(ModelFolderError, match=says):
        hourglass.load(copy_with(table, tmp_path / "copy", change))


def test_json_that_is_nested_doubled_or_not_json(table, tmp_path):
    folder = shutil.copytree(table, tmp_path / "copy")
    path = folder / "hourglass.json"
    text = path.read_text()
    for content, says in (
        ("[" * 100_000, "nested too deeply"),
        (text.replace('"format"', '"seed": 1, "format"', 1), "'seed' twice"),
        (text.replace('"seed": ', '"seed": NaN, "seeds": ', 1), "NaN is not JSON"),
        (text.replace('"seed": ', '"seed": 1' + "0" * 5000 + ', "seeds": ', 1), "it is not JSON"),
    ):
        path.write_text(content)
        with pytest.raises(ModelFolderError, match=rf"hourglass\.json is corrupt.*{says}"):
            hourglass.load(folder)


def test_threads_and_devices_of_another_machine_are_not_taken(table, tmp_path):
    folder = copy_with(table, tmp_path / "copy", lambda v: v["parameters"].update(n_threads=100_000, device="cuda"))
    with pytest.warns(UserWarning) as seen:
        loaded = hourglass.load(folder)
    said = " ".join(str(warning.message) for warning in seen)
    assert re.search(r"asks for n_threads=100000; this machine has \d+: left to torch", said)
    assert torch.cuda.is_available() or "finds no CUDA device here" in said
    assert loaded.n_threads is None
    loaded.transform(np.zeros((2, 3)), condition=[0, 1])
    if not torch.cuda.is_available():
        assert loaded.device == "auto"
