"""What is damaged is noticed: a bit of the weights or of a checkpoint, a digit of the description."""

import json
import math
import random
import re
import shutil
import warnings

import numpy as np
import pytest
import torch
from model_folders import X, about, forge, unfitted, weights_of

import hourglass
from hourglass.storage import ModelFolderError
from hourglass.training import CheckpointError
from hourglass.training.state import _read as read_checkpoint


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
