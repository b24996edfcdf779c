"""What is known about a public data set, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hourglass.datasets.files import File
from hourglass.readers.data import Data

Part = Literal["train", "test", "all"]


@dataclass(frozen=True)
class Dataset:
    """One public data set.

    Attributes
    ----------
    name, title : str
    kind : {"tables", "images"}
    rows : dict of str to int
        Rows of each part its authors defined; only "all" where they defined none.
    licence, citation : str
        As stated by its public home.
    files : tuple of File
        What is downloaded; empty for data that comes with scikit-learn or is computed.
    classes : tuple of str
        Names of the labels 0, 1, ..., where the labels are such numbers.
    """

    name: str
    title: str
    kind: Literal["tables", "images"]
    rows: dict[str, int]
    licence: str
    citation: str
    read: Callable[..., Data] = field(repr=False)
    files: tuple[File, ...] = ()
    classes: tuple[str, ...] = ()

    def load(self, part: Part = "train", **options: int) -> Data:
        """Examples of one part; "train" and "all" are the same where the authors split nothing."""
        if part not in ("train", "test", "all"):
            raise ValueError(f"part={part!r}: use 'train', 'test' or 'all'")
        if part == "test" and "test" not in self.rows:
            raise ValueError(
                f"part='test': {self.name} has no official test part; load all of it and split it with "
                "sklearn.model_selection.train_test_split"
            )
        if "test" not in self.rows:
            return self.read("all", **options)
        return self.read(part, **options)
