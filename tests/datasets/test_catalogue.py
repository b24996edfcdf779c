"""Every data set that is listed: what is known about it, and what `load` gives."""

import numpy as np
import pyarrow as pa
import pytest

from hourglass import datasets
from hourglass.datasets import mnist
from hourglass.datasets.files import checksum

NAMES = list(datasets.names())
TOYS = ["toy_levels", "toy_log", "toy_series", "toy_tunes"]
OFFLINE = ["digits", "photos", "dsprites", "iris", "wine", "breast_cancer", "diabetes", *TOYS]


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_there(name):
    dataset = datasets.names()[name]
    assert dataset.name == name and dataset.title and dataset.licence and dataset.citation
    assert set(dataset.rows) in ({"all"}, {"train", "test"}) and min(dataset.rows.values()) >= 30
    for file in dataset.files:
        assert file.url.startswith("https://") and len(file.sha256) == 64 and file.size > 1000


@pytest.mark.parametrize("name", [name for name in OFFLINE if name != "dsprites"])
def test_what_needs_no_network(name):
    data, dataset = datasets.load(name), datasets.names()[name]
    assert data.kind == dataset.kind and dataset.rows["all"] == len(data.labels) and data.source == name
    assert isinstance(data.X, pa.Table) == (data.kind == "tables")
    with pytest.raises(ValueError, match=f"{name} has no official test split.*train_test_split"):
        datasets.load(name, "test")


def test_digits_keep_their_raw_units():
    data = datasets.load("digits")
    assert data.X.shape == (1797, 1, 8, 8) and data.X.dtype == np.uint8 and (data.X.min(), data.X.max()) == (0, 16)


def test_photos_say_of_which_they_are_pieces():
    assert set(datasets.load("photos").labels) == {"china", "flower"}


def test_wrong_names_splits_and_options():
    with pytest.raises(ValueError, match="did you mean 'fashion_mnist'"):
        datasets.load("fashion-mnist")
    with pytest.raises(ValueError, match="there are digits, mnist"):
        datasets.load("zzzz")
    with pytest.raises(ValueError, match="split='valid'"):
        datasets.load("digits", "valid")
    with pytest.raises(TypeError, match="digits takes no option 'n'"):
        datasets.load("digits", n=5)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*OFFLINE, "toy_payments")])
def test_real_files(name, real_data):
    dataset = datasets.names()[name]
    splits = {split: datasets.load(name, split=split) for split in ("train", "test", "all")}
    for split, rows in dataset.rows.items():
        assert len(splits[split]) == len(splits[split].labels) == rows
    assert len(splits["all"]) == sum(dataset.rows.values())
    data = splits["train"]
    if data.kind == "images":
        assert data.X.shape[1:] == (1, 28, 28) and data.X.dtype == np.uint8 and data.X.max() == 255
        assert sorted(set(data.labels)) == (list(range(10)) if name == "mnist" else sorted(mnist.CLASSES))
    else:
        assert data.X.num_columns == 41 and (data.labels == "normal").sum() == 67343
        assert pa.types.is_string(data.X.schema.field("service").type)
        assert pa.types.is_floating(data.X.schema.field("serror_rate").type)


def test_real_mnist_is_the_official_one(real_data):
    for file in datasets.names()["mnist"].files:
        assert checksum(real_data / file.path, unpacked=file.unpacked) == file.sha256
