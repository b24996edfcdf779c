"""What is damaged or made up is noticed: a bit of the weights, a value of the description, a size beyond the file."""

import contextlib
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import hourglass
from hourglass import Embedder, Tables
from hourglass.fingerprint import digest_of_tensors
from hourglass.process import alone
from hourglass.run_files import weights_name
from hourglass.storage import ModelFolderError, sealed
from hourglass.training import CheckpointError, read_about
from hourglass.training.state import _read as read_checkpoint
from hourglass.variants import AE
from hourglass.variants.plain import PointMass

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
GROUP = np.arange(60) % 3
PICTURES = RNG.integers(0, 255, (40, 6, 5)).astype(np.uint8)


def unfitted(**options):
    return Embedder(**{"n_latent": 2, "max_epochs": 2, "hidden": (6,), "random_state": 0, "n_threads": 1, **options})


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A model of a mixed table with a condition."""
    frame = {"a": np.where(np.arange(60) % 7 == 0, np.nan, X[:, 0]), "n": RNG.poisson(3.0, 60).astype(float)}
    frame = np.column_stack([*frame.values(), GROUP == 1])
    modality = Tables(counts=("x1",))
    folder = tmp_path_factory.mktemp("table")
    return unfitted(modality=modality).fit(frame, condition=GROUP).save(folder)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return unfitted(network="conv").fit(PICTURES).save(tmp_path_factory.mktemp("pictures"))


def weights_of(folder):
    (path,) = folder.glob("model-*.safetensors")
    return path


def about(folder):
    return json.loads((folder / "hourglass.json").read_text())


def copy_with(folder, target, change):
    """A copy of a model folder with its description changed."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    values = about(folder)
    change(values)
    (target / "hourglass.json").write_text(json.dumps(sealed(values)))
    return target


def forge(folder, change):
    """Other tensors in a model folder, with the right digest."""
    path = weights_of(folder)
    tensors = load_file(path)
    change(tensors)
    path.unlink()
    digest = digest_of_tensors(tensors)
    save_file(tensors, folder / weights_name(digest))
    values = about(folder)
    values["weights"] = {"file": weights_name(digest), "sha256": digest}
    (folder / "hourglass.json").write_text(json.dumps(sealed(values)))


# ---- one bit -----------------------------------------------------------------------------------------------------


def positions(content, n):
    """A bit in the first and last byte of every tensor, and n anywhere: (byte, bit)."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    for entry in header.values():
        first, last = (8 + size + offset for offset in entry["data_offsets"])
        if last > first:
            yield from ((first, 0), (last - 1, 7))
    moments = random.Random(0)
    yield from ((moments.randrange(len(content)), moments.randrange(8)) for _ in range(n))


def flips(path, n):
    """Writes the file with one bit flipped, again and again; as it was at the end."""
    content = path.read_bytes()
    for byte, bit in positions(content, n):
        flipped = bytearray(content)
        flipped[byte] ^= 1 << bit
        path.write_bytes(flipped)
        yield byte, bit
    path.write_bytes(content)


def test_one_flipped_bit_of_the_weights_is_noticed(table):
    path = weights_of(table)
    for byte, bit in flips(path, 200):
        with pytest.raises(ModelFolderError, match=r"is corrupt, or was not written by Hourglass"):
            hourglass.load(table)
            pytest.fail(f"byte {byte}, bit {bit}")
    hourglass.load(table)


def test_one_other_digit_of_the_description_is_noticed(table, tmp_path):
    folder = shutil.copytree(table, tmp_path / "copy")
    path = folder / "hourglass.json"
    text = path.read_text()
    digits = [m.start() for m in re.finditer(r"(?<=\.)\d(?=\d*[1-9])", text)]  # the first behind the point of a float
    assert len(digits) > 20
    for place in digits:
        path.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :])
        with pytest.raises(ModelFolderError, match=r"hourglass\.json is corrupt, or was not written by Hourglass"):
            hourglass.load(folder)
            pytest.fail(text[place - 20 : place + 20])
    path.write_text(text)
    hourglass.load(folder)


def test_a_description_laid_out_otherwise_is_the_same(table, tmp_path):
    """What is digested is what it says, not its blanks and the order of its fields."""
    folder = shutil.copytree(table, tmp_path / "copy")
    (folder / "hourglass.json").write_text(json.dumps(about(table), indent=4, sort_keys=True))
    hourglass.load(folder)


def test_one_flipped_bit_of_a_checkpoint_is_noticed(tmp_path):
    unfitted().fit(X, run=tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    for byte, bit in flips(path, 200):
        with pytest.raises(CheckpointError, match=r"is corrupt, or was not written by Hourglass"):
            read_checkpoint(path)
            pytest.fail(f"byte {byte}, bit {bit}")
    assert unfitted().fit(X, run=tmp_path, resume=True).summary_.epochs == 2


def test_a_corrupt_checkpoint_changes_nothing(tmp_path):
    """The estimator, and torch's generator, are as they were."""
    estimator = unfitted().fit(X, run=tmp_path)
    codes = estimator.transform(X)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    before = torch.get_rng_state()
    with pytest.raises(CheckpointError, match="its digest is another"):
        estimator.fit(X, run=tmp_path, resume=True)
    np.testing.assert_array_equal(estimator.transform(X), codes)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_that_are_not_finite_are_refused(table, tmp_path):
    for value in (math.nan, math.inf, -math.inf):
        folder = shutil.copytree(table, tmp_path / str(value))

        def spoil(tensors, value=value):
            tensors["model/decode.decoder.out.weight"][0, 0] = value

        forge(folder, spoil)
        with pytest.raises(ModelFolderError, match=r"'decode.decoder.out.weight' holds NaN or infinity"):
            hourglass.load(folder)


