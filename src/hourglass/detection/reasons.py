"""Why an example is an anomaly: the cells that make it one, with what was expected there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hourglass.detection.members import MEANINGS
from hourglass.modalities.modality import Column

MAX_REASONS = 3
MIN_SHARE = 0.2  # of the largest contribution, from which another cell is named


@dataclass(frozen=True, eq=False)
class Explanations:
    """What is unusual about N examples.

    Attributes
    ----------
    contribution : (N, *S) what makes it an anomaly. Of named columns, and of the channels of an instant, (N, C), by how
        much the score falls where one is as the model expects it from the others; of other data, by how many nats a
        cell is less probable, given the code, than is usual. 0 where a cell is missing.
    observed, expected : (N, *S) in raw units.
    least : from which contribution on a cell is named.
    parts : (N, M) what each member adds to the score.
    members : (M,) their names.
    columns : named features along the first axis of S; () where there are none.
    """

    contribution: NDArray[np.float64]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    parts: NDArray[np.float64]
    members: tuple[str, ...]
    columns: Sequence[Column] = ()
    least: float = 1.0

    def __len__(self) -> int:
        return len(self.parts)

    def main_member(self, row: int) -> str:
        """The member that adds most to the score of this example."""
        return self.members[int(self.parts[row].argmax())]

    def top(self, row: int) -> list[int]:
        """Places of the named features that contribute most, the largest first."""
        found = self.contribution[row].reshape(len(self.columns), -1).sum(1) if self.columns else np.zeros(0)
        order = np.argsort(-found, kind="stable")[:MAX_REASONS].tolist()
        return [i for i in order if found[i] >= max(self.least, MIN_SHARE * found[order[0]])]

    def cell(self, row: int, feature: int) -> tuple[str, str, str]:
        """Name, observed and expected value of a feature, in its own words."""
        column = self.columns[feature]
        observed, expected = (column.raw_text(float(a[row, feature])) for a in (self.observed, self.expected))
        return column.name, observed, expected

    def sentence(self, row: int) -> str:
        """Why this example is unusual: "src_bytes is 5.4e7, expected 232; service is imap4, expected http"."""
        cells = [self.cell(row, feature) for feature in self.top(row)] if self.columns else []
        said = [
            f"{name} is {observed}" + (f", expected {expected}" if expected != observed else ", which is rare here")
            for name, observed, expected in cells
        ]
        meaning = MEANINGS[self.main_member(row)]
        return "; ".join(said) or (f"no single cell: {meaning}" if self.columns else meaning)
