"""What loading costs and touches: no memory beyond the file, no compiler, no generator of the caller's."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from model_folders import Remembers, X, copy_with, unfitted

import hourglass
from hourglass.process import alone
from hourglass.storage import ModelFolderError
from hourglass.variants import AE

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
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that of now
    before = peak()
    with pytest.raises(ModelFolderError):
        hourglass.load(folder)
    assert peak() - before < 60, "MB"


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
