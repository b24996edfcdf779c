"""What is known about a public data set, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hourglass.datasets.files import File
from hourglass.readers.data import Data

Split = Literal["train", "test", "all"]


@dataclass(frozen=True)
class Dataset:
    """One public data set.

    Attributes
    ----------
    name, title : str
    kind : what `Data.kind` says of it
    rows : dict of str to int
        Rows of each split its authors defined; only "all" where they defined none.
    licence, citation : str
        As stated by its public home.
    files : tuple of File
        What is downloaded; empty for data that comes with scikit-learn or is computed.
    """

    name: str
    title: str
    kind: Literal["tables", "images", "text", "tilemaps", "series", "music"]
    rows: dict[str, int]
    licence: str
    citation: str
    read: Callable[..., Data] = field(repr=False)
    files: tuple[File, ...] = ()

    def load(self, split: Split = "train", **options: int) -> Data:
        """Examples of one split; "train" and "all" are the same where the authors split nothing."""
        if split not in ("train", "test", "all"):
            raise ValueError(f"split={split!r}: use 'train', 'test' or 'all'")
        if split == "test" and "test" not in self.rows:
            raise ValueError(
                f"split='test': {self.name} has no official test split; load all of it and split it with "
                "sklearn.model_selection.train_test_split"
            )
        if "test" not in self.rows:
            return self.read("all", **options)
        return self.read(split, **options)
