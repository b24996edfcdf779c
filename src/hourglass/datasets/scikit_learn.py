"""Data that comes with scikit-learn, available without a network."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.readers.data import Data

PIECE = 128  # pixels a side


def read_digits(split: str) -> Data:
    """X (1797, 1, 8, 8) uint8 in the raw units 0..16, labels (1797,) in 0..9. A few border pixels are always 0."""
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    return Data(digits.images[:, None].astype(np.uint8), digits.target, kind="images", source="digits")


def read_photos(split: str) -> Data:
    """X (30, 3, 128, 128) uint8, pieces of two photographs; labels say of which."""
    from sklearn.datasets import load_sample_images

    found: Any = load_sample_images()
    pieces, labels = [], []
    for name, photo in zip(found.filenames, found.images, strict=True):
        for top in range(0, photo.shape[0] - PIECE + 1, PIECE):
            for left in range(0, photo.shape[1] - PIECE + 1, PIECE):
                pieces.append(np.moveaxis(photo[top : top + PIECE, left : left + PIECE], -1, 0))
                labels.append(Path(name).stem)
    return Data(np.stack(pieces), np.array(labels), kind="images", source="photos")


def read_table(name: str, split: str) -> Data:
    """A table with named columns; labels are the names of the classes, or the number to predict."""
    import pyarrow as pa
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")()
    labels = np.asarray(bunch.target_names)[bunch.target] if "target_names" in bunch else bunch.target
    table = pa.table([np.ascontiguousarray(column) for column in bunch.data.T], names=list(bunch.feature_names))
    return Data(table, labels, source=name)


PHOTOS = Dataset(
    name="photos",
    title="pieces of scikit-learn's two photographs, 128 x 128",
    kind="images",
    rows={"all": 30},
    licence="CC BY 2.0",
    citation="china.jpg by danielbuechele and flower.jpg by vultilion, flickr.com, as packaged with scikit-learn",
    read=read_photos,
)
DIGITS = Dataset(
    name="digits",
    title="scikit-learn's handwritten digits, 8 x 8",
    kind="images",
    rows={"all": 1797},
    licence="CC BY 4.0",
    citation="Alpaydin, Kaynak 1998, Optical recognition of handwritten digits, UCI Machine Learning Repository",
    read=read_digits,
)


def _table(name: str, title: str, rows: int, licence: str, citation: str) -> Dataset:
    return Dataset(name, title, "tables", {"all": rows}, licence, citation, partial(read_table, name))


IRIS = _table(
    "iris", "Iris, four lengths of three kinds of iris", 150, "CC BY 4.0", "Fisher 1936, Annals of Eugenics 7"
)
WINE = _table(
    "wine",
    "Wine, 13 measurements of three wines",
    178,
    "CC BY 4.0",
    "Aeberhard, Forina 1992, UCI Machine Learning Repository",
)
BREAST_CANCER = _table(
    "breast_cancer",
    "Breast cancer Wisconsin, 30 measurements of cell nuclei",
    569,
    "CC BY 4.0",
    "Wolberg, Mangasarian, Street, Street 1993, UCI Machine Learning Repository",
)
DIABETES = _table(
    "diabetes",
    "Diabetes, ten measurements and the disease's progress after a year",
    442,
    "none stated; it is published with Least Angle Regression",
    "Efron, Hastie, Johnstone, Tibshirani 2004, Least angle regression, Annals of Statistics 32",
)
