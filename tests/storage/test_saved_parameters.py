"""What fit accepts, save can write; and a checkpoint says where it comes from."""

from dataclasses import dataclass

import numpy as np
import pytest
from model_folders import Remembers, X, unfitted

import hourglass
from hourglass import Embedder
from hourglass.training import read_about
from hourglass.variants import AE


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
