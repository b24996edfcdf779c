"""The members of anomaly scores of every row handed in: of examples as they are, of windows for each instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hourglass.detection.exemplars import vectors
from hourglass.detection.members import Look
from hourglass.detection.scorer import Scorer
from hourglass.estimators import passes
from hourglass.modalities import Examples, Modality
from hourglass.modalities.modality import Column
from hourglass.model import Autoencoder
from hourglass.training import Rows

ROUNDS = 2  # of filling in a cell that is taken for missing


@dataclass(frozen=True)
class Given:
    """Examples to be scored; `examples` says where they were cut, and is None where they are records."""

    rows: Rows
    examples: Examples | None = None


@dataclass(frozen=True, eq=False)
class Scoring:
    """What scores are computed with."""

    model: Autoencoder
    modality: Modality
    scorer: Scorer
    device: str

    def members(self, given: Given) -> torch.Tensor:
        """The members of the score of each row handed in, (T, M); NaN for a row that no example covers."""
        rows = given.rows
        found = passes.measure(
            self.model, rows.raw, rows.condition,
            lambda x, condition: self.scorer.to(x.device).measure(self.model, x, condition), self.device,
        )  # fmt: skip
        if given.examples is None:
            return found
        with np.errstate(invalid="ignore"):  # 0 / 0 where nothing covers a row
            columns = [
                self._per_row(name, column, given.examples, rows)
                for name, column in zip(self.scorer.names, found.numpy().T, strict=True)
            ]
        return torch.from_numpy(np.stack(columns, axis=1))

    def _per_row(self, name: str, scores: np.ndarray, examples: Examples, rows: Rows) -> np.ndarray:
        """A member of windows -> of rows: that of residuals where they are, others the mean of windows over a row."""

        def cells() -> np.ndarray:
            if name != "residuals":
                return np.zeros(rows.raw.shape)
            found = passes.measure(
                self.model, rows.raw, rows.condition,
                lambda x, condition: self.scorer.log_residuals(Look(self.model, x, condition)), self.device,
            )  # fmt: skip
            return found.double().numpy()

        return self.modality.scores_per_row(scores, cells, examples)

    def parts(self, given: Given) -> np.ndarray:
        """What each member adds to the score of each row handed in, (T, M)."""
        return self.scorer.parts(self.members(given)).nan_to_num(0.0).numpy()

    def if_as_expected(self, given: Given, scores: np.ndarray, columns: Sequence[Column]) -> tuple[Tensor, Tensor]:
        """For each feature alone: by how much scores (T,) fall if it is as expected, (T, D); and what is, (N, D, ...).

        That is what the model fills in where the feature is missing, all along a window, so that it cannot copy it.
        """
        rows = given.rows
        known, expected = ~rows.raw.isnan(), rows.raw.double().clone()
        fall = torch.zeros(len(scores), rows.raw.shape[1], dtype=torch.float64)
        for d in [d for d, column in enumerate(columns) if not column.constant]:
            raw = rows.raw.clone()
            raw[:, d] = torch.nan
            for _ in range(ROUNDS):
                filled = passes.reconstruct(self.model, raw, rows.condition, self.device)[:, d]
                raw[:, d] = filled.to(raw.dtype)
            expected[:, d] = raw[:, d].double()
            raw[:, d] = raw[:, d].where(known[:, d], torch.nan)
            parts = self.parts(Given(Rows(raw, rows.condition), given.examples))
            fall[:, d] = torch.from_numpy(scores - parts.sum(1))
        return fall, expected

    def of_instants(
        self, given: Given, which: np.ndarray, scores: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """By how much the score of some of the instants falls, what is expected, and what is there: (n, C) each.

        Parameters
        ----------
        which, scores : (n,) places among the rows handed in, and their scores.
        """
        examples = given.examples
        assert examples is not None and examples.layout is not None
        layout = examples.layout
        windows = examples.covering(layout.places_of(which))
        some, rows = examples.take(windows), given.rows[torch.from_numpy(windows)]
        every = np.zeros(len(layout))
        every[which] = scores
        fall, expected = self.if_as_expected(Given(rows, some), every, examples.channels)
        raw = (layout.as_handed_in(some.merged(some.in_place(x.double().cpu()).numpy())) for x in (expected, rows.raw))
        return fall.numpy()[which], *(x[which] for x in raw)

    def as_decoded(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """By how many nats each cell is less probable than is usual, given the code; its reconstruction: (N, *S)."""
        cells = passes.cell_log_prob(self.model, rows.raw, rows.condition, self.device).double()
        return self.scorer.usual - cells, passes.reconstruct(self.model, rows.raw, rows.condition, self.device)


def vectors_of(model: Autoencoder, rows: Rows, device: str) -> torch.Tensor:
    """(N, F), see `exemplars.vectors`."""
    return passes.measure(model, rows.raw, rows.condition, lambda x, _: vectors(model, x), device)


def residuals_of(model: Autoencoder, rows: Rows, device: str) -> torch.Tensor:
    """How far each cell is from its reconstruction, (N, *S)."""
    return passes.measure(model, rows.raw, rows.condition, lambda x, c: Look(model, x, c).residuals, device)
