"""MNIST and Fashion-MNIST: grey pictures of 28 x 28 pixels in ten classes, 60,000 to train and 10,000 to test."""

from __future__ import annotations

from functools import partial

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.datasets.files import File, find
from hourglass.readers.data import Data
from hourglass.readers.idx import read_idx

NAMES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def read(name: str, files: tuple[File, ...], classes: tuple[str, ...] | None, split: str) -> Data:
    """X (N, 1, 28, 28) uint8 in 0..255, labels (N,): int64 in 0..9, or the names of the classes."""
    splits = ("train", "test") if split == "all" else (split,)
    path = {file.path.rpartition("/")[2]: file for file in files}
    X = np.concatenate([read_idx(find(path[NAMES[which][0]])) for which in splits])
    labels = np.concatenate([read_idx(find(path[NAMES[which][1]])) for which in splits]).astype(np.int64)
    return Data(X[:, None], labels if classes is None else np.array(classes)[labels], kind="images", source=name)


def _files(folder: str, home: str, facts: dict[str, tuple[str, int]], unpacked: bool) -> tuple[File, ...]:
    return tuple(
        File(f"{folder}/{name}", home + name, sha256, size, unpacked) for name, (sha256, size) in facts.items()
    )


# The usual mirrors compress the four files differently; the checksums are those of the unpacked files.
MNIST_FILES = _files(
    "images/mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images-idx3-ubyte.gz": ("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 9912422),
        "train-labels-idx1-ubyte.gz": ("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 28881),
        "t10k-images-idx3-ubyte.gz": ("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 1648877),
        "t10k-labels-idx1-ubyte.gz": ("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 4542),
    },
    unpacked=True,
)
FASHION_MNIST_FILES = _files(
    "images/fashion-mnist",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    {
        "train-images-idx3-ubyte.gz": ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26421880),
        "train-labels-idx1-ubyte.gz": ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29515),
        "t10k-images-idx3-ubyte.gz": ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4422102),
        "t10k-labels-idx1-ubyte.gz": ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5148),
    },
    unpacked=False,
)

MNIST = Dataset(
    name="mnist",
    title="MNIST, handwritten digits, 28 x 28",
    kind="images",
    rows={"train": 60000, "test": 10000},
    licence="CC BY-SA 3.0, as commonly stated",
    citation="LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition, IEEE 86",
    read=partial(read, "mnist", MNIST_FILES, None),
    files=MNIST_FILES,
)
FASHION_MNIST = Dataset(
    name="fashion_mnist",
    title="Fashion-MNIST, pictures of clothes, 28 x 28",
    kind="images",
    rows={"train": 60000, "test": 10000},
    licence="MIT",
    citation="Xiao, Rasul, Vollgraf 2017, Fashion-MNIST: a novel image dataset for benchmarking, arXiv:1708.07747",
    read=partial(read, "fashion_mnist", FASHION_MNIST_FILES, CLASSES),
    files=FASHION_MNIST_FILES,
)