def test_a_column_of_nothing_has_a_mean_that_is_not_a_number_and_loads(tmp_path):
    rows = np.column_stack([X, np.full(60, np.nan)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        saved = unfitted().fit(rows)
        assert math.isnan(saved.modality_.columns[-1].offset)
        loaded = hourglass.load(saved.save(tmp_path))
        np.testing.assert_array_equal(loaded.transform(rows), saved.transform(rows))
    assert about(tmp_path)["modality"]["options"]["columns"][-1]["offset"] == "NaN"


# ---- any value of the description --------------------------------------------------------------------------------

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
        (lambda v: v.update(estimator="Detector"), r"it holds a 'Detector'; this version has Embedder"),
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


# ---- sizes beyond the file ---------------------------------------------------------------------------------------

BOMBS = {
    "wide": lambda v: v["architecture"].update(hidden=[10**8]),
    "square": lambda v: v["architecture"].update(hidden=[30_000, 30_000]),
    "deep": lambda v: v["architecture"].update(hidden=[2] * 200_000),
    "code": lambda v: v["architecture"].update(n_latent=10**8),
    "number": lambda v: v["architecture"].update(n_latent=10**30),
    "likelihood": lambda v: v.update(
        likelihood={"class": "Gaussian", "own": False, "options": {"shape": [10**9], "variance": "feature"}}
    ),
    "blocks": lambda v: v["likelihood"]["options"].update(
        blocks=[["Gaussian", {"shape": [10**8], "variance": "feature"}, [0, 1, 2]]] * 50
    ),
    "pictures": lambda v: v.update(
        modality={
            "class": "Images",
            "own": False,
            "options": {**hourglass.Images().to_json(), "shape": [10**9, 1, 1], "two_valued": True},
        }
    ),
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads peaks from /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_little_memory(name, table, tmp_path):
    folder = copy_with(table, tmp_path / "copy", BOMBS[name])
    started = time.process_time()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that of now
    before = peak()
    with pytest.raises(ModelFolderError):
        hourglass.load(folder)
    assert peak() - before < 60, "MB"
    assert time.process_time() - started < 5


def peak():
    """Megabytes of memory at most so far."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def test_loading_imports_nothing_of_torchs_compiler(table, pictures):
    """torch's meta device brings sympy and seconds of imports where anything is computed on it."""
    code = (
        "import sys, hourglass; [hourglass.load(folder) for folder in sys.argv[1:]]; "
        "print({'sympy', 'torch._dynamo'} & set(sys.modules))"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", code, str(table), str(pictures)]
    run = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert run.stdout == "set()\n", run.stderr


class Remembers(nn.Module):
    """A bottleneck of the caller's own, with a buffer that is not saved."""

    def __init__(self, sizes, computed: bool = True):
        super().__init__()
        self.layer = nn.Linear(sizes.features, sizes.latent)
        turn = torch.full((sizes.latent,), 2.0) if computed else torch.empty(sizes.latent).fill_(2.0)
        self.register_buffer("turn", turn, persistent=False)

    def forward(self, features):
        return PointMass(self.turn * self.layer(features))


def test_loading_draws_nothing_and_waits_for_nobody(table):
    """The generator that all threads share is the business of a fit in another of them."""
    before, loaded = torch.get_rng_state(), []
    thread = threading.Thread(target=lambda: loaded.append(hourglass.load(table)))
    with alone():
        thread.start()
        thread.join(60)
        assert loaded
    assert torch.equal(torch.get_rng_state(), before)


def test_the_callers_default_type_is_of_no_concern(table, pictures):
    torch.set_default_dtype(torch.float64)
    try:
        for folder in (table, pictures):
            hourglass.load(folder)
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_is_computed_and_not_saved_is_computed_at_load(tmp_path):
    saved = unfitted(recipe=AE.with_bottleneck(Remembers)).fit(X)
    loaded = hourglass.load(saved.save(tmp_path), custom={"Remembers": Remembers})
    np.testing.assert_array_equal(loaded.transform(X), saved.transform(X))
    saved = unfitted(recipe=AE.with_bottleneck(Remembers, computed=False)).fit(X)
    with pytest.raises(ModelFolderError, match=r"'encode.bottleneck.turn' is neither saved nor computed: make it pers"):
        hourglass.load(saved.save(tmp_path), custom={"Remembers": Remembers})


# ---- what fit accepts, save can write ----------------------------------------------------------------------------


def test_parameters_that_are_numbers_of_numpy(tmp_path):
    saved = Embedder(
        np.int64(2), hidden=(np.int32(6),), max_epochs=np.int16(1), batch_size=np.int64(16), patience=np.uint8(3),
        learning_rate=np.float32(0.01), validation_fraction=np.float64(0.2), variance=np.float32(0.5),
        random_state=np.int64(3), n_threads=np.int64(1), verbose=np.bool_(False),
    ).fit(X)  # fmt: skip
    loaded = hourglass.load(saved.save(tmp_path))
    np.testing.assert_array_equal(loaded.transform(X), saved.transform(X))
    assert (loaded.n_latent, loaded.hidden, loaded.random_state, loaded.verbose) == (2, (6,), 3, False)
    assert all(type(value) in (int, float, bool, str, tuple, type(None)) for value in loaded.get_params().values())


@dataclass(frozen=True)
class Cut:
    """A corruption of the caller's own with an option that no file can hold."""

    at: object = object

    def __call__(self, x, space):
        return x

    def touches(self, space):
        return True


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"recipe": AE.with_corruption(Cut())}, r"options of Cut\.at=.*cannot be saved"),
        ({"recipe": AE.with_bottleneck(Remembers, computed={1: 2})}, r"options of Remembers\.computed has the key 1"),
        ({"variance": "share"}, r"variance='share' is unknown"),
    ],
)
def test_what_cannot_be_saved_is_named_before_training(options, says, monkeypatch):
    monkeypatch.setattr("hourglass.training.Trainer.run", lambda self: pytest.fail("it trains"))
    with pytest.raises((TypeError, ValueError), match=says):
        unfitted(**options).fit(X)


def test_a_checkpoint_says_where_it_comes_from(tmp_path):
    estimator = unfitted().fit(X, run=tmp_path)
    origin = read_about(tmp_path / "checkpoint.safetensors").origin
    assert (origin.arguments, len(origin.id)) == (None, 16)
    assert estimator.origin_ == origin
    assert unfitted().fit(X, run=tmp_path, resume=True).origin_ == origin
    assert unfitted().fit(X, run=tmp_path).origin_ != origin
    assert hourglass.load(estimator.save(tmp_path)).origin_ == origin
